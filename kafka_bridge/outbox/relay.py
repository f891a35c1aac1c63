"""Outbox -> Kafka: in order, one relay at a time, a row removed only after its delivery report.

A user's rows stay in order also when one of them fails: those behind it are not produced, or, where
they were on their way already, are kept and produced again behind it.

The lock, the LISTEN, the reads and the deletes share one direct connection (DATABASE_DIRECT_URL):
losing it means stepping down, and another bridge's relay takes over. A row that was produced but
not yet removed is produced again then, with the same event_id.
"""

import contextlib
import itertools
import logging
import select
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg2
import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from django.conf import settings

from kafka_bridge.outbox import NOTIFY_CHANNEL
from kafka_bridge.runtime.liveness import LoopLiveness
from kafka_bridge.runtime.token_bucket import TokenBucket
from resume_platform.observability import metrics, tracing
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
POLL_SECONDS = 1.0
STANDBY_SECONDS = 1.0
RETRY_SECONDS = 1.0
PARTITIONS_KNOWN_FOR_SECONDS = 60.0
METADATA_SECONDS = 5.0
DELIVERY_TIMEOUT_SECONDS = 30.0
STOP_SECONDS = 3.0
ADVISORY_LOCK = 7_036_201  # any constant that nothing else in this database uses

# What the broker will say again however often it is asked.
PERMANENT = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError._INVALID_ARG,
    }
)


@dataclass(frozen=True)
class Row:
    """One outbox row."""

    id: int
    event_id: str
    topic: str
    key: str
    partition_key: int
    value: memoryview
    traceparent: str
    request_id: str
    occurred_at: datetime


class Relay:
    """Runs until `stop` is set: on standby, or active while it holds the advisory lock."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.liveness = LoopLiveness()
        self._bucket = TokenBucket(full_round=BATCH_SIZE)
        self._producer = self._new_producer()
        self._partitions: dict[str, tuple[int, float]] = {}
        self._ask_again_at = 0.0
        self._retry_at: dict[int, float] = {}
        self._to_produce_alone: set[int] = set()
        """Rows the broker refused in a batch, which may have been another row's fault."""

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                with contextlib.closing(_connect()) as db:
                    db.autocommit = True
                    _notice_silence_soon(db)
                    if self._wait_for_lock(db):
                        log.info("relay.active")
                        metrics.RELAY_ACTIVE.set(1)
                        self._work(db)
            except psycopg2.Error as error:
                metrics.RELAY_ACTIVE.set(0)
                self.liveness.stop()
                log.warning("relay.database_away", error=describe(error))
                self._stop.wait(STANDBY_SECONDS)

    def _wait_for_lock(self, db: Any) -> bool:
        while not self._stop.is_set():
            if _query(db, "SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])[0][0]:
                return True
            self._stop.wait(STANDBY_SECONDS)
        return False

    def _work(self, db: Any) -> None:
        _execute(db, f"LISTEN {NOTIFY_CHANNEL}")
        while not self._stop.wait(self._bucket.wait()):
            self.liveness.mark()
            # Whoever commits from here on notifies anew.
            db.poll()
            db.notifies.clear()
            rows = self._read(db)
            self._bucket.charge(len(rows))
            self._relay(db, rows)
            # Notifications also come along with a statement's answer.
            if len(rows) < BATCH_SIZE and not (db.notifies or self._to_produce_alone):
                select.select([db], [], [], POLL_SECONDS)

    def _relay(self, db: Any, rows: Sequence[Row]) -> None:
        """Produce rows in their order."""
        self._to_produce_alone &= {row.id for row in rows}
        held: set[int] = set()
        for batch in _batches(rows, alone=self._to_produce_alone):
            self._produce(db, batch, held)

    def _read(self, db: Any) -> list[Row]:
        """The oldest rows, but for users whose last attempt failed just now."""
        now = time.monotonic()
        self._retry_at = {user: at for user, at in self._retry_at.items() if at > now}
        rows = _query(
            db,
            "SELECT id, event_id, topic, key, partition_key, value, traceparent, request_id,"
            " occurred_at FROM kafka_bridge_outboxmessage WHERE partition_key <> ALL(%s::bigint[])"
            " ORDER BY id LIMIT %s",
            [list(self._retry_at), BATCH_SIZE],
        )
        return [Row(*row) for row in rows]

    def _produce(self, db: Any, rows: Sequence[Row], held: set[int]) -> None:
        """Produce a batch and settle each row; none of users in `held`, to whom failures add."""
        reports: dict[int, KafkaError | None] = {}
        blocked, sent = set(held), []
        for row in rows:
            if row.partition_key not in blocked:
                sent.append(row)
                self._produce_one(row, reports)
                if reports.get(row.id) is not None:
                    blocked.add(row.partition_key)
        self._await(sent, reports)

        delivered, failed = [], []
        for row in sent:
            error = reports.get(row.id, KafkaError(KafkaError._TIMED_OUT))
            if error is None:
                if row.partition_key not in held:
                    delivered.append(row)
            elif error.code() in PERMANENT and len(rows) == 1:
                self._dead_letter(db, row, error)
            else:
                held.add(row.partition_key)
                failed.append(error)
                if error.code() in PERMANENT:
                    self._to_produce_alone.add(row.id)
                else:
                    self._retry_at[row.partition_key] = time.monotonic() + RETRY_SECONDS
        self._remove(db, delivered)
        if failed:
            log.warning("relay.not_delivered", rows=len(failed), error=failed[0].name())
        if any(error.fatal() for error in failed) or len(reports) < len(sent):
            self._producer = self._new_producer()

    def _await(self, rows: Sequence[Row], reports: dict[int, KafkaError | None]) -> None:
        deadline = time.monotonic() + DELIVERY_TIMEOUT_SECONDS * 1.5
        while len(reports) < len(rows) and time.monotonic() < deadline:
            self._producer.poll(0.05)
            if self._stop.is_set():
                deadline = min(deadline, time.monotonic() + STOP_SECONDS)

    def _remove(self, db: Any, rows: Sequence[Row]) -> None:
        if not rows:
            return
        _execute(
            db,
            "DELETE FROM kafka_bridge_outboxmessage WHERE id = ANY(%s)",
            [[row.id for row in rows]],
        )
        now = time.time()
        for row in rows:
            metrics.OUTBOX_PRODUCED.labels(row.topic).inc()
            metrics.OUTBOX_DELAY.observe(max(0.0, now - row.occurred_at.timestamp()))

    def _produce_one(self, row: Row, reports: dict[int, KafkaError | None]) -> None:
        span = tracing.span(f"send {row.topic}", kind="producer", parent=row.traceparent)

        def report(error: KafkaError | None, _message: Message) -> None:
            reports[row.id] = error
            if error is not None:
                span.fail(error.name())
            span.end()

        headers: list[tuple[str, str | bytes | None]] = [("event_id", str(row.event_id).encode())]
        if span.traceparent:
            headers.append(("traceparent", span.traceparent.encode()))
        if row.request_id:
            headers.append(("request_id", row.request_id.encode()))
        try:
            topic = settings.KAFKA_TOPICS[row.topic]
            self._producer.produce(
                topic,
                bytes(row.value),
                row.key.encode(),
                partition=row.partition_key % self._partition_count(topic),
                timestamp=int(row.occurred_at.timestamp() * 1000),
                headers=headers,
                on_delivery=report,
            )
        except KafkaException as error:
            reports[row.id] = error.args[0]
        except BufferError:
            reports[row.id] = KafkaError(KafkaError._QUEUE_FULL)
        except KeyError:
            reports[row.id] = KafkaError(KafkaError._INVALID_ARG)

    def _partition_count(self, topic: str) -> int:
        """How many partitions a topic has. Raises KafkaException while the cluster cannot say."""
        count, known_at = self._partitions.get(topic, (0, 0.0))
        if count and time.monotonic() - known_at < PARTITIONS_KNOWN_FOR_SECONDS:
            return count
        if time.monotonic() < self._ask_again_at:  # a batch does not wait once for each of its rows
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        try:
            metadata = self._producer.list_topics(topic, timeout=METADATA_SECONDS).topics[topic]
        except KafkaException:
            self._ask_again_at = time.monotonic() + STANDBY_SECONDS
            raise
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        count = len(metadata.partitions)
        self._partitions[topic] = (count, time.monotonic())
        return count

    def _dead_letter(self, db: Any, row: Row, error: KafkaError) -> None:
        """Move one row to the dead letters, so that it does not block those behind it."""
        _execute(
            db,
            """
            WITH gone AS (DELETE FROM kafka_bridge_outboxmessage WHERE id = %s RETURNING *)
            INSERT INTO kafka_bridge_deadletter
                (source, reason, detail, topic, key, value, headers, occurred_at, user_id,
                 created_at)
            SELECT 'outbox', %s, %s, topic, convert_to(key, 'UTF8'), value, '[]', occurred_at,
                   partition_key, clock_timestamp()
            FROM gone
            """,
            [row.id, error.name()[:100], f"event_id {row.event_id}"],
        )
        metrics.DEAD_LETTERS.labels("outbox").inc()
        log.error("relay.dead_letter", event_id=str(row.event_id), reason=error.name())

    def _new_producer(self) -> Producer:
        # Built in the process that uses it: librdkafka does not survive a fork.
        return Producer(
            {
                "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
                "client.id": "resume-platform-relay",
                "logger": logging.getLogger("librdkafka"),
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 0,
                "message.timeout.ms": int(DELIVERY_TIMEOUT_SECONDS * 1000),
                "error_cb": lambda error: log.warning("relay.broker_error", error=error.name()),
            }
        )


def _batches(rows: Sequence[Row], *, alone: Collection[int]) -> Iterator[list[Row]]:
    """The rows in their order, with each of `alone` in a batch of its own."""
    for is_alone, group in itertools.groupby(rows, key=lambda row: row.id in alone):
        if is_alone:
            yield from ([row] for row in group)
        else:
            yield list(group)


def _connect() -> Any:
    return psycopg2.connect(
        settings.DATABASE_DIRECT_URL, connect_timeout=5, keepalives_idle=5, keepalives_interval=2
    )


def _notice_silence_soon(db: Any) -> None:
    """Let PostgreSQL free the lock of a host that vanished; by default it takes two hours."""
    for name, seconds in (("idle", 5), ("interval", 2), ("count", 3)):
        _execute(db, f"SET tcp_keepalives_{name} = {seconds}")


def _query(db: Any, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    with db.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _execute(db: Any, sql: str, parameters: Sequence[Any] = ()) -> None:
    with db.cursor() as cursor:
        cursor.execute(sql, parameters)
