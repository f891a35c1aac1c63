"""The inbox: each message once, whatever is delivered again and whatever log begins anew.

A message's identity is (cluster id, epoch, topic, partition, offset). A new epoch starts when the
log's end lies before what was already taken, or when a known offset holds another content: both
mean that the broker lost the log and counts from 0 again.
"""

import base64
import operator
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import structlog
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message
from django.db import DataError, connection, transaction
from django.utils import timezone
from pydantic_core import to_json

from kafka_bridge import codec, context, erased
from kafka_bridge.events import EraseUser
from kafka_bridge.failures import describe
from kafka_bridge.models import DeadLetter, InboxMessage, PartitionLog
from kafka_bridge.owners import NOBODY
from kafka_bridge.routes import tasks_for
from resume_platform import metrics
from resume_platform.correlation import well_formed
from resume_platform.postgresql_pool.prepared import Statement

log = structlog.get_logger(__name__)

Place = tuple[str, int]

# So many messages in a row that are no events: a producer speaks something else.
POISON_ALARM_AFTER = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND = 253_370_764_800_000  # 9999-01-01: every zone can still print it


@dataclass(frozen=True)
class Incoming:
    """A Kafka message, read as far as it can be read."""

    place: Place
    offset: int
    key: str
    event_id: str
    traceparent: str
    request_id: str
    value: bytes | None
    content_hash: bytes
    occurred_at: datetime
    user_id: int
    tasks: tuple[str, ...]
    dead_letter: DeadLetter | None


def position(message: Message) -> tuple[Place, int]:
    """Where a consumed message stands; only error messages lack it."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return (topic, partition), offset


# The values travel as one: quoting each, and reading it again, costs more than storing it.
_INSERT_MESSAGES = Statement(
    "insert_messages",
    """
INSERT INTO kafka_bridge_inboxmessage
    (cluster_id, epoch, topic, partition, "offset", key, event_id, traceparent, request_id, value,
     content_hash, occurred_at, user_id, received_at)
SELECT %(cluster)s, epoch, topic, partition, "offset", key, event_id, traceparent, request_id,
       substring(%(values)s::bytea FROM value_at FOR value_length), decode(content_hash, 'hex'),
       occurred_at, user_id, clock_timestamp()
FROM json_to_recordset(%(rows)s::json) AS row(epoch int, topic text, partition int,
    "offset" bigint, key text, event_id text, traceparent text, request_id text, value_at int,
    value_length int, content_hash text, occurred_at timestamptz, user_id bigint)
ON CONFLICT DO NOTHING
RETURNING id, topic, partition, "offset"
""",
)
_INSERT_TASKS = Statement(
    "insert_tasks",
    """
INSERT INTO kafka_bridge_messagetask
    (message_id, name, state, attempts, next_attempt_at, woken_at, leased_alone, suspect,
     crashes_alone, last_error, created_at)
SELECT row.*, 'pending', 0, clock_timestamp(), clock_timestamp(), FALSE, FALSE, 0, '',
       clock_timestamp()
FROM unnest(%(messages)s::bigint[], %(names)s::text[]) AS row
RETURNING id, name
""",
)
_REMEMBER_ENDS = Statement(
    "remember_ends",
    """
INSERT INTO kafka_bridge_partitionlog (cluster_id, topic, partition, epoch, next_offset)
SELECT %(cluster)s, row.*
FROM unnest(%(topics)s::text[], %(partitions)s::int[], %(epochs)s::int[], %(ends)s::bigint[])
     AS row
ON CONFLICT (cluster_id, topic, partition) DO UPDATE SET
    next_offset = CASE WHEN excluded.epoch > kafka_bridge_partitionlog.epoch
        THEN excluded.next_offset
        ELSE greatest(excluded.next_offset, kafka_bridge_partitionlog.next_offset) END,
    epoch = greatest(excluded.epoch, kafka_bridge_partitionlog.epoch)
""",
)


class _LogBeganAnew(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__(*place)
        self.place = place


class Inbox:
    """Stores batches. Not thread-safe: one per consumer.

    `topics` maps a topic's name in the cluster to the contract's name; `high_watermark` tells the
    end of a partition's log.
    """

    def __init__(
        self, *, topics: Mapping[str, str], high_watermark: Callable[[str, int], int]
    ) -> None:
        self._topics = topics
        self._high_watermark = high_watermark
        self._epochs: dict[Place, int] = {}
        self._went_on_from: dict[Place, int] = {}
        self._poison_run = 0

    def went_on_from(self, topic: str, partition: int) -> int | None:
        """Where this partition's log was left when it was last looked at; None if it is new."""
        return self._went_on_from.get((topic, partition))

    def forget(self, topic: str, partition: int) -> None:
        """Look at this partition's log anew before its next message is stored."""
        self._epochs.pop((topic, partition), None)
        self._went_on_from.pop((topic, partition), None)

    def store(self, messages: Sequence[Message], *, cluster_id: str) -> dict[str, list[int]]:
        """Store a batch in one transaction; returns the new task rows' ids by handler.

        What was stored before is left alone. What is no event becomes a dead letter.
        """
        incoming = [self._read(message) for message in messages]
        with context.receiving(incoming) as incoming:
            tasks = self._store_whole(incoming, cluster_id)
        self._watch_for_poison(incoming)
        return tasks

    def _store_whole(self, incoming: Sequence[Incoming], cluster_id: str) -> dict[str, list[int]]:
        for place in dict.fromkeys(row.place for row in incoming):
            if place not in self._epochs:
                self._epochs[place] = self._current_epoch(cluster_id, place)
        while True:
            try:
                with transaction.atomic():
                    return self._store(incoming, cluster_id)
            except _LogBeganAnew as error:
                self._begin_epoch(error.place, "content")
            except (DataError, ValueError) as error:
                return self._store_halves(incoming, cluster_id, describe(error))

    def _store_halves(
        self, incoming: Sequence[Incoming], cluster_id: str, reason: str
    ) -> dict[str, list[int]]:
        """Find the message that PostgreSQL refuses; it becomes a dead letter of bare bytes."""
        if len(incoming) == 1:
            return self._store_bare(_without_texts(incoming[0], reason), cluster_id)
        middle = len(incoming) // 2
        tasks: dict[str, list[int]] = defaultdict(list)
        for half in (incoming[:middle], incoming[middle:]):
            for name, ids in self._store_whole(half, cluster_id).items():
                tasks[name] += ids
        return tasks

    def _store_bare(self, bare: Incoming, cluster_id: str) -> dict[str, list[int]]:
        with transaction.atomic():
            return self._store([bare], cluster_id)

    def _watch_for_poison(self, incoming: Sequence[Incoming]) -> None:
        for row in incoming:
            self._poison_run = self._poison_run + 1 if row.dead_letter else 0
            if self._poison_run and self._poison_run % POISON_ALARM_AFTER == 0:
                metrics.INBOX_POISON_ALARMS.inc()
                log.error("inbox.nothing_but_poison", messages=self._poison_run)
        metrics.INBOX_POISON_RUN.set(self._poison_run)

    def _store(self, incoming: Sequence[Incoming], cluster_id: str) -> dict[str, list[int]]:
        incoming = _without_the_erased(incoming)
        ids = self._insert_messages(incoming, cluster_id)
        new = [
            (ids[row.place, row.offset], row) for row in incoming if (row.place, row.offset) in ids
        ]
        if len(new) < len(incoming):
            known = [row for row in incoming if (row.place, row.offset) not in ids]
            self._check_content(known, cluster_id)
        DeadLetter.objects.bulk_create(row.dead_letter for _, row in new if row.dead_letter)
        tasks = _insert_tasks([(message_id, name) for message_id, row in new for name in row.tasks])
        self._remember_ends(incoming, cluster_id)
        for _, row in new:
            metrics.INBOX_RECEIVED.labels(row.place[0]).inc()
            if row.dead_letter:
                metrics.DEAD_LETTERS.labels("intake").inc()
        return tasks

    def _insert_messages(
        self, incoming: Sequence[Incoming], cluster_id: str
    ) -> dict[tuple[Place, int], int]:
        rows: list[dict[str, object]] = []
        values = bytearray()
        for row in incoming:
            topic, partition = row.place
            rows.append(
                {
                    "epoch": self._epochs[row.place],
                    "topic": topic,
                    "partition": partition,
                    "offset": row.offset,
                    "key": row.key,
                    "event_id": row.event_id,
                    "traceparent": row.traceparent,
                    "request_id": row.request_id,
                    "value_at": len(values) + 1,
                    "value_length": None if row.value is None else len(row.value),
                    "content_hash": row.content_hash.hex(),
                    "occurred_at": row.occurred_at,
                    "user_id": row.user_id,
                }
            )
            values += row.value or b""
        with connection.cursor() as cursor:
            _INSERT_MESSAGES.execute(
                cursor,
                {
                    "cluster": cluster_id,
                    "values": values,
                    "rows": to_json(rows).decode(),
                },
            )
            return {
                ((topic, partition), offset): message_id
                for message_id, topic, partition, offset in cursor.fetchall()
            }

    def _check_content(self, known: Sequence[Incoming], cluster_id: str) -> None:
        """Raises _LogBeganAnew where a stored offset holds another message than this one."""
        by_place: dict[Place, dict[int, bytes]] = defaultdict(dict)
        for row in known:
            by_place[row.place][row.offset] = row.content_hash
            metrics.INBOX_DUPLICATES.labels(row.place[0]).inc()
        for (topic, partition), hashes in by_place.items():
            stored = InboxMessage.objects.filter(
                cluster_id=cluster_id,
                epoch=self._epochs[topic, partition],
                topic=topic,
                partition=partition,
                offset__in=list(hashes),
            ).values_list("offset", "content_hash")
            if any(bytes(content_hash) != hashes[offset] for offset, content_hash in stored):
                raise _LogBeganAnew((topic, partition))

    def _remember_ends(self, incoming: Sequence[Incoming], cluster_id: str) -> None:
        ends: dict[Place, int] = {}
        for row in incoming:
            ends[row.place] = max(ends.get(row.place, 0), row.offset + 1)
        places = sorted(ends)
        with connection.cursor() as cursor:
            _REMEMBER_ENDS.execute(
                cursor,
                {
                    "cluster": cluster_id,
                    "topics": [topic for topic, _ in places],
                    "partitions": [partition for _, partition in places],
                    "epochs": [self._epochs[place] for place in places],
                    "ends": [ends[place] for place in places],
                },
            )

    def _current_epoch(self, cluster_id: str, place: Place) -> int:
        known = PartitionLog.objects.filter(
            cluster_id=cluster_id, topic=place[0], partition=place[1]
        ).first()
        if known is None:
            return 0
        self._epochs[place] = known.epoch
        self._went_on_from[place] = known.next_offset
        if known.next_offset > self._high_watermark(*place):
            self._begin_epoch(place, "log_end")
        return self._epochs[place]

    def _begin_epoch(self, place: Place, seen_by: str) -> None:
        self._epochs[place] += 1
        self._went_on_from.pop(place, None)
        metrics.INBOX_NEW_EPOCHS.labels(place[0]).inc()
        log.error(
            "inbox.log_began_anew",
            topic=place[0],
            partition=place[1],
            epoch=self._epochs[place],
            seen_by=seen_by,
        )

    def _read(self, message: Message) -> Incoming:
        """Never raises: what defeats the reader would otherwise stop its partition for ever."""
        place, offset = position(message)
        key, value = _bytes(message.key()), _bytes(message.value())
        headers = _headers(message)
        tasks: tuple[str, ...] = ()
        user_id: int | None = None
        problem: codec.Undecodable | None = None
        try:
            event = codec.decode(self._topics[place[0]], key, value)
            tasks, user_id = tasks_for(type(event)), event.partition_key()
        except codec.Undecodable as error:
            problem = error
        except Exception as error:  # noqa: BLE001
            problem = codec.Undecodable("unreadable", describe(error))
        names = dict(headers)
        row = Incoming(
            place=place,
            offset=offset,
            key=_text(key),
            event_id=_text(names.get("event_id")),
            traceparent=_text(names.get("traceparent")),
            request_id=well_formed(_text(names.get("request_id"))),
            value=value,
            content_hash=codec.content_hash(value),
            occurred_at=_occurred_at(message),
            user_id=user_id or codec.user_of(value) or NOBODY,
            tasks=tasks,
            dead_letter=None,
        )
        return row if problem is None else _dead(row, key, headers, problem)


def _dead(
    row: Incoming,
    key: bytes | None,
    headers: Sequence[tuple[str, bytes | None]],
    problem: codec.Undecodable,
) -> Incoming:
    topic, partition = row.place
    log.error(
        "intake.dead_letter",
        reason=problem.reason,
        topic=topic,
        partition=partition,
        offset=row.offset,
    )
    letter = DeadLetter(
        source=DeadLetter.Source.INTAKE,
        reason=problem.reason,
        detail=_text(problem.detail.encode("utf-8", "replace"), limit=1000),
        topic=topic,
        partition=partition,
        offset=row.offset,
        key=key,
        value=row.value,
        headers=[
            [_text(name.encode("utf-8", "replace")), base64.b64encode(content or b"").decode()]
            for name, content in headers
        ],
        occurred_at=row.occurred_at,
        user_id=row.user_id,
    )
    # A dead letter holds the bytes itself.
    return replace(row, value=None, tasks=(), dead_letter=letter)


def _without_the_erased(incoming: Sequence[Incoming]) -> list[Incoming]:
    """What comes late of users whose data were erased is known, holds nothing and owes nothing."""
    erased_users = erased.among(row.user_id for row in incoming)
    return [
        _emptied(row) if row.user_id in erased_users and row.key != EraseUser.key else row
        for row in incoming
    ]


def _emptied(row: Incoming) -> Incoming:
    letter = row.dead_letter
    if letter is not None:
        letter.value, letter.headers, letter.detail = None, [], "erased"
    return replace(row, value=None, tasks=())


def _without_texts(row: Incoming, reason: str) -> Incoming:
    """The message as a dead letter whose every column PostgreSQL must take."""
    letter = row.dead_letter
    value, key = row.value, row.key.encode()
    if letter is not None:
        value = None if letter.value is None else bytes(letter.value)
        key = bytes(letter.key or b"")
    bare = replace(row, key="", event_id="", traceparent="", value=value, dead_letter=None)
    return _dead(bare, key, [], codec.Undecodable("unstorable", reason))


# The client hands out a broken list with an error pending where a name is not UTF-8. A call by
# this way always looks for that; the interpreter's fast path for `message.headers()` does not.
_ask_for_headers = operator.methodcaller("headers")


def _headers(message: Message) -> list[tuple[str, bytes | None]]:
    """Empty if a name is not UTF-8: the client fails on that, and an event needs no headers."""
    try:
        return cast(list[tuple[str, bytes | None]], _ask_for_headers(message) or [])
    except Exception as error:  # noqa: BLE001  it raises SystemError
        log.warning("intake.headers_unreadable", error=type(error).__name__)
        # Asked again, the client would hand out the half-made list, which ends the process.
        message.set_headers([])
        return []


def _occurred_at(message: Message) -> datetime:
    """The message's timestamp, the same at each delivery.

    A neighbour may write any number; one that is no date must not hold up the partition.
    """
    kind, milliseconds = message.timestamp()
    if kind == TIMESTAMP_NOT_AVAILABLE:
        return timezone.now()
    return _EPOCH + timedelta(milliseconds=max(0, min(milliseconds, _LAST_MILLISECOND)))


def _insert_tasks(wanted: Sequence[tuple[int, str]]) -> dict[str, list[int]]:
    by_name: dict[str, list[int]] = defaultdict(list)
    if not wanted:
        return by_name
    with connection.cursor() as cursor:
        _INSERT_TASKS.execute(
            cursor,
            {
                "messages": [message_id for message_id, _ in wanted],
                "names": [name for _, name in wanted],
            },
        )
        for task_id, name in cursor.fetchall():
            by_name[name].append(task_id)
    return by_name


def _bytes(raw: str | bytes | None) -> bytes | None:
    return raw.encode() if isinstance(raw, str) else raw


def _text(raw: bytes | None, *, limit: int = 100) -> str:
    return (raw or b"").decode("utf-8", "replace").replace("\x00", "")[:limit]
