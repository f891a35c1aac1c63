"""The intake: each message once, whatever dies and whatever log begins anew."""

import json

import pytest
from confluent_kafka import Producer

from kafka_bridge.contract import codec
from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.models import InboxMessage, MessageTask
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import make_topics, produce, running, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


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
        make_topics(settings.KAFKA_TOPICS.values())
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
