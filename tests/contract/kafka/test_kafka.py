"""What the system asks of a broker: the same on the embedded one and on an Apache Kafka."""

import threading

import pytest
from confluent_kafka import TopicPartition
from django.db import OperationalError, connection

from kafka_bridge.contract import codec
from kafka_bridge.contract.events import NewResume
from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.inbox.store import Inbox
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, OutboxMessage
from kafka_bridge.outbox.relay import Relay
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import (
    consume,
    enqueue,
    ids_of,
    new_consumer,
    produce,
    produce_with_header_name,
    running,
    take,
    wait_until,
)

pytestmark = pytest.mark.django_db(transaction=True)


def resumes(*ids: int) -> list[tuple[bytes, bytes]]:
    return [(b"new_resume", codec.encode(resume(n))) for n in ids]


def test_what_is_produced_is_consumed_in_order_with_its_key_headers_and_timestamp(own_topics):
    topic = own_topics["sending"]
    headers = [("event_id", b"e-1"), ("empty", b""), ("bytes", b"\x00\xff")]
    produce(topic, (b"k", b"1"), (b"k", b"2"), (b"k", None), headers=headers)
    got = consume(topic, 3)
    assert [message.value() for message in got] == [b"1", b"2", None]
    assert [message.offset() for message in got] == [0, 1, 2]
    assert got[0].key() == b"k"
    assert got[0].headers() == headers
    assert got[0].timestamp()[1] > 1_700_000_000_000


@pytest.mark.slow
def test_a_committed_offset_is_where_the_group_goes_on(own_topics):
    topic = own_topics["sending"]
    produce(topic, *[(b"k", str(n).encode()) for n in range(6)])
    first = new_consumer("g" + topic)
    first.subscribe([topic])
    got = take(first, 4)
    first.commit(offsets=[TopicPartition(topic, 0, got[-1].offset() + 1)], asynchronous=False)
    first.close()

    second = new_consumer("g" + topic)
    second.subscribe([topic])
    assert [message.value() for message in take(second, 2)] == [b"4", b"5"]
    assert second.committed([TopicPartition(topic, 0)], timeout=10)[0].offset == 4
    second.close()


@pytest.mark.slow
def test_what_was_not_committed_is_delivered_again(own_topics):
    topic = own_topics["sending"]
    produce(topic, *[(b"k", str(n).encode()) for n in range(3)])
    for _ in range(2):
        consumer = new_consumer("g" + topic)
        consumer.subscribe([topic])
        assert [message.value() for message in take(consumer, 3)] == [b"0", b"1", b"2"]
        consumer.close()


@pytest.mark.slow
def test_two_members_share_the_partitions_and_one_that_leaves_gives_them_back(own_topics):
    topic = own_topics["sending"]
    members = [
        new_consumer("g" + topic, **{"partition.assignment.strategy": "cooperative-sticky"})
        for _ in range(2)
    ]
    shares = [0, 0]

    def poll() -> list[int]:
        for n, member in enumerate(members):
            member.poll(0.05)
            shares[n] = len(member.assignment())
        return shares

    for member in members:
        member.subscribe([topic])
    wait_until(lambda: poll() == [2, 2])
    members.pop().close()
    wait_until(lambda: poll()[0] == 4)
    members.pop().close()


@pytest.mark.slow
def test_a_members_sudden_end_gives_its_partitions_to_the_other(own_topics, handlers, settings):
    """A thread that stops polling without leaving is, to the group, a dead process."""
    topic = own_topics["uploading_data"]
    silent = new_consumer(
        settings.KAFKA_GROUP_ID, **{"session.timeout.ms": 6_000, "max.poll.interval.ms": 6_000}
    )
    silent.subscribe([topic])
    wait_until(lambda: silent.poll(0.1) or len(silent.assignment()) == 4)
    produce(topic, *resumes(1, 2))
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 2, seconds=60)
    # The client may wait for ever for its own thread when it leaves a group that has given it up.
    threading.Thread(target=silent.close, daemon=True).start()


def test_poison_between_good_events_stops_nothing(own_topics, handlers):
    produce(
        own_topics["uploading_data"],
        (b"new_resume", codec.encode(resume(1))),
        (b"new_resume", b"\x00\xff not json"),
        (b"nonsense", b"{}"),
        (b"new_resume", None),
        (b"new_resume", codec.encode(resume(2))),
    )
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 5)
    assert MessageTask.objects.count() == 2
    assert sorted(DeadLetter.objects.values_list("reason", flat=True)) == [
        "not_json",
        "not_json",
        "unknown_key",
    ]


def test_a_message_without_headers_is_as_good(own_topics, handlers):
    produce(own_topics["uploading_data"], *resumes(1))
    produce(own_topics["uploading_data"], *resumes(2), headers=[("event_id", b"e-2")])
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 2)
    assert list(InboxMessage.objects.order_by("offset").values_list("event_id", flat=True)) == [
        "",
        "e-2",
    ]


def test_a_header_name_that_is_no_text_costs_the_headers_and_not_the_event(
    own_topics, handlers, monkeypatch
):
    whole, calls = Inbox._store_batch, []

    def away_at_first(self, incoming, cluster_id):
        calls.append(1)
        if len(calls) == 1:  # so that the message is read a second time
            raise OperationalError
        return whole(self, incoming, cluster_id)

    monkeypatch.setattr(Inbox, "_store_batch", away_at_first)
    topic = own_topics["uploading_data"]
    # Often enough for the interpreter to take its fast paths.
    for number in range(1, 41):
        event = codec.encode(resume(number))
        produce_with_header_name(topic, b"new_resume", event, b"\xff\xfe\x80")
    with running(Intake):
        wait_until(lambda: MessageTask.objects.count() == 40)
    assert not DeadLetter.objects.exists()


def test_one_users_events_arrive_in_the_order_of_their_commits(own_topics, handlers):
    with running(Relay):
        for start in range(0, 60, 6):
            enqueue(*[resume(start + n + 1, user_id=1 + n % 3) for n in range(6)])
        wait_until(lambda: not OutboxMessage.objects.exists())
    seen: dict[int, list[int]] = {}
    for message in consume(own_topics["uploading_data"], 60):
        event = codec.decode("uploading_data", message.key(), message.value())
        assert isinstance(event, NewResume)
        seen.setdefault(event.user_id, []).append(event.resume_id)
    assert sum(map(len, seen.values())) == 60
    assert all(ids == sorted(ids) for ids in seen.values())


@pytest.mark.slow
def test_several_bridges_take_each_message_once_while_they_come_and_go(own_topics, handlers):
    topic = own_topics["uploading_data"]
    stop = threading.Event()

    def keep_producing() -> None:
        for n in range(400):
            produce_one(topic, n)
            stop.wait(0.01)

    def produce_one(topic: str, n: int) -> None:
        produce(topic, *resumes(n + 1), partition=n % 4)

    producer = threading.Thread(target=keep_producing)
    with running(Intake):
        producer.start()
        with running(Intake):
            wait_until(lambda: InboxMessage.objects.count() > 50)
            with running(Intake):
                wait_until(lambda: InboxMessage.objects.count() > 100)
        producer.join()
        wait_until(lambda: InboxMessage.objects.count() >= 400)
    assert ids_of(InboxMessage.objects.values_list("value", flat=True)) == list(range(1, 401))
    assert set(InboxMessage.objects.values_list("epoch", flat=True)) == {0}
    connection.close()
