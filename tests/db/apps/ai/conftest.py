"""What the tests of the judgement share: the stand-in, a provider that asks it, empty marks."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.ai import configured
from apps.ai.evaluation.files import read_file
from apps.ai.provider import Provider, ProviderConfig
from kafka_bridge.events import Event, NewRequest
from kafka_bridge.execution import run_each
from kafka_bridge.handlers import HANDLERS, load_handlers
from kafka_bridge.inbox import Inbox
from kafka_bridge.models import MessageTask
from tests.kafka_bridge.conftest import message
from tests.openai_standin.running import StandIn, running_stand_in
from tests.redis_keys import emptied

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def _server() -> Iterator[StandIn]:
    with running_stand_in() as standin:
        yield standin


@pytest.fixture
def standin(_server: StandIn) -> StandIn:
    _server.order(reset=True)
    return _server


@pytest.fixture
def make_provider(standin: StandIn) -> Callable[..., Provider]:
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


@pytest.fixture(scope="session")
def example_resumes() -> dict[str, str]:
    return {path.name: read_file(path) for path in sorted((EXAMPLES / "resumes").iterdir())}


_offsets = itertools.count()


@pytest.fixture
def ask_the_stand_in(settings: Any, standin: StandIn) -> None:
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
