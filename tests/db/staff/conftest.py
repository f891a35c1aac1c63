"""What the tests of the staff's pages share."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from staff.dashboard import page
from staff.dashboard.kept import Kept


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine, each test counts for itself."""
    monkeypatch.setattr(page, "_kept", Kept())


@pytest.fixture
def superuser(client: Client) -> Client:
    """A browser in which somebody with every right is logged in."""
    user = get_user_model().objects.create(
        username="staff@example.com", is_staff=True, is_superuser=True
    )
    client.force_login(user)
    return client
