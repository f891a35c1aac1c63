"""The relay: in order, nothing lost, nothing blocked, one active at a time."""

import contextlib
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from kafka_bridge import outbox
from kafka_bridge.contract import codec
from kafka_bridge.contract.events import NewResume
from kafka_bridge.models import DeadLetter, OutboxMessage
from kafka_bridge.outbox.relay import ADVISORY_LOCK, Relay
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import consume, enqueue, running, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


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
