"""The block of guessed passwords: per user name and address, atomic, and never in the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.auth import login_limit
from apps.auth.models import User
from resume_platform.api.errors import TooManyRequests
from tests.auth.factories import PASSWORD, UserFactory

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
    name = login_limit._names(user.username, "127.0.0.1")[1]
    assert attempt(user, PASSWORD).status_code == 429

    login_limit.cache_for("auth").redis.pexpire(name, 0)

    assert attempt(user, PASSWORD).status_code == 200


def test_a_right_password_that_is_judged_after_the_block_began_learns_nothing() -> None:
    user = UserFactory()
    for _ in range(5):
        attempt(user, "wrong")

    with pytest.raises(TooManyRequests):
        login_limit.settle(username=user.username, address="127.0.0.1", success=True)


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
def test_without_redis_the_block_lets_through() -> None:
    user = UserFactory()
    assert [attempt(user, "wrong").status_code for _ in range(7)] == [401] * 7
    assert attempt(user, PASSWORD).status_code == 200


def test_names_of_any_length_and_alphabet_are_counted(
    login: Callable[..., dict[str, str]],
) -> None:
    for name in ("ü" * 200, "a\nb", "*"):
        answer = APIClient().post("/auth/login", {"username": name, "password": "x"}, "json")
        assert answer.status_code == 401
