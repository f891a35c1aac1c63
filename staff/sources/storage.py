"""What was stored of it, and what still waits."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Min, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.storage.models import Status, StoredProcessing
from staff.dashboard.widgets import Chart, Figure, Grain, Series, column, counted, today
from staff.processings.judgement_details import Judged
from staff.sources.timeline_event import Event, known

PERMISSION = "storage.view_storedprocessing"

# A judgement takes seconds; who waits longer than this should be looked at.
SLOW = timedelta(minutes=5)


def events(processing: Any) -> list[Event]:
    told = []
    if processing.requested_run:
        told.append(
            Event(
                at=processing.requested_at,
                title=_("Asked for again"),
                icon="replay",
                tone="info",
                run=processing.requested_run,
            )
        )
    if processing.result_at is not None:
        failed = processing.status == Status.FAILED
        told.append(
            Event(
                at=processing.result_at,
                title=_("Failure stored") if failed else _("Result stored"),
                icon="database",
                tone="danger" if failed else "success",
                facts=known(
                    (_("score"), processing.score),
                    (_("verdict"), processing.verdict),
                    (_("to wait, seconds"), processing.wait_seconds),
                ),
                note=processing.message_error or "",
                run=processing.run,
                judged=Judged.read(processing.details) if processing.details else None,
                order=2,
            )
        )
    return told


def figures(now: datetime) -> list[Figure]:
    day = StoredProcessing.objects.filter(create_at__gte=today(now)).aggregate(
        received=Count("pk"),
        failed=Count("pk", filter=Q(status=Status.FAILED)),
        score=Avg("score"),
    )
    waiting = StoredProcessing.objects.filter(status=Status.QUEUED).aggregate(
        count=Count("pk"), oldest=Min("requested_at")
    )
    age = now - waiting["oldest"] if waiting["oldest"] else None
    listed = reverse("admin:storage_storedprocessing_changelist")
    return [
        Figure(_("Received"), str(day["received"]), "inbox", link=listed, order=1),
        Figure(
            _("Failed"),
            str(day["failed"]),
            "error",
            link=f"{listed}?status=failed",
            tone="danger" if day["failed"] else "default",
            order=3,
        ),
        Figure(
            _("Waiting"),
            str(waiting["count"]),
            "hourglass_top",
            link=f"{listed}?status=queued",
            tone="info",
            order=4,
        ),
        Figure(
            _("Oldest waiting"),
            duration(age) if age else "–",
            "schedule",
            tone="warning" if age and age > SLOW else "default",
            order=5,
        ),
        Figure(
            _("Average score"),
            "–" if day["score"] is None else f"{day['score']:.0f}",
            "leaderboard",
            order=6,
        ),
    ]


def charts(now: datetime) -> list[Chart]:
    return [
        _chart(_("Processings by hour"), "hour", now, order=1),
        _chart(_("Processings by day"), "day", now, order=2),
    ]


def _chart(title: str, grain: Grain, now: datetime, *, order: int) -> Chart:
    rows = counted(
        StoredProcessing.objects.all(),
        "create_at",
        grain,
        now,
        finished=Count("pk", filter=Q(status=Status.FINISHED)),
        failed=Count("pk", filter=Q(status=Status.FAILED)),
        queued=Count("pk", filter=Q(status=Status.QUEUED)),
    )
    series = [
        Series(_("judged"), "success", column(rows, "finished")),
        Series(_("failed"), "danger", column(rows, "failed")),
        Series(_("waiting"), "info", column(rows, "queued")),
    ]
    return Chart(title, grain, series, order=order)


def duration(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    if seconds < 120:
        return _("{count} s").format(count=seconds)
    if seconds < 7200:
        return _("{count} min").format(count=seconds // 60)
    if seconds < 172_800:
        return _("{count} h").format(count=seconds // 3600)
    return _("{count} d").format(count=seconds // 86_400)
