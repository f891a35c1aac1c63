"""Events that take the bridge's own way through inbox and task rows, and receivers for them."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from apps.notifications.delivery import transport
from kafka_bridge.contract import codec
from kafka_bridge.contract.events import Event
from kafka_bridge.models import InboxMessage, MessageTask
from kafka_bridge.tasks.execution import run_batch, run_each
from kafka_bridge.tasks.registry import RetryPolicy, load_handlers
from tests.db.apps.notifications.receiver import Manner, Receiver
from tests.support.redis_keys import emptied

OCCURRED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Bridge:
    """Puts one event into the inbox and runs its task as a worker would."""

    offset: int = 0
    rows: dict[int, MessageTask] = field(default_factory=dict)

    def take(self, event: Event, task: str = "notifications.deliver") -> int:
        self.offset += 1
        message = InboxMessage.objects.create(
            cluster_id="cluster",
            epoch=0,
            topic=event.topic,
            partition=0,
            offset=self.offset,
            key=event.key,
            value=codec.encode(event),
            content_hash=b"",
            occurred_at=OCCURRED_AT,
        )
        return MessageTask.objects.create(message=message, name=task).pk

    def wake(self, task_id: int) -> MessageTask:
        """Run the task now, whatever it waits for."""
        MessageTask.objects.filter(pk=task_id).update(next_attempt_at=OCCURRED_AT)
        row = MessageTask.objects.get(pk=task_id)
        spec = load_handlers()[row.name]
        (run_batch if spec.is_batch else run_each)(spec, [task_id])
        row.refresh_from_db()
        return row

    def run(self, event: Event, task: str = "notifications.deliver") -> MessageTask:
        return self.wake(self.take(event, task))

    def cancel(self, event: Event) -> MessageTask:
        return self.run(event, "notifications.cancel")


@pytest.fixture
def bridge(transactional_db: None) -> Bridge:
    return Bridge()


@pytest.fixture(autouse=True)
def no_marks() -> Iterator[None]:
    with emptied("notifications"):
        yield


@pytest.fixture
def receive(settings: Settings) -> Iterator[Callable[..., Receiver]]:
    """Start receivers on loopback, which callbacks may reach."""
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    started: list[Receiver] = []

    def start(*manners: Manner, tls: bool = False) -> Receiver:
        started.append(Receiver(*manners, tls=tls))
        return started[-1]

    yield start
    for receiver in started:
        receiver.close()


@pytest.fixture
def full_schedule(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract's, whatever the tests' settings say."""
    settings.WEBHOOK_RETRY_SCHEDULE = [5, 300, 1800, 7200, 18000, 36000, 36000]
    handlers = load_handlers()
    spec = handlers["notifications.deliver"]
    patient = RetryPolicy(schedule=tuple(settings.WEBHOOK_RETRY_SCHEDULE))
    monkeypatch.setitem(handlers, spec.name, replace(spec, retry=patient))


@pytest.fixture
def transactions_during_post(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Notes, at each POST, whether the worker holds a transaction meanwhile."""
    seen: list[Any] = []
    post = transport.post

    def watched(*arguments: Any, **options: Any) -> transport.Answer:
        seen.append(connection.in_atomic_block)
        return post(*arguments, **options)

    monkeypatch.setattr(transport, "post", watched)
    return seen
