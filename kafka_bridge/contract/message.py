"""A message as it was read from Kafka, as far as it can be read."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import structlog
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message
from django.conf import settings
from django.utils import timezone

from kafka_bridge.contract import codec
from kafka_bridge.contract.issuers import Subject
from kafka_bridge.contract.routes import tasks_for
from resume_platform.observability.correlation import well_formed
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

Place = tuple[str, int]
"""Topic and partition."""
Header = tuple[str, bytes | None]

NOBODY = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks of different machines may differ by so much.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class InboundMessage:
    """`problem` says why it is no event; then it owes no handler anything (`tasks`)."""

    place: Place
    offset: int
    raw_key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    event_id: str
    traceparent: str
    request_id: str
    content_hash: bytes
    occurred_at: datetime
    user_id: int
    subject: Subject | None
    tasks: tuple[str, ...]
    problem: codec.Undecodable | None

    @property
    def key(self) -> str:
        return as_text(self.raw_key)

    def without_texts(self) -> "InboundMessage":
        """Of a user whose data were erased: known, but empty and owed to nobody."""
        problem = self.problem and codec.Undecodable(self.problem.reason, "erased")
        return replace(self, value=None, headers=(), tasks=(), problem=problem)

    def refused(self, reason: str) -> "InboundMessage":
        """Owed to nobody: it becomes a dead letter."""
        return replace(self, tasks=(), problem=codec.Undecodable(reason, ""))

    def unstorable(self, reason: str) -> "InboundMessage":
        """With nothing but bytes, so that PostgreSQL takes every column."""
        problem = codec.Undecodable("unstorable", reason)
        return replace(self, headers=(), event_id="", traceparent="", tasks=(), problem=problem)


def read(message: Message, topics: Mapping[str, str]) -> InboundMessage:
    """Never raises: what defeats the reader would otherwise stop its partition for ever.

    `topics` maps a topic's name in the cluster to the contract's name.
    """
    place, offset = position(message)
    key, value = _bytes(message.key()), _bytes(message.value())
    tasks: tuple[str, ...] = ()
    user_id: int | None = None
    subject: Subject | None = None
    problem: codec.Undecodable | None = None
    try:
        event = codec.decode(topics[place[0]], key, value)
        tasks, user_id = tasks_for(type(event)), event.partition_key()
        subject = event.subject()
    except codec.Undecodable as error:
        problem = error
    except Exception as error:  # noqa: BLE001
        problem = codec.Undecodable("unreadable", describe(error))
    headers = _headers(message)
    named = dict(headers)
    return InboundMessage(
        place=place,
        offset=offset,
        raw_key=key,
        value=value,
        headers=headers,
        event_id=as_text(named.get("event_id")),
        traceparent=as_text(named.get("traceparent")),
        request_id=well_formed(as_text(named.get("request_id"))),
        content_hash=codec.content_hash(value),
        occurred_at=occurred_at(message, received=timezone.now()),
        user_id=user_id or codec.user_of(value) or NOBODY,
        subject=subject,
        tasks=tasks,
        problem=problem,
    )


def position(message: Message) -> tuple[Place, int]:
    """Where a consumed message stands; only error messages lack it."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return (topic, partition), offset


def as_text(raw: bytes | None, *, limit: int = 100) -> str:
    """Bytes of a stranger as a short text that PostgreSQL takes."""
    return (raw or b"").decode("utf-8", "replace").replace("\x00", "")[:limit]


# The client hands out a broken list with an error pending where a name is not UTF-8. A call by
# this way always looks for that; the interpreter's fast path for `message.headers()` does not.
_ask_for_headers = operator.methodcaller("headers")


def _headers(message: Message) -> list[Header]:
    """Empty if a name is not UTF-8: the client fails on that, and an event needs no headers."""
    try:
        return cast(list[Header], _ask_for_headers(message) or [])
    except Exception as error:  # noqa: BLE001  it raises SystemError
        log.warning("intake.headers_unreadable", error=type(error).__name__)
        # Asked again, the client would hand out the half-made list, which ends the process.
        message.set_headers([])
        return []


def occurred_at(message: Message, *, received: datetime) -> datetime:
    """The message's timestamp, or the time of receipt where it cannot be true.

    A neighbour may write any number. Kafka keeps nothing that is older than the topic's retention.
    """
    kind, milliseconds = message.timestamp()
    if kind == TIMESTAMP_NOT_AVAILABLE:
        return received
    earliest = received - timedelta(hours=settings.KAFKA_TOPIC_RETENTION_HOURS)
    if not _since_epoch(earliest) <= milliseconds <= _since_epoch(received + CLOCK_SKEW):
        return received
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _since_epoch(moment: datetime) -> float:
    """In milliseconds."""
    return (moment - _EPOCH) / timedelta(milliseconds=1)


def _bytes(raw: str | bytes | None) -> bytes | None:
    return raw.encode() if isinstance(raw, str) else raw
