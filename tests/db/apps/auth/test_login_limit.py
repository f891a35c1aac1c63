"""The block of guessed passwords: per user name and address, atomic, and never in the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from apps.auth import login_limit
from apps.auth.models import User
from resume_platform.observability.metrics import REDIS_ERRORS
from resume_platform.redis.cache import counters_for
from tests.db.apps.auth.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def attempt(user: User, password: str, **meta: Any) -> Any:
    body = {"username": user.username, "password": password}
    return APIClient().post("/auth/login", body, "json", **meta)


def test_five_failures_block_the_name_from_that_address_alone() -> None:
    user = UserFactory()
    assert [attempt(user, "wrong").status_code for _ in range(5)] == [401] * 5

    blocked = attempt(user, PASSWORD)

    assert blocked.status_code == 429
    assert blocked.json()["code"] == "login_blocked"
    assert 290 <= int(blocked.headers["Retry-After"]) <= 300
    assert attempt(user, PASSWORD, REMOTE_ADDR="203.0.113.9").status_code == 200
    assert attempt(UserFactory(), PASSWORD).status_code == 200


def test_an_invented_forwarding_header_neither_escapes_nor_spreads_the_block() -> None:
    user = UserFactory()
    for number in range(5):
        attempt(user, "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")

    assert attempt(user, PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.77").status_code == 429


def test_a_blocked_attempt_costs_no_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory()
    for _ in range(5):
        attempt(user, "wrong")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the password was looked at")

    monkeypatch.setattr(User, "check_password", refuse)

    assert attempt(user, PASSWORD).status_code == 429


def test_a_success_forgets_the_failures() -> None:
    user = UserFactory()
    for _ in range(3):
        for _ in range(4):
            assert attempt(user, "wrong").status_code == 401
        assert attempt(user, PASSWORD).status_code == 200


def test_the_block_ends(settings: Any) -> None:
    settings.LOGIN_MAX_ATTEMPTS, settings.LOGIN_BLOCK_SECONDS = 1, 1
    user = UserFactory()
    attempt(user, "wrong")
    assert attempt(user, PASSWORD).status_code == 429

    redis = counters_for("auth").redis
    for name in redis.scan_iter("auth:login_block:*"):
        redis.pexpire(name, 0)

    assert attempt(user, PASSWORD).status_code == 200


def test_a_right_password_that_is_judged_after_the_block_began_learns_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = UserFactory(is_staff=True)
    for _ in range(5):
        attempt(user, "wrong")
    # The block begins while the password is being checked.
    monkeypatch.setattr(login_limit.RedisHandler, "is_locked", lambda *_: False)

    answer = attempt(user, PASSWORD)
    page = Client().post("/admin/login/", {"username": user.username, "password": PASSWORD})

    assert answer.status_code == page.status_code == 429
    assert not user.sessions.exists()
    assert not page.client.session.get("_auth_user_id")


def test_the_staff_login_is_blocked_too_and_says_until_when() -> None:
    user = UserFactory(is_staff=True)
    for _ in range(5):
        attempt(user, "wrong")

    page = Client().post("/admin/login/", {"username": user.username.upper(), "password": PASSWORD})

    assert page.status_code == 429
    assert 290 <= int(page.headers["Retry-After"]) <= 300


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_learn_no_more_than_five() -> None:
    user = UserFactory()

    def one(_: int) -> int:
        try:
            return attempt(user, "wrong").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(16)))

    assert sorted(statuses) == [401] * 5 + [429] * 11


@pytest.mark.usefixtures("redis_away")
def test_without_redis_the_block_lets_through_and_raises_the_metric() -> None:
    user = UserFactory()
    before = REDIS_ERRORS.labels("auth")._value.get()
    assert [attempt(user, "wrong").status_code for _ in range(7)] == [401] * 7
    assert attempt(user, PASSWORD).status_code == 200
    assert REDIS_ERRORS.labels("auth")._value.get() >= before + 15


def test_names_of_any_length_and_alphabet_are_counted(
    login: Callable[..., dict[str, str]],
) -> None:
    for name in ("ü" * 200, "a\nb", "*"):
        answer = APIClient().post("/auth/login", {"username": name, "password": "x"}, "json")
        assert answer.status_code == 401
