"""What Kafka dropped before it was taken raises an alarm, also when nobody was there to see it."""

import pytest
from confluent_kafka import TopicPartition

from kafka_bridge.contract import codec
from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.models import InboxMessage
from resume_platform.observability import metrics
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import new_consumer, produce, running, take, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_offsets_that_were_skipped_while_no_bridge_ran_are_counted(own_topics, handlers, settings):
    topic = own_topics["uploading_data"]
    gaps = metrics.INBOX_OFFSET_GAPS.labels(topic)
    values = [(b"new_resume", codec.encode(resume(n))) for n in range(1, 11)]
    produce(topic, *values[:4])
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 4)
    assert gaps._value.get() == 0

    produce(topic, *values[4:])
    # As retention would, only at once: the group goes on behind the next three.
    mover = new_consumer(settings.KAFKA_GROUP_ID)
    mover.subscribe([topic])
    take(mover, 1)
    mover.commit(offsets=[TopicPartition(topic, 0, 7)], asynchronous=False)
    mover.close()
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 7)
        wait_until(lambda: gaps._value.get() == 3)
