"""Texts that nobody has needed for RETENTION_DAYS go as an erased user's do; figures stay."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from kafka_bridge import erasure, texts
from kafka_bridge.periodic import periodic
from resume_platform import metrics

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0
# A round's end, so that one kind never has the thread for hours.
MAX_BATCHES = 200


def empty_old(progress: Callable[[str, int], None] = lambda name, rows: None) -> dict[str, int]:
    """One round; the rows that were emptied, by kind. Nothing while RETENTION_DAYS is 0.

    Raises redis.RedisError; what was emptied stays so.
    """
    if not settings.RETENTION_DAYS:
        return {}
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    found = {}
    for part in erasure.enabled_parts():
        for kind in part.texts:
            if kind.unused is None:
                continue
            rows = texts.empty_unused(kind, before=before, batches=MAX_BATCHES)
            metrics.HOUSEKEEPING_ROWS.labels(kind.name).inc(rows)
            progress(kind.name, rows)
            found[kind.name] = rows
    return found


@periodic("bridge.retention", every=EVERY_SECONDS)
def retention() -> None:
    if any((found := empty_old()).values()):
        log.info("retention.emptied", rows=found)
