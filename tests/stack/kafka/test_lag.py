"""The lag of each partition is what this consumer has not stored and committed yet."""

import pytest
from django.db import OperationalError

from kafka_bridge.contract import codec
from kafka_bridge.inbox import consumer, lag
from kafka_bridge.inbox.consumer import Intake
from resume_platform.observability import metrics
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import produce, running, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def lags(topic: str) -> dict[str, float]:
    return {
        sample.labels["partition"]: sample.value
        for family in metrics.KAFKA_LAG.collect()
        for sample in family.samples
        if sample.labels["topic"] == topic
    }


def test_messages_lag_until_they_are_stored(own_topics, handlers, monkeypatch):
    topic = own_topics["uploading_data"]
    produce(topic, *[(b"new_resume", codec.encode(resume(n))) for n in range(1, 6)])
    monkeypatch.setattr(consumer, "STATISTICS_MS", 50)
    store = consumer.Inbox.store

    def away(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(consumer.Inbox, "store", away)
    with running(Intake):
        wait_until(lambda: lags(topic).get("0") == 5)
        monkeypatch.setattr(consumer.Inbox, "store", store)
        wait_until(lambda: lags(topic).get("0") == 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 40),
        ({"committed_offset": -1001}, 90),
        ({"committed_offset": -1001, "lo_offset": -1001}, 100),
        ({"committed_offset": 120}, 0),
        ({"hi_offset": -1001}, None),
        ({"fetch_state": "none"}, None),
    ],
    ids=str,
)
def test_what_is_not_known_is_not_told(changes, expected):
    known = {"fetch_state": "active", "hi_offset": 100, "lo_offset": 10, "committed_offset": 60}
    assert lag.lag_of(known | changes) == expected
