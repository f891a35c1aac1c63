"""Texts that nobody has needed for RETENTION_DAYS go as an erased user's do; figures stay."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from kafka_bridge.erasure import erase_user, personal_data
from kafka_bridge.jobs.periodic import periodic
from resume_platform.observability import metrics

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0
# A round's end, so that one table never has the thread for hours.
MAX_BATCHES = 200


def empty_old(progress: Callable[[str, int], None] = lambda name, rows: None) -> dict[str, int]:
    """One round; the rows that were emptied, by table. Nothing while RETENTION_DAYS is 0.

    Raises redis.RedisError; what was emptied stays so.
    """
    if not settings.RETENTION_DAYS:
        return {}
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    found = {}
    for app_data in erase_user.enabled_apps_data():
        for table in app_data.tables:
            if table.unused is None:
                continue
            rows = personal_data.empty_unused(table, before=before, batches=MAX_BATCHES)
            metrics.HOUSEKEEPING_ROWS.labels(table.name).inc(rows)
            progress(table.name, rows)
            found[table.name] = rows
    return found


@periodic("bridge.retention", every=EVERY_SECONDS)
def retention() -> None:
    if any((found := empty_old()).values()):
        log.info("retention.emptied", rows=found)
