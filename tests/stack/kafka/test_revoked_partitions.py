"""What is in hand when partitions go: settled on revoke, dropped on lost."""

import threading

import pytest
from confluent_kafka import TopicPartition
from django.db import OperationalError

from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.models import InboxMessage
from tests.db.kafka_bridge.conftest import FakeMessage, message, resume

pytestmark = pytest.mark.django_db(transaction=True)


class Delivered(FakeMessage):
    def error(self) -> None:
        return None


def delivered(n: int, partition: int, topic: str) -> Delivered:
    plain = message(resume(n), n, partition_no=partition, topic_name=topic)
    return Delivered(**vars(plain))


@pytest.fixture
def intake(own_topics, handlers, monkeypatch):
    """An intake with two messages in hand, of partitions 0 and 1."""
    made = Intake(threading.Event())
    topic = own_topics["uploading_data"]
    made._cluster = "c"
    made._batch = [delivered(1, 0, topic), delivered(2, 1, topic)]
    committed: list[int] = []
    monkeypatch.setattr(
        made, "_commit", lambda batch: committed.extend(m.partition() for m in batch)
    )
    yield made, topic, committed
    made._consumer.close()


def test_on_revoke_the_batch_in_hand_is_stored_and_then_committed(intake):
    made, topic, committed = intake
    made._on_revoke(made._consumer, [TopicPartition(topic, 0)])
    assert InboxMessage.objects.count() == 2
    assert committed == [0, 1]
    assert made._batch == []


def test_on_revoke_without_a_database_the_revoked_ones_are_left_to_the_next_owner(
    intake, monkeypatch
):
    made, topic, committed = intake

    def away(*args, **options):
        raise OperationalError

    monkeypatch.setattr(made._inbox, "store", away)
    made._on_revoke(made._consumer, [TopicPartition(topic, 0)])
    assert committed == []
    assert [m.partition() for m in made._batch] == [1]


def test_on_lost_nothing_of_the_lost_ones_is_committed(intake):
    made, topic, committed = intake
    made._on_lost(made._consumer, [TopicPartition(topic, 0)])
    assert committed == []
    assert InboxMessage.objects.count() == 0
    assert [m.partition() for m in made._batch] == [1]
