"""What staff may have done to a processing: each app does its part and tells it by events."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import DELETION
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from apps.storage import orders
from apps.storage.models import Status, StoredProcessing
from resume_platform.admin.staff_actions import StaffAction
from resume_platform.http.errors import Conflict


def judge_again(processing: StoredProcessing) -> None:
    """Raises Conflict."""
    orders.judge_again(pk=processing.pk)


@transaction.atomic
def cancel(processing: StoredProcessing) -> None:
    """End its waiting as failed; the client is told. Raises Conflict for what has its outcome.

    Where the AI is ours, "cancelled" becomes the one outcome of the run; of somebody else's it
    becomes the outcome of a higher run.
    """
    if "ai" not in settings.ENABLED_APPS:
        orders.cancel(pk=processing.pk)
        return
    from apps.ai import services

    request = orders.waiting_request(pk=processing.pk)
    if not services.cancel(request=request):
        raise Conflict(_("It does not wait any more: it has its outcome."), "settled")


def deliver_again(processing: StoredProcessing) -> None:
    """Send the latest outcome's callback again. Raises Conflict, NotFound, Forbidden."""
    from apps.notifications import redelivery

    found = redelivery.of_processing(
        user_id=processing.user_id, processing_id=processing.processing_id
    )
    with_outcome = [callback for callback in found if callback.message_id is not None]
    redelivery.redeliver((with_outcome or found)[0])


def delete_with_texts(processing: StoredProcessing) -> None:
    """Delete it and the texts that no other processing of its user needs. Raises Conflict."""
    from apps.uploads import removal

    removed = removal.delete_with_texts(
        user_id=processing.user_id, processing_ids=[processing.processing_id]
    )
    if not removed:
        raise Conflict(_("There is nothing of it left to delete."), "deleted")


def _has_status(*statuses: Status) -> Callable[[Any], bool]:
    return lambda processing: processing.status in statuses


JUDGE_AGAIN = StaffAction(
    name="judge_again",
    title=gettext_lazy("Judge again"),
    warning=gettext_lazy(
        "The AI judges anew, without an earlier judgement of the same texts, and is paid anew. "
        "The client gets a callback with the new result, which replaces the old one."
    ),
    permission="storage.judge_again",
    act=judge_again,
    done=ngettext_lazy(
        "%(count)d processing will be judged again.",
        "%(count)d processings will be judged again.",
        "count",
    ),
    recorded=gettext_noop("Had it judged again."),
    icon="replay",
    is_offered=_has_status(Status.FINISHED, Status.FAILED),
)
CANCEL = StaffAction(
    name="cancel",
    title=gettext_lazy("Cancel the judgement"),
    warning=gettext_lazy(
        "What still waits for its judgement ends as failed, and the client gets a callback that "
        "says that the staff cancelled it."
    ),
    permission="storage.cancel_processing",
    act=cancel,
    done=ngettext_lazy(
        "%(count)d processing is cancelled; its client is being told.",
        "%(count)d processings are cancelled; their clients are being told.",
        "count",
    ),
    recorded=gettext_noop("Cancelled it."),
    icon="cancel",
    confirmed=True,
    is_offered=_has_status(Status.QUEUED),
)
DELETE_WITH_TEXTS = StaffAction(
    name="delete_with_texts",
    title=gettext_lazy("Delete with its texts"),
    warning=gettext_lazy(
        "The processing and its result are deleted for good, and so are the texts of its resume "
        "and of its requirements where no other processing of the user needs them. "
        "No callback is made any more."
    ),
    permission="storage.delete_with_texts",
    act=delete_with_texts,
    done=ngettext_lazy(
        "%(count)d processing is deleted with its texts.",
        "%(count)d processings are deleted with their texts.",
        "count",
    ),
    recorded=gettext_noop("Deleted it with its texts."),
    icon="delete_forever",
    confirmed=True,
    is_offered=_has_status(Status.QUEUED, Status.FINISHED, Status.FAILED),
    flag=DELETION,
)


def processing_actions() -> tuple[StaffAction, ...]:
    """Those whose app is ours here: a foreign service redelivers and deletes by its own means."""
    found = [JUDGE_AGAIN]
    if apps.is_installed("apps.notifications"):
        from apps.notifications.staff_actions import DELIVER_AGAIN

        judged = _has_status(Status.FINISHED, Status.FAILED)
        found.append(replace(DELIVER_AGAIN, act=deliver_again, is_offered=judged))
    found.append(CANCEL)
    if apps.is_installed("apps.uploads"):
        found.append(DELETE_WITH_TEXTS)
    return tuple(found)
