"""A real worker process: isolation of slow receivers, and its death at the worst moment."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection

from apps.notifications.models import Callback, CallbackAttempt
from kafka_bridge.dispatch import celery_wakeups
from kafka_bridge.models import MessageTask
from kafka_bridge.tasks import leases
from kafka_bridge.tasks.registry import load_handlers
from tests.db.apps.notifications.conftest import Bridge
from tests.db.apps.notifications.crowd import Crowd
from tests.db.apps.notifications.receiver import Receiver, says
from tests.db.apps.notifications.test_delivery import ResponseFactory, callback, outcome
from tests.stack.apps.notifications.worker import Worker, wait_for

from kafka_bridge.contract.events import NewSending  # isort: skip

HANDLER = "notifications.deliver"


@pytest.fixture(autouse=True)
def no_old_wake_ups() -> Iterator[None]:
    load_handlers()
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    broker.delete("webhooks")
    yield
    broker.delete("webhooks")


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    yield crowd
    crowd.close()


def owe(bridge: Bridge, processing_id: int, url: str) -> int:
    response = ResponseFactory(callback_url=url, processing_id=processing_id)
    return bridge.take(NewSending(success=True, response=response))


def connections_of_others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.timeout(240)
@pytest.mark.slow
def test_500_dripping_receivers_do_not_delay_100_good_ones(
    bridge: Bridge, crowd: Crowd, tmp_path: Path
) -> None:
    before = connections_of_others()
    environment = {"WEBHOOK_TIMEOUT_SECONDS": "200", "DATABASE_POOL_SIZE": "8"}
    # No dispatcher runs here: what finds nobody free in a second goes back to the queue itself.
    environment |= {"WAKE_LIMIT": "1000"}
    with Worker(tmp_path / "crowd.log", threads=640, **environment):
        slow = [owe(bridge, n, crowd.url(n, f"/drip/{n}")) for n in range(1, 501)]
        celery_wakeups.publish(HANDLER, slow)
        wait_for(lambda: crowd.dripping == 500, 120)
        assert connections_of_others() - before <= 8

        asked: dict[str, float] = {}
        for number in range(501, 601):
            path = f"/good/{number}"
            task = owe(bridge, number, crowd.url(number, path))
            asked[path] = time.time()
            celery_wakeups.publish(HANDLER, [task])
        wait_for(lambda: len(crowd.arrived) == 600, 60)
        delays = [crowd.arrived[path] - since for path, since in asked.items()]
        assert statistics.median(delays) < 1
        wait_for(lambda: Callback.objects.filter(state="delivered").count() == 100)
        assert crowd.dripping == 500
        assert not CallbackAttempt.objects.exclude(status_code=200).exists()


@pytest.mark.slow
def test_killed_between_the_post_and_its_record_it_is_delivered_again_under_the_same_id(
    bridge: Bridge, receive: Callable[..., Receiver], tmp_path: Path
) -> None:
    """The receiver has the whole request; the worker dies before it hears the answer."""
    workers: list[Worker] = []
    died = threading.Event()

    def kill_the_sender(_: Any) -> bool:
        workers[0].kill()
        died.set()
        return False

    receiver = receive(kill_the_sender, says(200))
    task = bridge.take(outcome(receiver))
    with Worker(tmp_path / "first.log", threads=4, LEASE_SECONDS="1") as first:
        workers.append(first)
        celery_wakeups.publish(HANDLER, [task])
        assert died.wait(20)
    assert callback().state == "pending"
    assert not CallbackAttempt.objects.exists()

    wait_for(leases.recover_expired)
    with Worker(tmp_path / "second.log", threads=4, LEASE_SECONDS="1"):
        celery_wakeups.publish(HANDLER, [task])
        wait_for(lambda: MessageTask.objects.get(pk=task).state == "done")
    assert callback().state == "delivered"
    first_post, second_post = receiver.requests
    assert first_post.headers["webhook-id"] == second_post.headers["webhook-id"]
    assert first_post.body == second_post.body
