"""Replay from Kafka itself: what its log still holds is brought into the inbox and done again.

Only what the intake has passed (the group's committed offsets) is read: what lies beyond will come
by itself, with all of its handlers, and must not be known to the inbox before.
"""

import dataclasses
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.conf import settings
from django.db import transaction

from kafka_bridge.contract import codec
from kafka_bridge.contract import erased_users as erased
from kafka_bridge.contract.events import EraseUser
from kafka_bridge.contract.message import InboundMessage, position
from kafka_bridge.dead_letters import replay
from kafka_bridge.inbox.store import Inbox
from kafka_bridge.models import InboxMessage

TIMEOUT = 10.0
BATCH_SIZE = 500


@dataclasses.dataclass(frozen=True)
class Range:
    """Offsets of one partition, the end excluded."""

    topic: str
    partition: int
    start: int
    end: int

    def __len__(self) -> int:
        return max(0, self.end - self.start)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which messages: None is no limit. Times are those of the messages."""

    keys: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, message: Message) -> bool:
        key, (_, milliseconds) = message.key(), message.timestamp()
        name = key.decode(errors="replace") if isinstance(key, bytes) else key
        return (
            (self.keys is None or name in self.keys)
            and (self.since is None or milliseconds >= self.since.timestamp() * 1000)
            and (self.until is None or milliseconds <= self.until.timestamp() * 1000)
        )


class _TasklessInbox(Inbox):
    """Remembers messages without owing any handler anything: the replay says who does what."""

    def _read(self, message: Message) -> InboundMessage:
        return dataclasses.replace(super()._read(message), tasks=())


class LogReplay:
    """Use as a context manager. Reads beside the group of the intake and moves nothing of it."""

    def __init__(self) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
                "group.id": settings.KAFKA_GROUP_ID,
                "client.id": "resume-platform-replay",
                "logger": logging.getLogger("librdkafka"),
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": settings.KAFKA_FETCH_WAIT_MAX_MS,
            }
        )
        self._inbox = _TasklessInbox(
            topics={physical: logical for logical, physical in settings.KAFKA_TOPICS.items()},
            high_watermark=lambda topic, partition: self._watermarks(topic, partition)[1],
        )

    def __enter__(self) -> "LogReplay":
        return self

    def __exit__(self, *details: object) -> None:
        self._consumer.close()

    def ranges(
        self,
        *,
        topics: Sequence[str],
        partitions: Collection[int] | None = None,
        since: datetime | None = None,
        from_offset: int | None = None,
        to_offset: int | None = None,
    ) -> list[Range]:
        """What there is to read. Raises KafkaException when the broker is away."""
        found = []
        for topic in topics:
            metadata = self._consumer.list_topics(topic, timeout=TIMEOUT).topics[topic]
            for partition in sorted(metadata.partitions):
                if partitions is None or partition in partitions:
                    found.append(self._range(topic, partition, since, from_offset, to_offset))
        return [one for one in found if len(one)]

    def _range(
        self,
        topic: str,
        partition: int,
        since: datetime | None,
        from_offset: int | None,
        to_offset: int | None,
    ) -> Range:
        low, high = self._watermarks(topic, partition)
        [committed] = self._consumer.committed([TopicPartition(topic, partition)], timeout=TIMEOUT)
        end = min(high, committed.offset if committed.offset >= 0 else low)
        if to_offset is not None:
            end = min(end, to_offset)
        start = max(low, from_offset or 0)
        if since is not None:
            first = self._first_since(topic, partition, int(since.timestamp() * 1000))
            start = max(start, end if first is None else first)
        return Range(topic, partition, start, end)

    def _first_since(self, topic: str, partition: int, milliseconds: int) -> int | None:
        """The first offset from that time on, None if all are older."""
        for asked in (milliseconds, 1):
            place = TopicPartition(topic, partition, asked)
            [found] = self._consumer.offsets_for_times([place], timeout=TIMEOUT)
            if found.offset >= 0:
                return int(found.offset) if asked == milliseconds else None
        return 0  # the embedded broker cannot search by time: all is read, `Wanted` decides

    def run(
        self,
        ranges: Sequence[Range],
        *,
        wanted: Wanted,
        handlers: Collection[str],
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda offsets: None,
    ) -> tuple[int, int]:
        """(messages, task rows) that were, or with `dry_run` would be, done again.

        The count of rows is 0 in a dry run. `progress` hears of every offset that was passed.
        """
        cluster_id = self._consumer.list_topics(timeout=TIMEOUT).cluster_id or "unknown"
        messages = rows = 0
        for one in ranges:
            at = one.start
            for batch in self._batches(one):
                chosen = [message for message in batch if wanted.takes(message)]
                messages += len(chosen)
                if chosen and not dry_run:
                    rows += self._replay(chosen, cluster_id, handlers)
                passed = position(batch[-1])[1] + 1
                progress(passed - at)
                at = passed
            progress(one.end - at)
        return messages, rows

    def _batches(self, one: Range) -> Iterator[list[Message]]:
        self._consumer.assign([TopicPartition(one.topic, one.partition, one.start)])
        ended = False
        while not ended:
            batch = []
            for message in self._consumer.consume(BATCH_SIZE, timeout=1.0):
                error = message.error()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    ended = True
                elif position(message)[1] < one.end:
                    batch.append(message)
                    ended = position(message)[1] == one.end - 1
                else:
                    ended = True
            if batch:
                yield batch
        self._consumer.unassign()

    def _replay(
        self, messages: Sequence[Message], cluster_id: str, handlers: Collection[str]
    ) -> int:
        with transaction.atomic():
            self._inbox.store(messages, cluster_id=cluster_id)
            [(topic, partition)] = {position(message)[0] for message in messages}
            values = {position(message)[1]: message.value() for message in messages}
            known: Mapping[int, InboxMessage] = {
                row.offset: row
                for row in InboxMessage.objects.filter(
                    cluster_id=cluster_id, topic=topic, partition=partition, offset__in=values
                ).order_by("epoch")
            }
            erased_users = erased.among(codec.user_of(value) or 0 for value in values.values())
            for offset, row in known.items():
                if codec.user_of(values[offset]) in erased_users and row.key != EraseUser.key:
                    continue
                if row.value is None and replay.owed_by(row.topic, row.key, handlers):
                    row.value = values[offset]
                    row.save(update_fields=["value"])
            return replay.replay_messages(list(known.values()), handlers)

    def _watermarks(self, topic: str, partition: int) -> tuple[int, int]:
        low, high = self._consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=TIMEOUT
        )
        return int(low), int(high)
