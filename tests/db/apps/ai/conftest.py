"""What the tests of the judgement share: the stand-in, a provider that asks it, empty marks."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.ai.provider import configured
from apps.ai.provider.client import Provider, ProviderConfig
from kafka_bridge.contract.events import Event, NewRequest
from kafka_bridge.inbox.store import Inbox
from kafka_bridge.models import MessageTask
from kafka_bridge.tasks.execution import run_each
from kafka_bridge.tasks.registry import HANDLERS, load_handlers
from tests.db.kafka_bridge.conftest import message
from tests.support.redis_keys import emptied
from tests.support.stand_in import StandIn, stand_in_server, standin  # noqa: F401


@pytest.fixture
def make_provider(standin: StandIn) -> Callable[..., Provider]:  # noqa: F811
    def make(**changes: Any) -> Provider:
        values: dict[str, Any] = {
            "api_key": "key-that-nobody-may-see",
            "base_url": standin.api_url,
            "model": "gpt-4.1-mini",
            "proxy": "",
            "timeout_seconds": 5.0,
        }
        return Provider(ProviderConfig(**values | changes))

    return make


@pytest.fixture
def empty_cache() -> Iterator[None]:
    """No marks, no limits used, no open circuit, no country remembered."""
    configured._egress.cache_clear()
    with emptied("ai"):
        yield


_offsets = itertools.count()


@pytest.fixture
def ask_the_stand_in(settings: Any, standin: StandIn) -> None:  # noqa: F811
    settings.OPENAI_BASE_URL = standin.api_url
    settings.OPENAI_API_KEY = "standin"
    settings.OPENAI_TIMEOUT_SECONDS = 5
    settings.AI_RPM, settings.AI_RPD, settings.AI_TPM = 10_000, 100_000, 100_000_000
    load_handlers()


@pytest.fixture
def deliver() -> Callable[[Event], MessageTask]:
    """Take an event in and run the AI app's handler for it; returns the task row."""
    inbox = Inbox(
        topics={"uploading_data": "uploading_data", "AI_handler": "AI_handler"},
        high_watermark=lambda topic, partition: 1_000_000,
    )

    def do(event: Event, *, attempts: int = 0) -> MessageTask:
        name = "ai.analyze" if isinstance(event, NewRequest) else "ai.forget"
        taken = message(event, next(_offsets), topic_name=event.topic)
        [task_id] = inbox.store([taken], cluster_id="cluster")[name]
        MessageTask.objects.filter(pk=task_id).update(attempts=attempts)
        run_each(HANDLERS[name], [task_id])
        return MessageTask.objects.get(pk=task_id)

    return do
