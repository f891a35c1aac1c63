"""What staff order about one processing: have it judged again, or end its waiting.

Both are told as events, and what storage shows follows from these like everything else. A refusal
raises Conflict with the sentence for whoever ordered it.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.storage import runs
from apps.storage.models import Status, StoredProcessing
from kafka_bridge import outbox
from kafka_bridge.contract.events import MAX_RUN, NewRequest
from resume_platform.http.errors import Conflict

CANCELLED = "The staff cancelled the processing."


@transaction.atomic
def judge_again(*, pk: int) -> int:
    """Ask for a run of its own, which reuses no earlier analysis; returns the run.

    `watched_run` keeps the run that was answered by this one, so that an order given twice
    asks once. `ordered_run` has the watchdog ask once more if no result comes.
    """
    row = _locked(pk)
    if row.status == Status.QUEUED:
        raise Conflict(_("It is still waiting for its first judgement."), "waits")
    if row.requested_run is None:
        raise Conflict(_("Its request never came here, so there is nothing to repeat."), "unknown")
    latest = max(row.requested_run, row.run if row.run is not None else -1)
    if (row.watched_run is not None and row.watched_run >= latest) or _is_under_way(row):
        raise Conflict(_("It is being judged again already."), "under_way")
    if latest >= MAX_RUN:
        raise Conflict(_("It was judged too often."), "too_many_runs")
    request = runs.request(row, run=latest + 1)
    if request is None:
        raise Conflict(_("Its texts are not here any more."), "no_texts")
    outbox.enqueue(request)
    row.watched_run, row.ordered_run = latest, request.run
    row.save(update_fields=["watched_run", "ordered_run"])
    return request.run


@transaction.atomic
def waiting_request(*, pk: int) -> NewRequest:
    """The request that a waiting processing waits for, locked until the transaction ends.

    Without the resume's text. Raises Conflict for one that does not wait.
    """
    row = _locked(pk)
    if row.status != Status.QUEUED or row.requested_run is None:
        raise Conflict(_("It does not wait any more: it has its outcome."), "settled")
    # The watchdog asked for the next run, and its request is on its way here.
    is_asked_again = row.watched_run == row.requested_run
    run = runs.following(row.requested_run) if is_asked_again else row.requested_run
    known = runs.request(row, run=run) or runs.request_without_texts(row, run=run)
    return known.model_copy(update={"resume": ""})


@transaction.atomic
def cancel(*, pk: int) -> None:
    """End a waiting processing as failed, in a run of its own, where the AI is somebody else's.

    A result that comes late belongs to a lower run and changes nothing any more.
    """
    request = waiting_request(pk=pk)
    row = StoredProcessing.objects.get(pk=pk)
    outbox.enqueue(runs.failure(row, run=runs.following(request.run), sentence=CANCELLED))


def _locked(pk: int) -> StoredProcessing:
    row = StoredProcessing.objects.select_for_update().filter(pk=pk).first()
    if row is None or row.status == Status.DELETED:
        raise Conflict(_("It is deleted."), "deleted")
    if StoredProcessing.objects.filter(runs.claimed_earlier(), pk=pk).exists():
        raise Conflict(_("Its id belongs to another user."), "not_owner")
    return row


def _is_under_way(row: StoredProcessing) -> bool:
    """A later run was asked for and may still come."""
    if row.requested_run is None or row.requested_at is None:
        return False
    if row.run is not None and row.requested_run <= row.run:
        return False
    return row.requested_at > timezone.now() - timedelta(minutes=settings.STALLED_AFTER_MINUTES)
