"""How the client was told: every attempt, and why one who was not told was not."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.notifications.delivery.explanation import why_not_delivered
from apps.notifications.models import Callback, CallbackAttempt
from staff.dashboard.widgets import Chart, Figure, Series, column, counted, today
from staff.sources.timeline_event import Event, Tone, known

PERMISSION = "notifications.view_callback"

_STATE = Callback.State
_DELIVERED = Q(status_code__gte=200, status_code__lt=300)
_ENDS: dict[str, tuple[str, Tone]] = {
    _STATE.REGISTERED: ("pending", "default"),
    _STATE.PENDING: ("schedule_send", "warning"),
    _STATE.FAILED: ("cancel_schedule_send", "danger"),
    _STATE.CANCELLED: ("unsubscribe", "default"),
}


def events(processing: Any) -> list[Event]:
    callbacks = Callback.objects.filter(
        processing_id=processing.processing_id, user_id=processing.user_id
    )
    told: list[Event] = []
    for callback in callbacks.defer("body").prefetch_related("history").order_by("run"):
        told += [_attempt(callback, attempt) for attempt in callback.history.all()]
        if (reason := why_not_delivered(callback)) and callback.state in _ENDS:
            icon, tone = _ENDS[callback.state]
            told.append(
                Event(
                    at=callback.updated_at,
                    title=_("Not delivered"),
                    icon=icon,
                    tone=tone,
                    note=reason,
                    facts=known((_("callback goes to"), callback.host)),
                    run=callback.run,
                    order=4,
                )
            )
    return told


def _attempt(callback: Callback, attempt: CallbackAttempt) -> Event:
    delivered = attempt.status_code is not None and 200 <= attempt.status_code < 300
    return Event(
        at=attempt.started_at,
        title=_("Delivered") if delivered else _("Attempt to deliver"),
        icon="mark_email_read" if delivered else "forward_to_inbox",
        tone="success" if delivered else "danger",
        facts=known(
            (_("attempt"), attempt.number),
            (_("answer"), attempt.status_code),
            (_("error"), attempt.error),
            (_("took"), f"{attempt.duration_ms} ms"),
            (_("host"), callback.host),
            (_("address"), attempt.address),
        ),
        run=callback.run,
        order=3,
    )


def figures(now: datetime) -> list[Figure]:
    made = CallbackAttempt.objects.filter(started_at__gte=today(now)).aggregate(
        delivered=Count("pk", filter=_DELIVERED), attempts=Count("pk")
    )
    undelivered = Callback.objects.filter(state=_STATE.FAILED).count()
    listed = reverse("admin:notifications_callback_changelist")
    return [
        Figure(
            _("Delivered"),
            str(made["delivered"]),
            "mark_email_read",
            hint=_("attempts: {count}").format(count=made["attempts"]),
            link=listed,
            tone="success",
            order=9,
        ),
        Figure(
            _("Never delivered"),
            str(undelivered),
            "unsubscribe",
            hint=_("of all days"),
            link=f"{listed}?state__exact=failed",
            tone="danger" if undelivered else "default",
            order=10,
        ),
    ]


def charts(now: datetime) -> list[Chart]:
    rows = counted(
        CallbackAttempt.objects.all(),
        "started_at",
        "hour",
        now,
        delivered=Count("pk", filter=_DELIVERED),
        failed=Count("pk", filter=~_DELIVERED | Q(status_code=None)),
    )
    series = [
        Series(_("delivered"), "success", column(rows, "delivered")),
        Series(_("failed"), "danger", column(rows, "failed")),
    ]
    return [Chart(_("Callback attempts by hour"), "hour", series, order=4)]
