"""Callbacks that are sent again because somebody asked: staff or the user they belong to."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.notifications import claims
from apps.notifications.delivery import attempt
from apps.notifications.models import Callback
from kafka_bridge.dead_letters import replay
from resume_platform.http.errors import Conflict, Forbidden, NotFound

HANDLER = "notifications.deliver"


def of_processing(*, user_id: int, processing_id: int) -> list[Callback]:
    """The callbacks of a processing's runs, the latest first, each with its history.

    Raises NotFound, Forbidden.
    """
    found = list(
        Callback.objects.filter(processing_id=processing_id)
        .order_by("-run")
        .prefetch_related("history")
    )
    if not found:
        raise NotFound(_("There is no such processing."), "not_found")
    if any(callback.user_id != user_id for callback in found):
        raise Forbidden(_("This object belongs to another user."), "not_owner")
    return found


def redeliver_of(*, user_id: int, processing_id: int, run: int | None = None) -> Callback:
    """Send one run's callback again, the latest's by default.

    Raises NotFound, Forbidden, and as `redeliver`.
    """
    found = of_processing(user_id=user_id, processing_id=processing_id)
    chosen = [callback for callback in found if run in (None, callback.run)]
    if not chosen:
        raise NotFound(_("There is no such processing."), "not_found")
    redeliver(chosen[0])
    return chosen[0]


def redeliver(callback: Callback) -> None:
    """Have it sent again now, under the same `webhook-id`, whatever came of it before.

    Raises Conflict for what has no outcome, was deleted, or is too old.
    """
    if callback.message_id is None:
        raise Conflict(_("The processing has no outcome yet."), "no_outcome")
    with transaction.atomic():
        # The task before the callback, as a worker that ends an attempt locks them.
        if not replay.make_due(callback.message_id, HANDLER):
            raise Conflict(_("It is too old to be sent again."), "too_old")
        row = claims.lock_user_and_row(callback)
        if row.state == Callback.State.CANCELLED or not row.callback_url:
            raise Conflict(_("The callback was called off."), "cancelled")
        row.state = Callback.State.PENDING
        row.last_error = ""
        row.next_attempt_at = attempt.now()
        row.save(update_fields=["state", "last_error", "next_attempt_at", "updated_at"])
