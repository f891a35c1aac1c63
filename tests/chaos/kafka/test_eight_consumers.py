"""8 consumers, 32 partitions, 100,000 messages, SIGKILLs at random: each in the inbox once."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from django.db import connection

from devstack.kafka.cluster import ApacheKafka
from devstack.paths import ROOT
from tests.stack.kafka.tools import bridge_environment, wait_until

pytestmark = [
    pytest.mark.real_kafka,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(400),
]

CONSUMERS, PARTITIONS, MESSAGES = 8, 32, 100_000
CHUNK = 4_000
KILLS_AT_LEAST = 15


class Pool:
    """Intakes in processes of their own, killed and replaced."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        self._forker = subprocess.Popen(
            [sys.executable, "-m", "tests.stack.kafka.intake_pool"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("wb"),
            text=True,
            bufsize=1,
        )
        self.pids: list[int] = []
        self.kills = 0

    def start(self) -> None:
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        self._forker.stdin.write("start\n")
        while not (line := self._forker.stdout.readline()).strip().isdigit():
            assert line, "the forker died"  # what is no number is a log line
        self.pids.append(int(line))

    def kill_one(self) -> None:
        pid = self.pids.pop(random.randrange(len(self.pids)))
        os.kill(pid, signal.SIGKILL)
        self.kills += 1

    def close(self) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._forker.kill()
        self._forker.communicate()


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[ApacheKafka]:
    with ApacheKafka(tmp_path / "kafka") as running:
        yield running


def test_each_message_is_in_the_inbox_exactly_once(own_topics, kafka, settings, tmp_path):
    settings.KAFKA_BOOTSTRAP_SERVERS = kafka.bootstrap_servers
    settings.KAFKA_SESSION_TIMEOUT_MS = 2_000
    topic = own_topics["uploading_data"]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for created in admin.create_topics(
        [NewTopic(name, PARTITIONS, 1) for name in own_topics.values()]
    ).values():
        created.result(30)
    environment = bridge_environment() | {
        "DJANGO_SETTINGS_MODULE": "resume_platform.settings",
        "LOG_LEVEL": "WARNING",
    }
    pool = Pool(tmp_path / "pool.log", environment)
    try:
        for _ in range(CONSUMERS):
            pool.start()
        _produce_while_killing(topic, kafka, pool)
        wait_until(lambda: _stored(topic)[0] >= MESSAGES, seconds=120)
        time.sleep(1)  # what is delivered again now would show up as a second row
    finally:
        pool.close()
    rows, different, epochs, tasks = _stored(topic)
    print(f"{pool.kills} consumers killed")  # noqa: T201
    assert pool.kills >= KILLS_AT_LEAST
    assert (rows, different, epochs, tasks) == (MESSAGES, MESSAGES, 1, MESSAGES)


def _produce_while_killing(topic: str, kafka: ApacheKafka, pool: Pool) -> None:
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "enable.idempotence": True,
            "linger.ms": 20,
            "client.id": uuid.uuid4().hex,
        }
    )
    for first in range(1, MESSAGES + 1, CHUNK):
        for n in range(first, first + CHUNK):
            value = f'{{"resume_id":{n},"user_id":{n % 997 + 1},"resume":"x"}}'
            producer.produce(topic, value, b"new_resume", partition=n % PARTITIONS)
        assert producer.flush(60) == 0
        if first == MESSAGES // 2 + 1:
            kafka.kill()
            kafka.start()
        pool.kill_one()
        time.sleep(random.uniform(0.2, 1.0))
        pool.start()


def _stored(topic: str) -> tuple[int, int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT convert_from(value, 'UTF8')::json->>'resume_id'),"
            " count(DISTINCT (cluster_id, epoch)), (SELECT count(*) FROM kafka_bridge_messagetask)"
            " FROM kafka_bridge_inboxmessage WHERE topic = %s",
            [topic],
        )
        return cursor.fetchone()
