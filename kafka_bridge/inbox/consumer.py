"""Kafka -> inbox -> wake-ups and offsets.

A batch is stored in one transaction, with a task row per handler; only then is Celery told, by a
thread of its own, while the offsets are committed. Killed at any line, it loses nothing: what was
stored is recognised when it comes again, what was not comes again. While the database is away or
hangs it pauses, stays in the group and tries again; while Redis is away it goes on, and the
dispatcher tells Celery.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from kafka_bridge.contract.message import Place, position
from kafka_bridge.dispatch.wakeup_thread import WakeupThread
from kafka_bridge.inbox.lag import STATISTICS_MS, note_lag
from kafka_bridge.inbox.store import Inbox
from kafka_bridge.runtime.database_deadline import DatabaseDeadline
from kafka_bridge.runtime.liveness import LoopLiveness
from kafka_bridge.runtime.token_bucket import TokenBucket
from resume_platform.observability import metrics
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

MAX_BATCH = 500
FIRST_BACKOFF_SECONDS = 0.2
MAX_BACKOFF_SECONDS = 2.0


class Intake:
    """One consumer of the group. `run` returns when `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.liveness = LoopLiveness()
        self._bucket = TokenBucket(full_round=MAX_BATCH)
        self._topics = {physical: logical for logical, physical in settings.KAFKA_TOPICS.items()}
        self._inbox = Inbox(topics=self._topics, high_watermark=self._high_watermark)
        self._wakeups = WakeupThread()
        self._deadline = DatabaseDeadline(settings.DATABASE_ANSWER_SECONDS)
        self._batch: list[Message] = []
        """Taken from Kafka, not yet stored and committed."""
        self._is_paused = False
        self._cluster = ""
        self._next_offsets: dict[Place, int] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
                "group.id": settings.KAFKA_GROUP_ID,
                "client.id": "resume-platform-intake",
                "logger": logging.getLogger("librdkafka"),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "fetch.wait.max.ms": settings.KAFKA_FETCH_WAIT_MAX_MS,
                "session.timeout.ms": settings.KAFKA_SESSION_TIMEOUT_MS,
                "heartbeat.interval.ms": settings.KAFKA_SESSION_TIMEOUT_MS // 4,
                "topic.metadata.refresh.interval.ms": 10_000,
                "error_cb": self._on_error,
                "statistics.interval.ms": STATISTICS_MS,
                "stats_cb": note_lag,
            }
        )

    def run(self) -> None:
        self._consumer.subscribe(
            list(self._topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        try:
            while not self._stop.is_set():
                self._poll()
                self._store_with_retries()
                if self._consumer.assignment():
                    self.liveness.mark()
        finally:
            self._consumer.close()  # revokes: what is in hand is settled, if it can be
            self._wakeups.close()
            self._deadline.close()
            connection.close()

    # --- taking -----------------------------------------------------------------------------

    def _poll(self) -> None:
        # `consume` waits until it has all it was asked for, so the first message is polled alone.
        self._take(self._consumer.poll(0.5))
        if self._batch:
            self._stop.wait(self._bucket.wait())
            for message in self._consumer.consume(MAX_BATCH - 1, timeout=0):
                self._take(message)
        self._bucket.charge(len(self._batch))

    def _take(self, message: Message | None) -> None:
        if message is None:
            return
        error = message.error()
        if error is None:
            self._batch.append(message)
        elif error.fatal():
            raise KafkaException(error)
        elif error.code() != KafkaError._PARTITION_EOF:
            log.warning("intake.kafka_error", error=error.name())

    def _store_with_retries(self) -> None:
        """Settle what is in hand, however long the database is away; membership is kept."""
        backoff = FIRST_BACKOFF_SECONDS
        while self._batch and not self._store_and_commit():
            self._pause()
            if self._stop.wait(backoff):
                return
            self._take(self._consumer.poll(0))  # serves the group; paused, it brings no message
            backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)
        self._resume()

    def _store_and_commit(self) -> bool:
        """Store what is in hand, have Celery told, commit the offsets; False if that failed."""
        messages = self._batch
        try:
            self._check_for_restarted_logs(messages)
            cluster_id = self._cluster_id()
            with self._deadline:
                stored = self._inbox.store(messages, cluster_id=cluster_id)
        except (OperationalError, InterfaceError, KafkaException) as error:
            log.warning("intake.not_stored", messages=len(messages), error=describe(error))
            connection.close()
            return False
        self._batch = []
        self._wakeups.wake(stored)
        self._watch_for_gaps(messages)
        self._commit(messages)
        return True

    def _commit(self, messages: Sequence[Message]) -> None:
        ends: dict[Place, int] = {}
        for message in messages:
            place, offset = position(message)
            ends[place] = max(ends.get(place, 0), offset + 1)
        try:
            self._consumer.commit(
                offsets=[TopicPartition(*place, offset) for place, offset in ends.items()],
                asynchronous=False,
            )
        except KafkaException as error:
            # The identity in the inbox makes a redelivery harmless.
            log.warning("intake.commit_failed", error=error.args[0].name())

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._consumer.pause(self._consumer.assignment())
            log.warning("intake.paused")

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._consumer.resume(self._consumer.assignment())
            log.info("intake.resumed")

    # --- the logs ---------------------------------------------------------------------------

    def _check_for_restarted_logs(self, messages: Sequence[Message]) -> None:
        """A log that counts backwards may have begun anew."""
        for message in messages:
            place, offset = position(message)
            if offset < self._next_offsets.get(place, 0):
                del self._next_offsets[place]
                self._inbox.forget(*place)

    def _watch_for_gaps(self, messages: Sequence[Message]) -> None:
        """Alarms for what Kafka dropped before it was taken, also while no bridge ran."""
        for message in messages:
            place, offset = position(message)
            expected = self._next_offsets.get(place)
            if expected is None:
                expected = self._inbox.resumed_from(*place)
            if expected is not None and offset > expected:
                metrics.INBOX_OFFSET_GAPS.labels(place[0]).inc(offset - expected)
                log.error(
                    "intake.offset_gap",
                    topic=place[0],
                    partition=place[1],
                    expected=expected,
                    got=offset,
                )
            self._next_offsets[place] = offset + 1

    def _cluster_id(self) -> str:
        if not self._cluster:
            self._cluster = self._consumer.list_topics(timeout=10).cluster_id or "unknown"
        return self._cluster

    def _high_watermark(self, topic: str, partition: int) -> int:
        place = TopicPartition(topic, partition)
        return int(self._consumer.get_watermark_offsets(place, timeout=10)[1])

    # --- the group --------------------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._cluster = ""
        self._forget(partitions)
        if self._is_paused:
            consumer.incremental_assign(partitions)
            consumer.pause(partitions)
        log.info("intake.assigned", partitions=len(partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._batch and not self._store_and_commit():
            self._drop(partitions)  # their next owner gets them again
        self._forget(partitions)
        log.info("intake.revoked", partitions=len(partitions))

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Somebody else may have them already: nothing of them is committed.
        self._drop(partitions)
        self._forget(partitions)
        log.warning("intake.lost", partitions=len(partitions))

    def _drop(self, partitions: Sequence[TopicPartition]) -> None:
        gone = {(place.topic, place.partition) for place in partitions}
        self._batch = [m for m in self._batch if (m.topic(), m.partition()) not in gone]

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        for place in partitions:
            self._next_offsets.pop((place.topic, place.partition), None)
            self._inbox.forget(place.topic, place.partition)

    def _on_error(self, error: Any) -> None:
        log.warning("intake.broker_error", error=error.name())
