"""Each user's order when single messages fail, on a producer that the test rules."""

import json
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import psycopg2
import pytest
from confluent_kafka import KafkaError, KafkaException
from django.conf import settings as django_settings
from django.db import connection, transaction

from kafka_bridge import outbox
from kafka_bridge.models import DeadLetter, OutboxMessage
from kafka_bridge.outbox import relay
from kafka_bridge.outbox.relay import Relay
from tests.db.kafka_bridge.conftest import resume

pytestmark = pytest.mark.django_db(transaction=True)

TIMED_OUT, TOO_LARGE = KafkaError._MSG_TIMED_OUT, KafkaError.MSG_SIZE_TOO_LARGE


class RuledProducer:
    """Reports deliveries at the next poll; `fails` tells which one ends how."""

    def __init__(self) -> None:
        self.log: list[int] = []
        """What the broker took, by resume id."""
        self.fails: Callable[[int, int], int | None] = lambda number, company: None
        self.cluster_answers = True
        self.full_for: set[int] = set()
        self.asked = 0
        self._on_the_way: list[tuple[int, Callable]] = []

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        self.asked += 1
        if not self.cluster_answers:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        one = SimpleNamespace(error=None, partitions=dict.fromkeys(range(4)))
        return SimpleNamespace(topics={topic: one})

    def produce(self, topic, value, key, *, on_delivery, **rest) -> None:
        if json.loads(value)["resume_id"] in self.full_for:
            raise BufferError
        self._on_the_way.append((json.loads(value)["resume_id"], on_delivery))

    def poll(self, timeout: float) -> None:
        company = len(self._on_the_way)
        for number, report in self._on_the_way:
            code = self.fails(number, company)
            if code is None:
                self.log.append(number)
            report(None if code is None else KafkaError(code), None)
        self._on_the_way.clear()


@pytest.fixture
def producer(monkeypatch) -> RuledProducer:
    ruled = RuledProducer()
    monkeypatch.setattr(Relay, "_new_producer", lambda self: ruled)
    monkeypatch.setattr(relay, "RETRY_SECONDS", 0.0)
    return ruled


@pytest.fixture
def round_of_work(producer):
    """One round of the relay over all that waits."""
    made = Relay(threading.Event())
    db = psycopg2.connect(django_settings.DATABASE_URL, dbname=connection.settings_dict["NAME"])
    db.autocommit = True
    yield lambda: made._relay(db, made._read(db))
    db.close()


def enqueue(*events) -> None:
    with transaction.atomic():
        for event in events:
            outbox.enqueue(event)


def last_places(log: list[int], *numbers: int) -> list[int]:
    return [len(log) - 1 - log[::-1].index(number) for number in numbers]


def test_a_retriable_failure_in_the_middle_leaves_the_users_order_and_the_others_alone(
    producer, round_of_work
):
    enqueue(*[resume(n, user_id=1) for n in (1, 2, 3)], resume(4, user_id=2))
    failures = {2: 1}

    def fail_once(number: int, company: int) -> int | None:
        failures[number] = failures.get(number, 0) - 1
        return TIMED_OUT if failures[number] >= 0 else None

    producer.fails = fail_once
    round_of_work()
    assert OutboxMessage.objects.count() == 2, "2, and 3 behind it; 1 and the other user's went"
    round_of_work()
    assert not OutboxMessage.objects.exists()
    assert last_places(producer.log, 1, 2, 3) == sorted(last_places(producer.log, 1, 2, 3))
    assert producer.log.count(4) == 1


def test_what_cannot_even_be_sent_holds_back_its_users_later_rows(producer, round_of_work):
    enqueue(resume(1, user_id=1), resume(2, user_id=1))
    producer.cluster_answers = False
    round_of_work()
    assert producer.log == []
    assert producer.asked == 1, "a batch does not wait for the cluster once for each row"
    producer.cluster_answers = True
    relay_is_patient_no_more(round_of_work)
    assert producer.log == [1, 2]


def test_what_finds_no_room_is_not_overtaken_by_its_users_next(producer, round_of_work):
    enqueue(resume(1, user_id=1), resume(2, user_id=1), resume(3, user_id=2))
    producer.full_for = {1}
    round_of_work()
    assert producer.log == [3]
    producer.full_for = set()
    round_of_work()
    assert producer.log == [3, 1, 2]


def relay_is_patient_no_more(round_of_work) -> None:
    deadline = time.monotonic() + 5
    while OutboxMessage.objects.exists() and time.monotonic() < deadline:
        round_of_work()
        time.sleep(0.05)


def test_a_batch_that_is_refused_for_one_row_buries_that_row_alone(producer, round_of_work):
    enqueue(*[resume(n, user_id=n % 2 + 1) for n in range(1, 7)])
    producer.fails = lambda number, company: TOO_LARGE if company > 1 or number == 3 else None
    for _ in range(3):
        round_of_work()
    assert not OutboxMessage.objects.exists()
    assert sorted(producer.log) == [1, 2, 4, 5, 6]
    assert last_places(producer.log, 2, 4, 6) == sorted(last_places(producer.log, 2, 4, 6))
    letter = DeadLetter.objects.get()
    assert json.loads(bytes(letter.value))["resume_id"] == 3


def test_a_user_whose_row_fails_for_long_does_not_stop_the_others(
    producer, round_of_work, monkeypatch
):
    monkeypatch.setattr(relay, "BATCH_SIZE", 3)
    monkeypatch.setattr(relay, "RETRY_SECONDS", 60.0)
    enqueue(*[resume(n, user_id=1) for n in range(1, 8)], resume(8, user_id=2))
    producer.fails = lambda number, company: TIMED_OUT if number < 8 else None
    round_of_work()
    round_of_work()
    assert producer.log == [8]
    assert OutboxMessage.objects.count() == 7
