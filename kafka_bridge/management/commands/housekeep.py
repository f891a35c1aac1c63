"""`manage.py housekeep`: one round of housekeeping now, instead of at the bridge's next period."""

from typing import Any

from django.core.management.base import BaseCommand

from kafka_bridge.jobs.housekeeping import keep_house
from kafka_bridge.jobs.retention import empty_old


class Command(BaseCommand):
    help = (
        "Drop payloads, done rows and identities whose days (KEEP_..._DAYS) are over, and texts"
        " that nobody has needed for RETENTION_DAYS."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        dropped = keep_house()
        self.stdout.write(
            f"dropped {dropped.payloads} payloads, {dropped.done_rows} done rows,"
            f" {dropped.identities} identities"
        )
        for name, rows in empty_old().items():
            self.stdout.write(f"emptied {rows} rows of {name}")
