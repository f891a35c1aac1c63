"""A Celery app whose task does nothing, with the settings of ours that cost or save anything."""

import os
import time

import redis
from celery import Celery

URL = os.environ["BENCH_REDIS_URL"]

app = Celery("bench_floor", broker=URL)
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=2,
    worker_send_task_events=True,
    task_default_queue="bench_floor",
    broker_connection_retry_on_startup=True,
)


@app.task(name="floor.empty")
def empty(task_ids: list[int]) -> None:
    """Takes what a wake-up carries."""


@app.task(name="floor.stamp")
def stamp(key: str) -> None:
    """Says when it was its turn."""
    redis.Redis.from_url(URL).rpush(key, time.time())
