"""A bridge whose PostgreSQL or Redis is away: it waits or goes on, and stays the same process."""

import contextlib
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis

from devstack.embedded.postgres import EmbeddedPostgres
from devstack.embedded.valkey import EmbeddedValkey
from devstack.paths import ROOT
from devstack.process import Process, Spec
from kafka_bridge.contract import codec
from kafka_bridge.models import InboxMessage, MessageTask
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import BridgeProcess, own_url, produce, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


class Server:
    """A server that the test stops and starts."""

    def __init__(self, spec: Spec, directory: Path) -> None:
        self._process = Process(spec, log=directory / f"{spec.name}.log")

    def start(self) -> None:
        self._process.spec.prepare()
        self._process.start()
        wait_until(self._process.check, seconds=60)

    def stop(self) -> None:
        if self._process.pid is not None:
            self._process.ask_to_end()
            wait_until(self._process.has_ended)
            self._process.reap()

    def signal(self, number: signal.Signals) -> None:
        assert self._process._popen is not None
        self._process._popen.send_signal(number)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    embedded = EmbeddedPostgres(tmp_path, durable=False)
    server = Server(embedded.spec(), tmp_path)
    server.start()
    yield server, embedded.url()
    server.stop()
    embedded.remove()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    embedded = EmbeddedValkey(tmp_path, password="secret")
    server = Server(embedded.spec(), tmp_path)
    server.start()
    yield server, embedded.url
    server.stop()


class Wire(socketserver.ThreadingTCPServer):
    """A TCP proxy before a server; `swallow` makes its connections of now answer never more."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.port = port
        self.open: set[threading.Event] = set()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def swallow(self) -> None:
        for swallowed in list(self.open):
            swallowed.set()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Passing(socketserver.BaseRequestHandler):
    server: Wire

    def handle(self) -> None:
        swallowed = threading.Event()
        self.server.open.add(swallowed)
        with socket.create_connection(("127.0.0.1", self.server.port)) as target:
            back = threading.Thread(
                target=self._pass, args=(target, self.request, swallowed), daemon=True
            )
            back.start()
            self._pass(self.request, target, swallowed)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)
            back.join()

    def _pass(self, source: socket.socket, to: socket.socket, swallowed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                if not swallowed.is_set():
                    to.sendall(chunk)
            if not swallowed.is_set():
                to.shutdown(socket.SHUT_WR)


def resumes(*ids: int) -> list[tuple[bytes, bytes]]:
    return [(b"new_resume", codec.encode(resume(n))) for n in ids]


def count(url: str, what: str) -> int:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {what}")
            return cursor.fetchone()[0]
    finally:
        connection.close()


def migrate(url: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        check=True,
    )


@pytest.mark.slow
def test_a_bridge_outlives_its_postgresql_and_stays_in_the_group(own_topics, postgres, tmp_path):
    server, url = postgres
    migrate(url)
    topic = own_topics["uploading_data"]
    bridge = BridgeProcess(tmp_path, {"DATABASE_URL": url, "DATABASE_DIRECT_URL": url})
    try:
        produce(topic, *resumes(1, 2))
        wait_until(lambda: bridge.says("intake.assigned"), seconds=60)
        wait_until(lambda: count(url, "kafka_bridge_inboxmessage") == 2)

        server.stop()
        produce(topic, *resumes(3, 4), partition=1)
        wait_until(lambda: bridge.says("intake.paused"))
        time.sleep(8)  # longer than the group's patience with a silent member
        produce(topic, *resumes(5, 6), partition=2)
        server.start()

        wait_until(lambda: count(url, "kafka_bridge_inboxmessage") == 6)
        assert count(url, "kafka_bridge_messagetask") == 6
        # The relay came back too.
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO kafka_bridge_outboxmessage (event_id, topic, key, partition_key,"
                " value, traceparent, occurred_at) VALUES (gen_random_uuid(), 'uploading_data',"
                " 'new_resume', 7, %s, '', now())",
                [codec.encode(resume(7))],
            )
        connection.close()
        wait_until(lambda: count(url, "kafka_bridge_inboxmessage") == 7)
        assert bridge.is_alive
        assert bridge.log.count("intake.assigned") == 1
        assert "intake.revoked" not in bridge.log
        assert "intake.lost" not in bridge.log
        assert bridge.says("intake.resumed")
    finally:
        bridge.stop()


def test_a_postgresql_that_falls_silent_holds_the_intake_for_seconds(own_topics, tmp_path):
    topic = own_topics["uploading_data"]
    url = urlsplit(own_url())
    wire = Wire(url.port or 5432)
    login = url.netloc.rpartition("@")[0]
    through = url._replace(netloc=f"{login}@127.0.0.1:{wire.server_address[1]}").geturl()
    bridge = BridgeProcess(
        tmp_path,
        {
            "DATABASE_URL": through,
            "DATABASE_DIRECT_URL": own_url(),
            "DATABASE_ANSWER_SECONDS": "2",
        },
    )
    try:
        produce(topic, *resumes(1))
        wait_until(lambda: bridge.is_alive and InboxMessage.objects.count() == 1, seconds=60)

        wire.swallow()  # no reset, no end: whatever waits for an answer would wait for ever
        produce(topic, *resumes(2, 3))

        wait_until(lambda: InboxMessage.objects.count() == 3)
        wait_until(lambda: bridge.says("dispatcher.database_away"))
        assert bridge.says("database.hung_up")
        assert bridge.log.count("intake.assigned") == 1
        assert "intake.revoked" not in bridge.log
        assert "intake.lost" not in bridge.log
        wait_until(lambda: bridge.says("intake.resumed"))
    finally:
        bridge.stop()
        wire.close()


@pytest.mark.slow
def test_partitions_change_hands_while_postgresql_is_away_and_nothing_is_lost(
    own_topics, postgres, tmp_path
):
    server, url = postgres
    migrate(url)

    def produce_everywhere(first: int) -> None:
        for topic in own_topics.values():
            for partition in range(4):
                produce(topic, *resumes(first + partition), partition=partition)

    environment = {"DATABASE_URL": url, "DATABASE_DIRECT_URL": url}
    bridges = [BridgeProcess(tmp_path, environment, "first")]
    try:
        wait_until(lambda: bridges[0].says("intake.assigned"), seconds=60)
        server.stop()
        produce_everywhere(1)
        wait_until(lambda: bridges[0].says("intake.paused"))
        bridges.append(BridgeProcess(tmp_path, environment, "second"))
        wait_until(lambda: bridges[1].says("intake.paused"), seconds=60)
        assert bridges[0].says("intake.revoked")
        bridges[1].kill()
        wait_until(
            lambda: '"partitions": 8, "event": "intake.assigned"' in bridges[0].log, seconds=60
        )
        produce_everywhere(11)
        time.sleep(1)
        server.start()
        wait_until(lambda: count(url, "kafka_bridge_inboxmessage") == 32)
        assert count(url, "kafka_bridge_messagetask") == 8
        assert bridges[0].says("intake.resumed")
    finally:
        for bridge in bridges:
            bridge.stop()


def test_a_bridge_outlives_its_redis_and_wakes_celery_again(own_topics, valkey, tmp_path):
    server, url = valkey
    topic = own_topics["uploading_data"]
    bridge = BridgeProcess(tmp_path, {"REDIS_URL": url, "CELERY_BROKER_URL": url})
    try:
        wait_until(lambda: bridge.says("intake.assigned"), seconds=60)
        server.stop()
        produce(topic, *resumes(1, 2, 3))
        wait_until(lambda: MessageTask.objects.count() == 3, seconds=10)
        server.start()
        client = redis.Redis.from_url(url)
        wait_until(lambda: client.llen("storage") >= 1, seconds=30)
        assert bridge.is_alive
    finally:
        bridge.stop()


def test_a_redis_that_hangs_does_not_stop_the_intake(own_topics, valkey, tmp_path):
    server, url = valkey
    topic = own_topics["uploading_data"]
    bridge = BridgeProcess(tmp_path, {"REDIS_URL": url, "CELERY_BROKER_URL": url})
    try:
        produce(topic, *resumes(1))
        wait_until(InboxMessage.objects.exists, seconds=60)
        server.signal(signal.SIGSTOP)
        started = time.monotonic()
        for n in range(2, 22):
            produce(topic, *resumes(n))
            wait_until(lambda n=n: InboxMessage.objects.count() == n, seconds=5)
        assert time.monotonic() - started < 10
        server.signal(signal.SIGCONT)
        client = redis.Redis.from_url(url)
        wait_until(lambda: client.llen("storage") >= 1, seconds=30)
        assert bridge.is_alive
    finally:
        server.signal(signal.SIGCONT)
        bridge.stop()
