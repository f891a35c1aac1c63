"""The Celery application. Its messages are wake-ups that carry row ids, nothing else."""

import os
from typing import Any

import django
import structlog
from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resume_platform.settings")

app = Celery("resume_platform")
app.config_from_object("resume_platform.settings:CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["kafka_bridge"], related_name="process.canary")

log = structlog.get_logger(__name__)


@celeryd_init.connect
def begin_with_a_line(sender: str, instance: Any, **kwargs: Any) -> None:
    """In place of Celery's banner; with Django set up, whatever comes is logged as the rest is."""
    django.setup()
    instance.quiet = True
    log.info("worker.starting", node=sender)


@worker_shutdown.connect
def end_with_a_line(**kwargs: Any) -> None:
    log.info("worker.stopped")


@setup_logging.connect
def leave_logging_to_django(**kwargs: Any) -> None:
    """With a receiver here Celery keeps its hands off the handlers and levels."""
