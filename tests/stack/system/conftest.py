"""One stack of real processes for the whole folder, and what the tests ask of it."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
import redis
import requests
from confluent_kafka import Producer

from devstack.stack import Stack
from tests.stack.system.client import ApiClient

SETTINGS = {
    # A worker's death is noticed after this, so that the tests need not wait half a minute.
    "LEASE_SECONDS": "3",
    "WAKE_AGAIN_SECONDS": "1",
    "KAFKA_SESSION_TIMEOUT_MS": "6000",
    "WEBHOOK_RETRY_SCHEDULE": "0.2,0.2,0.2",
    "ERASURE_SECOND_LOOK_SECONDS": "1",
}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("stack")
    with Stack(directory=directory, isolated=True, env=SETTINGS) as running:
        yield running


@pytest.fixture
def client(stack: Stack) -> ApiClient:
    stack.wait_ready(timeout=60)
    return ApiClient(stack.info)


@pytest.fixture
def ai(stack: Stack) -> Iterator[Callable[..., Any]]:
    """Order the AI stand-in around: `ai(delay=2)`; returns its counters."""

    def control(**order: Any) -> Any:
        url = stack.info["openai_base_url"].removesuffix("/v1") + "/_control"
        if order:
            requests.post(url, json=order, timeout=10).raise_for_status()
        return requests.get(url, timeout=10).json()

    control(reset=True)
    yield control
    control(reset=True)


@pytest.fixture
def query(stack: Stack) -> Iterator[Callable[..., list[Any]]]:
    """Ask the stack's database."""
    connection = psycopg2.connect(stack.info["database_url"])
    connection.autocommit = True

    def run(sql: str, *parameters: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    yield run
    connection.close()


@pytest.fixture
def queue(stack: Stack) -> "redis.Redis":
    return redis.Redis.from_url(stack.info["redis_url"])


@pytest.fixture
def produce(stack: Stack) -> Callable[..., None]:
    """Write to Kafka as a neighbouring service would: no headers, a partition by the user."""

    def write(topic: str, key: bytes, *values: bytes, partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap_servers"]})
        for value in values:
            producer.produce(topic, value, key, partition=partition)
        assert producer.flush(10) == 0

    return write
