"""The Celery application. Its messages are wake-ups that carry row ids, nothing else."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resume_platform.settings")

app = Celery("resume_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_logging_to_django(**kwargs: Any) -> None:
    """With a receiver here Celery keeps its hands off the handlers and levels."""
