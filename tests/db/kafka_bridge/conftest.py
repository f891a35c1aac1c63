"""Messages as they come from Kafka, and handlers that a test controls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME

from kafka_bridge.contract import codec
from kafka_bridge.contract.events import Event, NewRequest, NewResume
from kafka_bridge.inbox.store import Inbox
from kafka_bridge.models import MessageTask
from kafka_bridge.tasks.registry import HANDLERS, load_handlers


@dataclass
class FakeMessage:
    """The fields of a confluent_kafka.Message that the inbox reads."""

    value_bytes: bytes | None
    key_bytes: bytes | None = b"new_resume"
    offset_no: int = 0
    partition_no: int = 0
    topic_name: str = "uploading_data"
    milliseconds: int = 1_700_000_000_000
    header_list: list[tuple[str, bytes]] = field(default_factory=list)

    def value(self) -> bytes | None:
        return self.value_bytes

    def key(self) -> bytes | None:
        return self.key_bytes

    def offset(self) -> int:
        return self.offset_no

    def partition(self) -> int:
        return self.partition_no

    def topic(self) -> str:
        return self.topic_name

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, self.milliseconds

    def headers(self) -> list[tuple[str, bytes]]:
        return self.header_list


def message(event: Event, offset: int = 0, **changes: Any) -> FakeMessage:
    return FakeMessage(codec.encode(event), event.key.encode(), offset, **changes)


def resume(resume_id: int = 1, user_id: int = 7, text: str = "Python") -> NewResume:
    return NewResume(resume_id=resume_id, user_id=user_id, resume=text)


def request(processing_id: int = 1) -> NewRequest:
    return NewRequest(
        callback_url="https://client.example/hook",
        processing_id=processing_id,
        user_id=7,
        resume_id=1,
        requirements_id=1,
        requirements="Python",
        resume="Python",
    )


@dataclass
class Log:
    """A broker's log as the inbox sees it: its end can be moved."""

    end: int = 1_000_000


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def make_inbox(log: Log) -> Callable[[], Inbox]:
    return lambda: Inbox(
        topics={"uploading_data": "uploading_data", "AI_handler": "AI_handler"},
        high_watermark=lambda topic, partition: log.end,
    )


@pytest.fixture
def inbox(make_inbox: Callable[[], Inbox]) -> Inbox:
    return make_inbox()


@pytest.fixture
def store(inbox: Inbox) -> Callable[..., list[int]]:
    """Take events in and return the ids of their tasks for one handler."""

    def take(*events: Event, task: str = "storage.apply", first_offset: int = 0) -> list[int]:
        tasks = inbox.store(
            [message(event, first_offset + n) for n, event in enumerate(events)],
            cluster_id="cluster",
        )
        return tasks[task]

    return take


@pytest.fixture
def handlers() -> Iterator[dict[str, Any]]:
    """The registry, put back as it was after the test."""
    before = dict(load_handlers())
    yield HANDLERS
    HANDLERS.clear()
    HANDLERS.update(before)


def state(task_id: int) -> str:
    return MessageTask.objects.get(pk=task_id).state
