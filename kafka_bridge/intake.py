"""Kafka -> inbox -> offsets -> wake-ups.

A batch is stored in one transaction, with a task row per handler; only then are its offsets
committed, and only then is Celery told. Killed at any line, it loses nothing: what was stored is
recognised when it comes again, what was not comes again.
"""

import threading
from collections.abc import Sequence
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from kafka_bridge import inbox, metrics, wakeups
from kafka_bridge.failures import describe

log = structlog.get_logger(__name__)

MAX_BATCH = 500
MAX_BACKOFF_SECONDS = 5.0


class Intake:
    """One consumer of the group. `run` returns when `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._topics = {physical: logical for logical, physical in settings.KAFKA_TOPICS.items()}
        self._inbox = inbox.Inbox(topics=self._topics, high_watermark=self._high_watermark)
        self._cluster = ""
        self._next_offsets: dict[inbox.Place, int] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
                "group.id": settings.KAFKA_GROUP_ID,
                "client.id": "resume-platform-intake",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "fetch.wait.max.ms": settings.KAFKA_FETCH_WAIT_MAX_MS,
                "session.timeout.ms": settings.KAFKA_SESSION_TIMEOUT_MS,
                "heartbeat.interval.ms": settings.KAFKA_SESSION_TIMEOUT_MS // 4,
                "topic.metadata.refresh.interval.ms": 10_000,
                "error_cb": self._on_error,
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
                batch = self._poll()
                if batch:
                    self._take(batch)
        finally:
            self._consumer.close()
            connection.close()

    def _poll(self) -> list[Message]:
        # `consume` waits until it has all it was asked for, so the first message is polled alone.
        first = self._consumer.poll(0.5)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(MAX_BATCH - 1, timeout=0)]
        return [message for message in messages if self._is_message(message)]

    def _is_message(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.fatal():
            raise KafkaException(error)
        if error.code() != KafkaError._PARTITION_EOF:
            log.warning("intake.kafka_error", error=error.name())
        return False

    def _take(self, messages: Sequence[Message]) -> None:
        self._watch_for_gaps(messages)
        stored = self._store(messages)
        if stored is None:
            return  # stopped before the database came back: nothing is committed, all comes again
        self._commit(messages)
        for name, ids in stored.items():
            wakeups.wake(name, ids)

    def _store(self, messages: Sequence[Message]) -> dict[str, list[int]] | None:
        """Store the batch, however long the database is away; membership is kept meanwhile."""
        backoff, paused = 0.2, False
        while True:
            try:
                stored = self._inbox.store(messages, cluster_id=self._cluster_id())
            except (OperationalError, InterfaceError, KafkaException) as error:
                log.warning("intake.paused", error=describe(error))
                connection.close()
                if not paused:
                    self._consumer.pause(self._consumer.assignment())
                    paused = True
                if self._stop.wait(backoff):
                    return None
                self._keep_membership()
                backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)
            else:
                if paused:
                    self._consumer.resume(self._consumer.assignment())
                return stored

    def _keep_membership(self) -> None:
        """Serve the group while paused; what a fresh assignment brings is put back."""
        message = self._consumer.poll(0)
        if message is not None and message.error() is None:
            (topic, partition), offset = inbox.position(message)
            self._consumer.seek(TopicPartition(topic, partition, offset))
            self._consumer.pause([TopicPartition(topic, partition)])

    def _commit(self, messages: Sequence[Message]) -> None:
        ends: dict[inbox.Place, int] = {}
        for message in messages:
            place, offset = inbox.position(message)
            ends[place] = max(ends.get(place, 0), offset + 1)
        try:
            self._consumer.commit(
                offsets=[TopicPartition(*place, offset) for place, offset in ends.items()],
                asynchronous=False,
            )
        except KafkaException as error:
            # The identity in the inbox makes a redelivery harmless.
            log.warning("intake.commit_failed", error=error.args[0].name())

    def _watch_for_gaps(self, messages: Sequence[Message]) -> None:
        for message in messages:
            place, offset = inbox.position(message)
            expected = self._next_offsets.get(place, offset)
            if offset > expected:
                metrics.INBOX_OFFSET_GAPS.labels(place[0]).inc(offset - expected)
                log.error(
                    "intake.offset_gap",
                    topic=place[0],
                    partition=place[1],
                    expected=expected,
                    got=offset,
                )
            elif offset < expected:
                self._inbox.forget(*place)  # counts backwards: look at the log anew
            self._next_offsets[place] = offset + 1

    def _cluster_id(self) -> str:
        if not self._cluster:
            self._cluster = self._consumer.list_topics(timeout=10).cluster_id or "unknown"
        return self._cluster

    def _high_watermark(self, topic: str, partition: int) -> int:
        place = TopicPartition(topic, partition)
        return int(self._consumer.get_watermark_offsets(place, timeout=10)[1])

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._cluster = ""
        self._forget(partitions)
        log.info("intake.assigned", partitions=len(partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Each batch is stored and committed before the next poll, so there is nothing in hand.
        self._forget(partitions)
        log.info("intake.revoked", partitions=len(partitions))

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._forget(partitions)
        log.warning("intake.lost", partitions=len(partitions))

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        for place in partitions:
            self._next_offsets.pop((place.topic, place.partition), None)
            self._inbox.forget(place.topic, place.partition)

    def _on_error(self, error: Any) -> None:
        log.warning("intake.broker_error", error=error.name())
