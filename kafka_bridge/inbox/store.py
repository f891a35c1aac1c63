"""The inbox: each message once, whatever is delivered again and whatever log begins anew.

A message's identity is (cluster id, epoch, topic, partition, offset). A new epoch starts when the
log's end lies before what was already taken, or when a known offset holds another content: both
mean that the broker lost the log and counts from 0 again.
"""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import structlog
from confluent_kafka import Message
from django.db import DataError, connection, transaction
from pydantic_core import to_json

from kafka_bridge.contract import erased_users, issuers
from kafka_bridge.contract.events import EraseUser
from kafka_bridge.contract.message import InboundMessage, Place, as_text, read
from kafka_bridge.models import DeadLetter, InboxMessage, PartitionLog
from kafka_bridge.runtime import log_context
from resume_platform.observability import metrics
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

# So many messages in a row that are no events: a producer speaks something else.
POISON_ALARM_AFTER = 100

# The values travel as one blob: quoting each costs more than storing it.
_INSERT_MESSAGES = """
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
"""
_INSERT_TASKS = """
INSERT INTO kafka_bridge_messagetask
    (message_id, name, state, attempts, next_attempt_at, woken_at, leased_alone, suspect,
     crashes_alone, last_error, created_at)
SELECT row.*, 'pending', 0, clock_timestamp(), clock_timestamp(), FALSE, FALSE, 0, '',
       clock_timestamp()
FROM unnest(%(messages)s::bigint[], %(names)s::text[]) AS row
RETURNING id, name
"""
_REMEMBER_ENDS = """
INSERT INTO kafka_bridge_partitionlog (cluster_id, topic, partition, epoch, next_offset)
SELECT %(cluster)s, row.*
FROM unnest(%(topics)s::text[], %(partitions)s::int[], %(epochs)s::int[], %(ends)s::bigint[])
     AS row
ON CONFLICT (cluster_id, topic, partition) DO UPDATE SET
    next_offset = CASE WHEN excluded.epoch > kafka_bridge_partitionlog.epoch
        THEN excluded.next_offset
        ELSE greatest(excluded.next_offset, kafka_bridge_partitionlog.next_offset) END,
    epoch = greatest(excluded.epoch, kafka_bridge_partitionlog.epoch)
"""


class _LogRestarted(Exception):
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
        self._resumed_from: dict[Place, int] = {}
        self._poison_run = 0

    def resumed_from(self, topic: str, partition: int) -> int | None:
        """The next offset when this partition was last looked up; None if it is new."""
        return self._resumed_from.get((topic, partition))

    def forget(self, topic: str, partition: int) -> None:
        """Look this partition up again before its next message is stored."""
        self._epochs.pop((topic, partition), None)
        self._resumed_from.pop((topic, partition), None)

    def store(self, messages: Sequence[Message], *, cluster_id: str) -> dict[str, list[int]]:
        """Store a batch in one transaction; returns the new task rows' ids by handler.

        What was stored before is left alone. What is no event becomes a dead letter.
        """
        incoming = [self._read(message) for message in messages]
        with log_context.receiving(incoming) as incoming:
            tasks = self._store_batch(incoming, cluster_id)
        self._watch_for_poison(incoming)
        return tasks

    def _read(self, message: Message) -> InboundMessage:
        return read(message, self._topics)

    def _store_batch(
        self, incoming: Sequence[InboundMessage], cluster_id: str
    ) -> dict[str, list[int]]:
        for place in dict.fromkeys(row.place for row in incoming):
            if place not in self._epochs:
                self._epochs[place] = self._current_epoch(cluster_id, place)
        while True:
            try:
                with transaction.atomic():
                    return self._store(incoming, cluster_id)
            except _LogRestarted as error:
                self._begin_epoch(error.place, "content")
            except (DataError, ValueError) as error:
                return self._store_halves(incoming, cluster_id, describe(error))

    def _store_halves(
        self, incoming: Sequence[InboundMessage], cluster_id: str, reason: str
    ) -> dict[str, list[int]]:
        """Find the message that PostgreSQL refuses; it becomes a dead letter of bare bytes."""
        if len(incoming) == 1:
            with transaction.atomic():
                return self._store([incoming[0].unstorable(reason)], cluster_id)
        middle = len(incoming) // 2
        tasks: dict[str, list[int]] = defaultdict(list)
        for half in (incoming[:middle], incoming[middle:]):
            for name, ids in self._store_batch(half, cluster_id).items():
                tasks[name] += ids
        return tasks

    def _watch_for_poison(self, incoming: Sequence[InboundMessage]) -> None:
        for row in incoming:
            self._poison_run = self._poison_run + 1 if row.problem else 0
            if self._poison_run and self._poison_run % POISON_ALARM_AFTER == 0:
                metrics.INBOX_POISON_ALARMS.inc()
                log.error("inbox.nothing_but_poison", messages=self._poison_run)
        metrics.INBOX_POISON_RUN.set(self._poison_run)

    def _store(self, incoming: Sequence[InboundMessage], cluster_id: str) -> dict[str, list[int]]:
        incoming = _without_the_forged(_without_the_erased(incoming))
        ids = self._insert_messages(incoming, cluster_id)
        new = [
            (ids[row.place, row.offset], row) for row in incoming if (row.place, row.offset) in ids
        ]
        if len(new) < len(incoming):
            known = [row for row in incoming if (row.place, row.offset) not in ids]
            self._check_content(known, cluster_id)
        DeadLetter.objects.bulk_create(_dead_letter(row) for _, row in new if row.problem)
        tasks = _insert_tasks([(message_id, name) for message_id, row in new for name in row.tasks])
        self._remember_ends(incoming, cluster_id)
        for _, row in new:
            metrics.INBOX_RECEIVED.labels(row.place[0]).inc()
            if row.problem:
                metrics.DEAD_LETTERS.labels("intake").inc()
                log.error(
                    "intake.dead_letter",
                    reason=row.problem.reason,
                    topic=row.place[0],
                    partition=row.place[1],
                    offset=row.offset,
                )
        return tasks

    def _insert_messages(
        self, incoming: Sequence[InboundMessage], cluster_id: str
    ) -> dict[tuple[Place, int], int]:
        rows: list[dict[str, object]] = []
        values = bytearray()
        for row in incoming:
            topic, partition = row.place
            # A dead letter holds the bytes itself.
            value = None if row.problem else row.value
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
                    "value_length": None if value is None else len(value),
                    "content_hash": row.content_hash.hex(),
                    "occurred_at": row.occurred_at,
                    "user_id": row.user_id,
                }
            )
            values += value or b""
        with connection.cursor() as cursor:
            cursor.execute(
                _INSERT_MESSAGES,
                {
                    "cluster": cluster_id,
                    "values": bytes(values),
                    "rows": to_json(rows).decode(),
                },
            )
            return {
                ((topic, partition), offset): message_id
                for message_id, topic, partition, offset in cursor.fetchall()
            }

    def _check_content(self, known: Sequence[InboundMessage], cluster_id: str) -> None:
        """Raises _LogRestarted where a stored offset holds another message than this one."""
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
                raise _LogRestarted((topic, partition))

    def _remember_ends(self, incoming: Sequence[InboundMessage], cluster_id: str) -> None:
        ends: dict[Place, int] = {}
        for row in incoming:
            ends[row.place] = max(ends.get(row.place, 0), row.offset + 1)
        places = sorted(ends)
        with connection.cursor() as cursor:
            cursor.execute(
                _REMEMBER_ENDS,
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
        self._resumed_from[place] = known.next_offset
        if known.next_offset > self._high_watermark(*place):
            self._begin_epoch(place, "log_end")
        return self._epochs[place]

    def _begin_epoch(self, place: Place, seen_by: str) -> None:
        self._epochs[place] += 1
        self._resumed_from.pop(place, None)
        metrics.INBOX_NEW_EPOCHS.labels(place[0]).inc()
        log.error(
            "inbox.log_began_anew",
            topic=place[0],
            partition=place[1],
            epoch=self._epochs[place],
            seen_by=seen_by,
        )


def _dead_letter(row: InboundMessage) -> DeadLetter:
    assert row.problem is not None
    return DeadLetter(
        source=DeadLetter.Source.INTAKE,
        reason=row.problem.reason,
        detail=as_text(row.problem.detail.encode("utf-8", "replace"), limit=1000),
        topic=row.place[0],
        partition=row.place[1],
        offset=row.offset,
        key=row.raw_key,
        value=row.value,
        headers=[
            [as_text(name.encode("utf-8", "replace")), b64encode(content or b"").decode()]
            for name, content in row.headers
        ],
        occurred_at=row.occurred_at,
        user_id=row.user_id,
    )


def _without_the_erased(incoming: Sequence[InboundMessage]) -> list[InboundMessage]:
    """What comes late of users whose data were erased is known, holds nothing and owes nothing."""
    erased = erased_users.among(row.user_id for row in incoming)
    return [
        row.without_texts() if row.user_id in erased and row.key != EraseUser.key else row
        for row in incoming
    ]


def _without_the_forged(incoming: Sequence[InboundMessage]) -> list[InboundMessage]:
    """Who tells of an id that was issued here to somebody else is refused."""
    owners = issuers.owners(row.subject for row in incoming if row.subject and row.tasks)
    return [
        row.refused("owner_conflict")
        if row.tasks and row.subject and owners.get(row.subject, row.user_id) != row.user_id
        else row
        for row in incoming
    ]


def _insert_tasks(wanted: Sequence[tuple[int, str]]) -> dict[str, list[int]]:
    by_name: dict[str, list[int]] = defaultdict(list)
    if not wanted:
        return by_name
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_TASKS,
            {
                "messages": [message_id for message_id, _ in wanted],
                "names": [name for _, name in wanted],
            },
        )
        for task_id, name in cursor.fetchall():
            by_name[name].append(task_id)
    return by_name
