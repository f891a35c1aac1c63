"""Messages in the inbox, and erasures that need not be looked at twice."""

from collections.abc import Iterator

import pytest

from kafka_bridge.tasks.registry import load_handlers
from tests.db.kafka_bridge.conftest import handlers, inbox, log, make_inbox, store  # noqa: F401
from tests.support.redis_keys import emptied


@pytest.fixture(autouse=True)
def _one_look(settings, db) -> Iterator[None]:
    load_handlers()
    settings.ERASURE_SECOND_LOOK_SECONDS = 0
    with emptied("uploads", "storage", "auth"):
        yield
