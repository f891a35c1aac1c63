"""The Kafka side of a measurement: producing as a neighbour would, and bare reading."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from devstack.errors import StackError

RESUME_BYTES = 1500
WAIT_SECONDS = 60.0
_WORDS = "Python, Django, PostgreSQL and Docker every day; led a team of four in Novosibirsk. "


def resumes(first: int, count: int, *, users: int = 500) -> Iterator[dict[str, Any]]:
    """`new_resume` events of about 1.5 kB, each text another."""
    for number in range(first, first + count):
        head = f"Applicant {number}. "
        text = head + (_WORDS * (RESUME_BYTES // len(_WORDS) + 1))[: RESUME_BYTES - len(head) - 80]
        yield {"resume_id": number, "user_id": number % users + 1, "resume": text}


def produce(servers: str, topic: str, key: str, events: Iterable[dict[str, Any]]) -> int:
    """As a neighbour does: the partition by the user, acknowledged by all; returns how many."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 5, "acks": "all"})
    partitions = len(producer.list_topics(topic, timeout=WAIT_SECONDS).topics[topic].partitions)
    failed: list[str] = []
    count = 0
    for count, event in enumerate(events, start=1):  # noqa: B007  the number is the result
        value = json.dumps(event, ensure_ascii=False).encode()
        partition = _user(event) % partitions
        while True:
            try:
                producer.produce(
                    topic,
                    value,
                    key.encode(),
                    partition=partition,
                    on_delivery=lambda error, _: failed.append(str(error)) if error else None,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    if producer.flush(WAIT_SECONDS) or failed:
        raise StackError(f"Kafka did not take all events: {failed[:1]}")
    return count


def _user(event: dict[str, Any]) -> int:
    return int(event["user_id"] if "user_id" in event else event["response"]["user_id"])


def ends(servers: str, topic: str) -> list[TopicPartition]:
    """Where each partition's log ends now."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "bench-ends"})
    try:
        partitions = consumer.list_topics(topic, timeout=WAIT_SECONDS).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in partitions]
        for place in places:
            place.offset = consumer.get_watermark_offsets(place, timeout=WAIT_SECONDS)[1]
        return places
    finally:
        consumer.close()


def consume(servers: str, starts: list[TopicPartition], count: int) -> float:
    """Seconds to read so many messages from these places on, from the first to the last."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "bench-raw", "enable.auto.commit": False}
    )
    try:
        consumer.assign(starts)
        got, began, deadline = 0, 0.0, time.monotonic() + WAIT_SECONDS
        while got < count:
            messages = [m for m in consumer.consume(500, timeout=0.1) if m.error() is None]
            if messages and not began:
                began = time.perf_counter()
            got += len(messages)
            if time.monotonic() > deadline:
                raise StackError(f"only {got} of {count} messages could be read.")
        return time.perf_counter() - began
    finally:
        consumer.close()
