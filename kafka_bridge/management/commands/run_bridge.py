"""`manage.py run_bridge`: the process between Kafka and Celery."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from kafka_bridge.process.bridge import Bridge


class Command(BaseCommand):
    help = (
        "Turn outbox rows into Kafka messages, Kafka messages into Celery tasks, and wake what is "
        "due. Several may run at once. SIGTERM ends it cleanly."
    )
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(Bridge().run())
