"""What the tests of accounts share: a client, a fast hasher, an empty namespace in Redis."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.auth.models import User
from resume_platform.redis.cache import cache_for, connect, counters_for
from tests.db.apps.auth.factories import PASSWORD
from tests.support.redis_keys import emptied


@pytest.fixture(autouse=True)
def _empty_namespace(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with emptied("auth"):
        yield


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def login(api: APIClient) -> Callable[..., dict[str, str]]:
    def do(user: User, password: str = PASSWORD, **headers: Any) -> dict[str, str]:
        answer = api.post(
            "/auth/login", {"username": user.username, "password": password}, "json", **headers
        )
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return do


@pytest.fixture
def me(api: APIClient) -> Callable[[str], Any]:
    def do(token: str) -> Any:
        return api.get("/me", HTTP_AUTHORIZATION=f"Bearer {token}")

    return do


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of a port where nobody listens."""
    for namespace in (cache_for("auth"), counters_for("auth")):
        monkeypatch.setattr(namespace, "redis", connect("redis://127.0.0.1:9/0"))
