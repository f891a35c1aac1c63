"""Relay and intake against a broker: nothing lost, nothing twice, nothing blocked."""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg2
import pytest
from confluent_kafka import Consumer, Producer
from django.conf import settings as django_settings
from django.db import connection, transaction

from kafka_bridge import codec, outbox
from kafka_bridge.events import EVENTS, NewResume
from kafka_bridge.intake import Intake
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, OutboxMessage
from kafka_bridge.relay import ADVISORY_LOCK, Relay
from tests.kafka_bridge.conftest import resume

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def own_topics(settings) -> dict[str, str]:
    """Topics and a group of this test's own, on the shared broker and the test's database."""
    suffix = uuid.uuid4().hex[:8]
    settings.KAFKA_TOPICS = {name: f"{name}-{suffix}" for name in settings.KAFKA_TOPICS}
    settings.KAFKA_GROUP_ID = f"group-{suffix}"
    settings.KAFKA_SESSION_TIMEOUT_MS = 6_000
    settings.DATABASE_DIRECT_URL = test_database_url()
    create_topics(settings.KAFKA_BOOTSTRAP_SERVERS, settings.KAFKA_TOPICS.values())
    return settings.KAFKA_TOPICS


def test_database_url() -> str:
    return psycopg2.extensions.make_dsn(
        django_settings.DATABASE_URL, dbname=connection.settings_dict["NAME"]
    )


test_database_url.__test__ = False  # type: ignore[attr-defined]


def create_topics(bootstrap: str, names) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for name in names:
        wait_until(lambda name=name: producer.list_topics(name, timeout=5).topics[name].partitions)


@contextlib.contextmanager
def running(part_class) -> Iterator[threading.Event]:
    """Run a part of the bridge in a thread of its own until the block ends."""
    stop = threading.Event()

    def run() -> None:
        try:
            part_class(stop).run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def consume(topic: str, count: int) -> list:
    consumer = Consumer(
        {
            "bootstrap.servers": django_settings.KAFKA_BOOTSTRAP_SERVERS,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        }
    )
    consumer.subscribe([topic])
    got: list = []
    deadline = time.monotonic() + 30
    while len(got) < count and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            got.append(message)
    consumer.close()
    return got


def enqueue(*events) -> None:
    with transaction.atomic():
        for event in events:
            outbox.enqueue(event)


def produce(topic: str, *values: tuple[bytes, bytes], bootstrap: str | None = None) -> None:
    producer = Producer({"bootstrap.servers": bootstrap or django_settings.KAFKA_BOOTSTRAP_SERVERS})
    for key, value in values:
        producer.produce(topic, value, key, partition=0)
    assert producer.flush(10) == 0


def test_committed_events_arrive_in_order_per_user_and_rolled_back_ones_never(own_topics):
    with running(Relay):
        with contextlib.suppress(RuntimeError), transaction.atomic():
            outbox.enqueue(resume(99))
            raise RuntimeError
        before = datetime.now(UTC)
        enqueue(*[resume(n, user_id=1 + n % 3) for n in range(1, 31)])
        wait_until(lambda: not OutboxMessage.objects.exists())

    messages = consume(own_topics["uploading_data"], 30)
    seen: dict[int, list[int]] = {}
    for message in messages:
        event = codec.decode("uploading_data", message.key(), message.value())
        assert isinstance(event, NewResume)
        seen.setdefault(event.user_id, []).append(event.resume_id)
        assert message.key() == b"new_resume"
        assert uuid.UUID(dict(message.headers())["event_id"].decode())
        assert abs(message.timestamp()[1] / 1000 - before.timestamp()) < 5
    assert sorted(n for ids in seen.values() for n in ids) == list(range(1, 31))
    assert all(ids == sorted(ids) for ids in seen.values())
    assert {m.partition() for m in messages if b'"user_id":1,' in m.value()} == {1}


def test_a_row_the_broker_will_never_take_becomes_a_dead_letter_and_blocks_nothing(own_topics):
    enqueue(resume(1), resume(2, text="x" * 1_500_000), resume(3))
    with running(Relay):
        wait_until(lambda: not OutboxMessage.objects.exists())
    assert len(consume(own_topics["uploading_data"], 2)) == 2
    letter = DeadLetter.objects.get()
    assert (letter.source, letter.reason) == ("outbox", "MSG_SIZE_TOO_LARGE")
    assert b"xxx" in bytes(letter.value)


def test_a_relay_that_loses_its_connection_steps_down_and_the_standby_takes_over(own_topics):
    def holders() -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted",
                [ADVISORY_LOCK],
            )
            return [row[0] for row in cursor.fetchall()]

    with running(Relay), running(Relay):
        wait_until(holders)
        [first] = holders()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [first])
        wait_until(lambda: holders() and holders() != [first])
        enqueue(resume(1))
        wait_until(lambda: not OutboxMessage.objects.exists())
    assert len(consume(own_topics["uploading_data"], 1)) == 1


class KilledBeforeTheOffsets(Intake):
    """Dies at the line between the inbox's commit and the offsets' commit."""

    def _commit(self, messages) -> None:
        raise SystemExit


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bridge_killed_between_inbox_and_offsets_takes_nothing_twice(own_topics, handlers):
    produce(
        own_topics["uploading_data"],
        *[(b"new_resume", codec.encode(resume(n))) for n in range(1, 21)],
    )
    with running(KilledBeforeTheOffsets):
        wait_until(lambda: InboxMessage.objects.exists())
    assert InboxMessage.objects.count() > 0

    produce(own_topics["uploading_data"], (b"new_resume", codec.encode(resume(21))))
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() >= 21)
    assert InboxMessage.objects.count() == MessageTask.objects.count() == 21


def test_a_broker_that_lost_its_log_gives_new_events_and_none_is_an_old_one(settings, handlers):
    for cluster in range(2):  # two brokers, each counting from 0
        broker = Producer({"bootstrap.servers": "-", "test.mock.num.brokers": 1})
        address = next(iter(broker.list_topics(timeout=10).brokers.values()))
        settings.KAFKA_BOOTSTRAP_SERVERS = f"{address.host}:{address.port}"
        create_topics(settings.KAFKA_BOOTSTRAP_SERVERS, settings.KAFKA_TOPICS.values())
        produce(
            settings.KAFKA_TOPICS["uploading_data"],
            *[(b"new_resume", codec.encode(resume(100 * cluster + n))) for n in range(1, 6)],
            bootstrap=settings.KAFKA_BOOTSTRAP_SERVERS,
        )
        with running(Intake):
            wait_until(lambda cluster=cluster: InboxMessage.objects.count() >= 5 * (cluster + 1))
        del broker
    ids = [json.loads(bytes(m.value))["resume_id"] for m in InboxMessage.objects.order_by("id")]
    assert sorted(ids) == [1, 2, 3, 4, 5, 101, 102, 103, 104, 105]
    assert MessageTask.objects.filter(state="pending").count() == 10


def test_poison_between_good_events_stops_nothing(own_topics, handlers):
    produce(
        own_topics["uploading_data"],
        (b"new_resume", codec.encode(resume(1))),
        (b"new_resume", b"\x00\xff not json"),
        (b"nonsense", b"{}"),
        (b"new_resume", codec.encode(resume(2))),
    )
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 4)
    assert MessageTask.objects.count() == 2
    assert set(DeadLetter.objects.values_list("reason", flat=True)) == {"not_json", "unknown_key"}


def test_every_event_of_the_contract_survives_the_wire():
    samples = {
        "new_user": {"user_id": 1, "username": "a@b.c", "full_name": None,
                     "created_at": "2025-01-02 03:04:05+03:00"},
        "new_resume": {"resume_id": 1, "user_id": 2, "resume": "Ёж"},
        "new_requirements": {"requirements_id": 1, "user_id": 2, "requirements": "x"},
        "delete_processing": {"processing_ids": [1, 2], "user_id": 3},
        "delete_requirements": {"processings_ids": [1], "requirements_ids": [2], "user_id": 3},
        "new_processing": {"processing_id": 1, "user_id": 2, "resume_id": 3, "requirements_id": 4,
                           "score": 85, "matches": ["Python"], "recommendation": "r",
                           "verdict": "v"},
        "new_request": {"callback_url": "http://x/", "processing_id": 1, "user_id": 2,
                        "resume_id": 3, "requirements_id": 4, "requirements": "q", "resume": "r"},
        "new_sending": {"success": False, "message_error": "late", "wait_seconds": 7,
                        "response": {"callback_url": "http://x/", "processing_id": 1, "user_id": 2,
                                     "resume_id": 3, "requirements_id": 4, "score": None,
                                     "matches": None, "recommendation": None, "verdict": None}},
    }  # fmt: skip
    samples["new_notifications"] = samples["new_sending"]
    assert len(EVENTS) == 9
    for model in EVENTS:
        sample = samples[model.key]
        event = codec.decode(model.topic, model.key.encode(), json.dumps(sample).encode())
        written = json.loads(codec.encode(event))
        assert written.keys() == sample.keys(), model.key
        assert codec.decode(model.topic, model.key.encode(), codec.encode(event)) == event
        if model.key != "new_user":
            assert written == sample


@pytest.mark.parametrize("spelling", ["processing_ids", "processings_ids"])
def test_both_spellings_of_the_ids_are_read(spelling):
    for key, extra in (
        (b"delete_processing", {}),
        (b"delete_requirements", {"requirements_ids": [9]}),
    ):
        body = json.dumps({spelling: [1], "user_id": 2, **extra}).encode()
        event = codec.decode("uploading_data", key, body)
        assert getattr(event, "processing_ids", None) or event.processings_ids == [1]
