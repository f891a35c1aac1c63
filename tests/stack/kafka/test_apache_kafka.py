"""An Apache Kafka that is killed, wiped and fails over, and what the bridge makes of it."""

import time
import uuid
from collections.abc import Iterator
from io import StringIO

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from django.core.management import CommandError, call_command
from django.test import Client

from devstack.kafka.cluster import ApacheKafka
from kafka_bridge.contract import codec
from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.models import InboxMessage, OutboxMessage
from kafka_bridge.outbox.relay import Relay
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import (
    consume,
    enqueue,
    ids_of,
    produce,
    running,
    wait_until,
)

pytestmark = [
    pytest.mark.real_kafka,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def one_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with ApacheKafka(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster


@pytest.fixture
def kafka(one_node, settings, own_topics) -> ApacheKafka:
    settings.KAFKA_BOOTSTRAP_SERVERS = one_node.bootstrap_servers
    one_node.start()
    return one_node


def create_topics() -> str:
    out = StringIO()
    call_command("create_topics", stdout=out)
    return out.getvalue()


def resumes(*ids: int) -> list[tuple[bytes, bytes]]:
    return [(b"new_resume", codec.encode(resume(n))) for n in ids]


def test_topics_are_created_by_the_settings_and_an_existing_one_is_left_as_it_is(
    kafka, settings, own_topics
):
    settings.KAFKA_TOPIC_PARTITIONS, settings.KAFKA_TOPIC_RETENTION_HOURS = 6, 48
    settings.KAFKA_TOPIC_REPLICATION = 1
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    existing = own_topics["sending"]
    admin.create_topics([NewTopic(existing, 2, 1)])[existing].result()
    first = create_topics()
    assert f"{existing}: exists with 2 partitions, left as it is" in first
    assert first.count("created with 6 partitions") == 3
    assert create_topics().count("left as it is") == 4

    topics = admin.list_topics(timeout=10).topics
    counts = {name: len(topics[own_topics[name]].partitions) for name in own_topics}
    assert counts == {"uploading_data": 6, "AI_handler": 6, "sending": 2, "notifications": 6}
    resource = ConfigResource(ConfigResource.Type.TOPIC, own_topics["uploading_data"])
    config = admin.describe_configs([resource])[resource].result()
    assert config["retention.ms"].value == str(48 * 3_600_000)


def test_no_broker_is_told_in_one_sentence(settings):
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    with pytest.raises(CommandError, match=r"No Kafka broker answered at 127\.0\.0\.1:1"):
        call_command("create_topics", "--wait", "0")


def test_a_broker_that_is_away_delays_the_relay_and_never_the_answer(kafka, own_topics):
    create_topics()
    client = Client()
    user = {"username": f"{uuid.uuid4().hex}@example.com", "password": "a long pass phrase, yes"}
    with running(Relay):
        post = {"content_type": "application/json"}
        assert client.post("/auth/register", user, **post).status_code == 201
        token = client.post("/auth/login", user, **post).json()["access_token"]
        post["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        wait_until(lambda: not OutboxMessage.objects.exists())
        kafka.kill()
        started = time.monotonic()
        for n in range(5):
            answer = client.post("/create_resume/text", {"resume": f"Python {n}"}, **post)
            assert answer.status_code == 200
        assert time.monotonic() - started < 2
        assert OutboxMessage.objects.count() == 5
        kafka.start()
        wait_until(lambda: not OutboxMessage.objects.exists(), seconds=60)
    assert len(consume(own_topics["uploading_data"], 6)) == 6


def test_a_broker_that_is_killed_and_comes_back_with_its_log_changes_nothing(
    kafka, own_topics, handlers
):
    create_topics()
    topic = own_topics["uploading_data"]
    with running(Intake):
        produce(topic, *resumes(1, 2, 3))
        wait_until(lambda: InboxMessage.objects.count() == 3)
        kafka.kill()
        kafka.start()
        produce(topic, *resumes(4, 5))
        wait_until(lambda: InboxMessage.objects.count() == 5, seconds=60)
    assert set(InboxMessage.objects.values_list("epoch", flat=True)) == {0}


@pytest.mark.parametrize("new_identity", [False, True])
def test_a_broker_that_lost_its_log_brings_news_under_old_offsets(
    kafka, own_topics, handlers, new_identity
):
    create_topics()
    topic = own_topics["uploading_data"]
    produce(topic, *resumes(1, 2, 3, 4))
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 4)
    kafka.kill()
    kafka.wipe(new_identity=new_identity)
    kafka.start()
    create_topics()
    produce(topic, *resumes(11, 12))
    with running(Intake):
        wait_until(lambda: InboxMessage.objects.count() == 6, seconds=60)
    assert ids_of(InboxMessage.objects.values_list("value", flat=True)) == [1, 2, 3, 4, 11, 12]


def test_three_nodes_go_on_when_one_is_killed(settings, own_topics, handlers, tmp_path):
    with ApacheKafka(tmp_path / "three", nodes=3) as kafka:
        settings.KAFKA_BOOTSTRAP_SERVERS = kafka.bootstrap_servers
        settings.KAFKA_TOPIC_PARTITIONS, settings.KAFKA_TOPIC_REPLICATION = 6, 3
        create_topics()
        with running(Relay), running(Intake):
            enqueue(*[resume(n, user_id=n) for n in range(1, 31)])
            wait_until(lambda: InboxMessage.objects.count() == 30, seconds=60)
            for number in (1, 2):
                kafka.kill(number)
                before = InboxMessage.objects.count()
                enqueue(*[resume(before + n, user_id=n) for n in range(1, 31)])
                wait_until(lambda b=before: InboxMessage.objects.count() == b + 30, seconds=60)
                kafka.start(number)
    assert ids_of(InboxMessage.objects.values_list("value", flat=True)) == list(range(1, 91))
    assert set(InboxMessage.objects.values_list("epoch", flat=True)) == {0}
