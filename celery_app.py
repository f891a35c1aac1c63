"""The Celery application. Its messages are wake-ups that carry row ids, nothing else."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resume_platform.settings")

app = Celery("resume_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
