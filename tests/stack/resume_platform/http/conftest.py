"""One live server for the folder."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.live import Server
from tests.redis_keys import emptied


@pytest.fixture(scope="session")
def running_server(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Server]:
    with django_db_blocker.unblock(), Server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def server(running_server: Server, transactional_db: None) -> Server:
    """For tests that send real HTTP; the database is empty before and after, Redis before."""
    running_server.flush_redis()
    return running_server


@pytest.fixture
def empty_redis(settings: Any) -> Iterator[None]:
    """Nothing of the apps' is in Redis, and passwords are hashed quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with emptied("auth", "uploads", "storage"):
        yield
