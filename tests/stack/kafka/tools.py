"""What the tests against a broker share: clients, parts of the bridge in threads and processes."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import psycopg2
from confluent_kafka import Consumer, Message, Producer, cimpl
from django.conf import settings
from django.db import connection, transaction

from devstack.paths import ROOT
from kafka_bridge import outbox
from kafka_bridge.contract.events import Event


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def own_database_url() -> str:
    """The test's database, for a part that opens a connection of its own."""
    return psycopg2.extensions.make_dsn(
        settings.DATABASE_URL, dbname=connection.settings_dict["NAME"]
    )


def make_topics(names: Iterable[str], bootstrap: str | None = None) -> None:
    """Asking for them creates them, on either broker."""
    producer = Producer({"bootstrap.servers": bootstrap or settings.KAFKA_BOOTSTRAP_SERVERS})
    for name in names:
        wait_until(lambda name=name: producer.list_topics(name, timeout=5).topics[name].partitions)


@contextlib.contextmanager
def running(part_class) -> Iterator[threading.Event]:
    """Run a part of the bridge in a thread of its own until the block ends."""
    stop = threading.Event()

    def run() -> None:
        try:
            part_class(stop).run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def produce(
    topic: str,
    *values: tuple[bytes, bytes | None],
    partition: int = 0,
    headers: list[tuple[str, bytes]] | None = None,
    bootstrap: str | None = None,
) -> None:
    producer = Producer({"bootstrap.servers": bootstrap or settings.KAFKA_BOOTSTRAP_SERVERS})
    for key, value in values:
        producer.produce(topic, value, key, partition=partition, headers=headers)
    assert producer.flush(30) == 0


def produce_with_header_name(topic: str, key: bytes, value: bytes, name: bytes) -> None:
    """What this client cannot write and others can: a header whose name is no text."""
    library = ctypes.CDLL(cimpl.__file__)
    for function in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
        getattr(library, function).restype = ctypes.c_void_p
    reason = ctypes.create_string_buffer(512)
    configuration = ctypes.c_void_p(library.rd_kafka_conf_new())
    servers = settings.KAFKA_BOOTSTRAP_SERVERS.encode()
    library.rd_kafka_conf_set(configuration, b"bootstrap.servers", servers, reason, 512)
    handle = ctypes.c_void_p(library.rd_kafka_new(0, configuration, reason, 512))
    headers = ctypes.c_void_p(library.rd_kafka_headers_new(1))
    library.rd_kafka_header_add(
        headers, name, ctypes.c_ssize_t(len(name)), b"v", ctypes.c_ssize_t(1)
    )
    of_topic, of_value, of_key, of_headers, end = map(ctypes.c_int, (1, 4, 5, 10, 0))
    failed = library.rd_kafka_producev(
        *(handle, of_topic, ctypes.c_char_p(topic.encode())),
        *(of_value, ctypes.c_char_p(value), ctypes.c_size_t(len(value))),
        *(of_key, ctypes.c_char_p(key), ctypes.c_size_t(len(key))),
        *(of_headers, headers, end),
    )
    assert not failed
    assert library.rd_kafka_flush(handle, 10_000) == 0
    library.rd_kafka_destroy(handle)


def new_consumer(group: str = "", bootstrap: str | None = None, **changes: object) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap or settings.KAFKA_BOOTSTRAP_SERVERS,
            "group.id": group or uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6_000,
            "fetch.wait.max.ms": 10,
            **changes,
        }
    )


def take(consumer: Consumer, count: int, seconds: float = 30) -> list[Message]:
    got: list[Message] = []
    deadline = time.monotonic() + seconds
    while len(got) < count and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            got.append(message)
    return got


def consume(topic: str, count: int, bootstrap: str | None = None) -> list[Message]:
    consumer = new_consumer(bootstrap=bootstrap)
    consumer.subscribe([topic])
    try:
        return take(consumer, count)
    finally:
        consumer.close()


def enqueue(*events: Event) -> None:
    with transaction.atomic():
        for event in events:
            outbox.enqueue(event)


class BridgeProcess:
    """A real `manage.py run_bridge`, with its log."""

    def __init__(self, directory: Path, environment: Mapping[str, str], name: str = "bridge"):
        self._log = directory / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "run_bridge"],
                cwd=ROOT,
                env=bridge_environment() | dict(environment),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def says(self, words: str) -> bool:
        assert self.is_alive, self.log[-3000:]
        return words in self.log

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(25)
        except subprocess.TimeoutExpired:
            self.kill()


def bridge_environment() -> dict[str, str]:
    """This process's environment, with the test's own database, topics and group."""
    return {
        **os.environ,
        "DATABASE_URL": own_url(),
        "KAFKA_GROUP_ID": settings.KAFKA_GROUP_ID,
        "KAFKA_SESSION_TIMEOUT_MS": str(settings.KAFKA_SESSION_TIMEOUT_MS),
        "KAFKA_BOOTSTRAP_SERVERS": settings.KAFKA_BOOTSTRAP_SERVERS,
        **{f"KAFKA_TOPIC_{n.upper()}": topic for n, topic in settings.KAFKA_TOPICS.items()},
        "LOG_LEVEL": "INFO",
        "LOG_DIR": "",
    }


def own_url() -> str:
    """The test's database as a URL."""
    return f"{settings.DATABASE_URL.rpartition('/')[0]}/{connection.settings_dict['NAME']}"


def ids_of(values: Iterable[bytes]) -> list[int]:
    return sorted(json.loads(bytes(value))["resume_id"] for value in values)
