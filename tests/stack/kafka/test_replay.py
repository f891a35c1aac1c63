"""Replay from Kafka: by offset, by time, by key; never beyond what the intake has passed."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from confluent_kafka import Producer
from django.conf import settings
from django.core.management import call_command

from kafka_bridge.contract import codec
from kafka_bridge.contract.events import NewUser
from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, PartitionLog
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import running, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

# Yesterday's: what is older than the topic's retention is not believed.
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def put(topic: str, *numbers: int) -> None:
    """Resumes at one partition, a minute apart, every third a user instead."""
    producer = Producer({"bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS})
    for number in numbers:
        event = resume(number)
        if number % 3 == 0:
            event = NewUser(user_id=number, username="u@example.com", created_at=NOON)
        milliseconds = int(NOON.timestamp() * 1000) + number * 60_000
        producer.produce(
            topic, codec.encode(event), event.key.encode(), partition=0, timestamp=milliseconds
        )
    assert producer.flush(10) == 0


def replay(*arguments: str) -> str:
    out = StringIO()
    call_command("replay", "--kafka", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def topic(own_topics, handlers) -> str:
    """Nine messages that the intake has passed, and two that it has not."""
    name = own_topics["uploading_data"]
    put(name, *range(1, 10))
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 9)
    put(name, 10, 11)
    MessageTask.objects.update(state="done")
    return name


def replayed() -> list[int]:
    """The offsets that are due again."""
    rows = MessageTask.objects.filter(state="pending", replays__gt=0, name="storage.apply")
    return sorted(rows.values_list("message__offset", flat=True))


@pytest.mark.slow
def test_everything_that_the_intake_has_passed_and_nothing_beyond(topic):
    assert "9 messages: 9 task rows" in replay()
    assert replayed() == list(range(9))
    assert not InboxMessage.objects.filter(offset__gte=9).exists()
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 11)
    assert MessageTask.objects.filter(message__offset__gte=9, replays=0).count() == 2


def test_by_offset_and_partition(topic):
    replay("--from-offset", "2", "--to-offset", "5", "--partitions", "0")
    assert replayed() == [2, 3, 4]
    assert "0 messages" in replay("--partitions", "1")


def test_by_time(topic):
    replay("--since", f"{NOON:%F}T12:04:00Z", "--until", f"{NOON:%F}T12:06:30Z")
    assert replayed() == [3, 4, 5]
    assert "0 messages" in replay("--since", f"{NOON + timedelta(days=1):%F}T00:00:00Z")


def test_by_key(topic):
    assert "3 messages: 3 task rows" in replay("--keys", "new_user")
    assert replayed() == [2, 5, 8]


def test_a_dry_run_reads_and_changes_nothing(topic):
    assert "would replay 9 messages" in replay("--dry-run")
    assert replayed() == []


def test_a_fresh_database_is_filled_for_the_named_handlers_alone(topic):
    MessageTask.objects.all().delete()
    InboxMessage.objects.all().delete()
    PartitionLog.objects.all().delete()
    DeadLetter.objects.all().delete()
    assert "9 messages: 9 task rows" in replay()
    assert replayed() == list(range(9))
    assert "9 messages: 0 task rows" in replay(), "they are owed already"


def test_a_dropped_payload_comes_back(topic):
    InboxMessage.objects.update(value=None)
    replay("--from-offset", "0", "--to-offset", "1")
    assert codec.decode("uploading_data", b"new_resume", InboxMessage.objects.get(offset=0).value)
