"""Messages in the inbox, and erasures that need not be looked at twice."""

from collections.abc import Iterator

import pytest

from kafka_bridge.handlers import load_handlers
from resume_platform.caching import cache_for
from tests.kafka_bridge.conftest import handlers, inbox, log, make_inbox, store  # noqa: F401


@pytest.fixture(autouse=True)
def _one_look(settings, db) -> Iterator[None]:
    load_handlers()
    settings.ERASURE_SECOND_LOOK_SECONDS = 0
    yield
    for namespace in ("uploads", "storage", "auth"):
        client = cache_for(namespace).redis
        if names := list(client.scan_iter(f"{namespace}:*")):
            client.delete(*names)
