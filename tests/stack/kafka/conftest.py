"""Topics and a group of each test's own, on the broker that all share and the test's database."""

import uuid

import pytest

from tests.db.kafka_bridge.conftest import handlers, inbox, log, make_inbox, store  # noqa: F401
from tests.stack.kafka.tools import make_topics, own_database_url


@pytest.fixture(autouse=True)
def own_topics(settings, db) -> dict[str, str]:
    suffix = uuid.uuid4().hex[:8]
    settings.KAFKA_TOPICS = {name: f"{name}-{suffix}" for name in settings.KAFKA_TOPICS}
    settings.KAFKA_GROUP_ID = f"group-{suffix}"
    settings.KAFKA_SESSION_TIMEOUT_MS = 6_000
    settings.DATABASE_DIRECT_URL = own_database_url()
    make_topics(settings.KAFKA_TOPICS.values())
    return settings.KAFKA_TOPICS
