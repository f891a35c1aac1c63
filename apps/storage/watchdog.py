"""The one watchdog: a request without a result is made once more, then it fails aloud.

What it does is events alone, so it reaches the AI and the client on the usual way. Each step is a
run of its own: a result that comes late belongs to a lower run and changes nothing any more.
`watched_run` holds the run that was acted on, so each run is acted on once.

A run that staff ordered beside a result is made once more too, but never fails: the client has its
answer, and a failure would take the result's place. After that staff may order it again.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.storage import runs
from apps.storage.models import Status, StoredProcessing
from kafka_bridge import outbox
from kafka_bridge.contract.erased_users import UserErased
from kafka_bridge.contract.events import (
    MAX_RUN,
    NewNotifications,
    NewProcessing,
    NewRequest,
    NewSending,
)
from kafka_bridge.tasks.backlog import oldest_owed
from kafka_bridge.tasks.execution import CONNECTION_ERRORS

log = structlog.get_logger(__name__)

BATCH_SIZE = 100
# A backlog of our own excuses a request for this many times the setting, not for ever: for longer
# than a day, after which the AI's day budget is there again.
PATIENCE_WITH_A_BACKLOG = 30
NO_RESULT = "No result came in time. Please start the processing again."


def watch(*, clock: Callable[[], datetime] = timezone.now) -> tuple[int, int]:
    """Act on every request that is overdue; returns how many were made again and how many failed.

    One that our own queues still hold is not overdue: it waits its turn.
    """
    now = clock()
    overdue = now - timedelta(minutes=settings.STALLED_AFTER_MINUTES)
    hopeless = now - timedelta(minutes=settings.STALLED_AFTER_MINUTES * PATIENCE_WITH_A_BACKLOG)
    under_way = [
        oldest_owed(NewRequest),
        oldest_owed(NewProcessing, NewSending, NewNotifications, by="storage.apply"),
    ]
    before = min([overdue, *[moment for moment in under_way if moment is not None]])
    made_again = failed = 0
    broken: set[int] = set()
    while batch := _act_on_batch(before=max(before, hopeless), broken=broken):
        made_again += batch.count(True)
        failed += batch.count(False)
    if made_again or failed:
        log.warning("storage.stalled", made_again=made_again, failed=failed)
    return made_again, failed


@transaction.atomic
def _act_on_batch(*, before: datetime, broken: set[int]) -> list[bool | None]:
    """One short transaction; True for each request that was made again, False for a failed one.

    A row that cannot be acted on (None) stops no other; it joins the `broken` ones, left alone.
    """
    acted: list[bool | None] = []
    for found, act in ((_stalled(before), _act_on), (_stalled_orders(before), _act_on_order)):
        rows = found.exclude(pk__in=broken).order_by("requested_at")
        for row in rows.select_for_update(skip_locked=True, of=("self",))[:BATCH_SIZE]:
            acted.append(_in_savepoint(act, row))
            if acted[-1] is None:
                broken.add(row.pk)
    return acted


def _in_savepoint(act: Callable[[StoredProcessing], bool], row: StoredProcessing) -> bool | None:
    try:
        with transaction.atomic():
            return act(row)
    except CONNECTION_ERRORS:
        raise  # the database is away, for all rows alike
    except Exception as error:  # noqa: BLE001
        log.error(
            "storage.watchdog_broken_row",
            processing_id=row.processing_id,
            error=type(error).__name__,
        )
        return None


def _stalled(before: datetime) -> "QuerySet[StoredProcessing]":
    return StoredProcessing.objects.filter(
        ~runs.claimed_earlier(), status=Status.QUEUED, requested_at__lt=before
    ).exclude(watched_run=F("requested_run"))


def _stalled_orders(before: datetime) -> "QuerySet[StoredProcessing]":
    return StoredProcessing.objects.filter(
        ~runs.claimed_earlier(),
        status__in=(Status.FINISHED, Status.FAILED),
        ordered_run__isnull=False,
        requested_run__gt=F("run"),
        requested_at__lt=before,
    ).exclude(watched_run=F("requested_run"))


def _act_on(row: StoredProcessing) -> bool:
    request = _next_request(row)
    with suppress(UserErased):  # the erasure, which is on its way, ends it
        outbox.enqueue(request or _failure(row))
    row.watched_run = row.requested_run
    row.save(update_fields=["watched_run"])
    return _note("storage.stalled_processing", row, made_again=request is not None)


def _act_on_order(row: StoredProcessing) -> bool:
    """True if it was made again; False if it is given up, and then it may be ordered anew."""
    assert row.requested_run is not None
    is_first = row.ordered_run == row.requested_run < MAX_RUN
    request = runs.request(row, run=row.requested_run + 1) if is_first else None
    if request is None:
        row.ordered_run = None
    else:
        with suppress(UserErased):
            outbox.enqueue(request)
        row.watched_run = row.requested_run
    row.save(update_fields=["watched_run", "ordered_run"])
    return _note("storage.stalled_order", row, made_again=request is not None)


def _note(line: str, row: StoredProcessing, *, made_again: bool) -> bool:
    log.warning(line, processing_id=row.processing_id, run=row.requested_run, made_again=made_again)
    return made_again


def _next_request(row: StoredProcessing) -> NewRequest | None:
    """None if this run was the second chance or the last, or the texts never came."""
    assert row.requested_run is not None
    is_second = row.watched_run is not None and row.watched_run == row.requested_run - 1
    if is_second or row.requested_run >= MAX_RUN:
        return None
    return runs.request(row, run=row.requested_run + 1)


def _failure(row: StoredProcessing) -> NewSending | NewNotifications:
    assert row.requested_run is not None
    return runs.failure(row, run=runs.following(row.requested_run), sentence=NO_RESULT)
