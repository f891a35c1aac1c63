"""A Celery worker whose handler kills its own process on a poisonous row: run with `celery -A`."""

import os
import signal
import time

import django

from celery_app import app  # noqa: F401  the Celery application

django.setup()

from kafka_bridge.contract.events import NewResume  # noqa: E402  needs Django
from kafka_bridge.tasks import handler  # noqa: E402
from kafka_bridge.tasks.execution import Attempt  # noqa: E402

QUEUE = "poison-test"
POISON = "poison"


@handler("storage.apply", NewResume, queue=QUEUE)
def apply(event: NewResume, attempt: Attempt) -> None:
    time.sleep(0.2)  # so that neighbours are in hand when it happens
    if event.resume == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
