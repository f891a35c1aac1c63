"""The staff's login and the admin's pages of accounts."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.auth.models import User
from kafka_bridge.models import OutboxMessage
from tests.db.apps.auth.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_ensure_staff_may_run_again_and_changes_the_password(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setenv("DEV_STAFF_USERNAME", "Staff@example.com")
    for password in ("first-password", "first-password", "second-password"):
        monkeypatch.setenv("DEV_STAFF_PASSWORD", password)
        call_command("ensure_staff", stdout=StringIO())

    staff = User.objects.get()
    assert staff.username == "staff@example.com"
    assert staff.is_superuser
    form = {"username": "STAFF@example.com", "password": "second-password"}
    assert Client().post("/admin/login/", form).status_code == 302
    assert not OutboxMessage.objects.exists()


def test_ensure_staff_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEV_STAFF_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="DEV_STAFF_PASSWORD"):
        call_command("ensure_staff")


def test_the_admin_lists_finds_and_shows_users(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    user = UserFactory(username="findme@example.com")

    listed = client.get("/admin/accounts/user/", {"q": str(user.id)})
    shown = client.get(f"/admin/accounts/user/{user.id}/change/")

    assert b"findme@example.com" in listed.content
    assert shown.status_code == 200
