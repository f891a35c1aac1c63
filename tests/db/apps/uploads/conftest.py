"""What the tests of uploads share: clients that are somebody, the outbox, an empty namespace."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from kafka_bridge.models import OutboxMessage
from resume_platform.redis.cache import cache_for, connect, counters_for
from tests.support.redis_keys import emptied


@dataclass(frozen=True)
class Somebody:
    """Stands for whatever an authentication class sets."""

    id: int
    is_authenticated: bool = True


@pytest.fixture(autouse=True)
def _empty_namespace() -> Iterator[None]:
    with emptied("uploads"):
        yield


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of a port where nobody listens."""
    for namespace in (cache_for("uploads"), counters_for("uploads")):
        monkeypatch.setattr(namespace, "redis", connect("redis://127.0.0.1:9/0"))


def client_of(user_id: int) -> APIClient:
    client = APIClient()
    client.force_authenticate(Somebody(user_id))
    return client


@pytest.fixture
def api() -> APIClient:
    """User 1."""
    return client_of(1)


@pytest.fixture
def stranger() -> APIClient:
    """User 2."""
    return client_of(2)


@pytest.fixture
def sent() -> Callable[[], list[tuple[str, str, dict[str, Any]]]]:
    """Reads the outbox: (topic, key, value) in order."""

    def read() -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (message.topic, message.key, json.loads(bytes(message.value)))
            for message in OutboxMessage.objects.order_by("id")
        ]

    return read
