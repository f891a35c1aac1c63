"""A row that kills its worker is found and buried; its neighbours end well. Real processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection

from kafka_bridge.contract.events import NewResume
from kafka_bridge.dispatch.dispatcher import Dispatcher
from kafka_bridge.models import DeadLetter, MessageTask
from kafka_bridge.tasks import handler
from tests.db.kafka_bridge.conftest import resume
from tests.support.paths import ROOT

QUEUE, POISON = "poison-test", "poison"


class Worker:
    """Starts the worker again whenever it dies; `deaths` counts how often."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.deaths = 0

    def keep_alive(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            assert self._process.returncode == -signal.SIGKILL
            self.deaths += 1
        command = ["-m", "celery", "-A", "tests.chaos.poisoned_worker", "worker"]
        options = ["--pool", "threads", "--concurrency", "4", "-Q", QUEUE, "-n", "poison@%h"]
        self._process = subprocess.Popen(
            [sys.executable, *command, *options, "--without-mingle", "--without-gossip"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def worker(transactional_db: None, settings, handlers) -> Iterator[Worker]:
    settings.LEASE_SECONDS = 1.5
    settings.WAKE_AGAIN_SECONDS = 0.5
    handlers.clear()
    handler("storage.apply", NewResume, queue=QUEUE)(lambda event, attempt: None)
    queue = redis.Redis.from_url(django_settings.CELERY_BROKER_URL)
    queue.delete(QUEUE)
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@"
    url += f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    # Without the storage app, whose handler has the same name.
    worker = Worker(
        {**os.environ, "DATABASE_URL": url, "ENABLED_APPS": "auth", "LEASE_SECONDS": "1.5"}
    )
    yield worker
    worker.end()
    queue.delete(QUEUE)


@pytest.mark.slow
def test_three_deaths_alone_bury_the_poison_and_nothing_else(
    worker: Worker, store: Callable[..., list[int]]
) -> None:
    ids = store(*[resume(n, text=POISON if n == 4 else "Python") for n in range(1, 11)])
    dispatcher = Dispatcher(threading.Event())
    deadline = time.monotonic() + 100
    while MessageTask.objects.filter(state__in=("pending", "leased")).exists():
        assert time.monotonic() < deadline, list(MessageTask.objects.values("id", "state"))
        worker.keep_alive()
        dispatcher.step()
        time.sleep(0.1)

    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.task_id) == ("crashed", ids[3])
    assert MessageTask.objects.filter(state="done").count() == 9
    poisonous = MessageTask.objects.get(pk=ids[3])
    assert (poisonous.state, poisonous.crashes_alone) == ("dead", 3)
    assert worker.deaths >= 3
