"""An empty Redis for tests that go through several apps."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.redis_keys import emptied


@pytest.fixture
def empty_redis(settings: Any) -> Iterator[None]:
    """Nothing of the apps' is in Redis, and passwords are hashed quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with emptied("auth", "uploads", "storage"):
        yield
