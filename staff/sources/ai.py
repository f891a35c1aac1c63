"""How it was judged, run by run, and what that cost."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.ai.models import Analysis, ProviderCall
from staff.dashboard.widgets import Chart, Figure, Series, column, counted, today
from staff.processings.judgement_details import Judged
from staff.sources.timeline_event import Event, known

PERMISSION = "ai.view_analysis"

_STATUS = Analysis.Status


def events(processing: Any) -> list[Event]:
    analyses = Analysis.objects.filter(
        processing_id=processing.processing_id, user_id=processing.user_id
    )
    return [_event(analysis) for analysis in analyses.order_by("run")]


def _event(analysis: Analysis) -> Event:
    result = analysis.result or {}
    facts = known(
        (_("score"), analysis.score),
        (_("verdict"), analysis.verdict),
        (_("error"), analysis.error_code),
        (_("to wait, seconds"), analysis.wait_seconds),
        (_("model"), analysis.model),
        (_("prompt"), analysis.prompt_version),
        (_("tokens in"), analysis.input_tokens),
        (_("tokens out"), analysis.output_tokens),
        (_("cost"), _("no price known") if analysis.cost is None else money(analysis.cost)),
        (_("took"), f"{analysis.latency_ms} ms"),
        (_("taken over from analysis"), analysis.reused_from),
    )
    if analysis.status == _STATUS.FINISHED:
        return Event(
            at=analysis.created_at,
            title=_("Judged"),
            icon="gavel",
            tone="warning" if analysis.flags else "success",
            facts=facts,
            note=str(result.get("recommendation") or ""),
            run=analysis.run,
            judged=Judged.read(result.get("details")),
            order=1,
        )
    title = _("Not judged") if analysis.status == _STATUS.FAILED else _("Judged, then forgotten")
    return Event(
        at=analysis.created_at,
        title=title,
        icon="error" if analysis.status == _STATUS.FAILED else "ink_eraser",
        tone="danger" if analysis.status == _STATUS.FAILED else "default",
        facts=facts,
        run=analysis.run,
        order=1,
    )


def figures(now: datetime) -> list[Figure]:
    day = today(now)
    judged = Analysis.objects.filter(created_at__gte=day).aggregate(
        finished=Count("pk", filter=~Q(status=_STATUS.FAILED)),
        flagged=Count("pk", filter=Q(flags__gt=0)),
    )
    spent = ProviderCall.objects.filter(created_at__gte=day).aggregate(
        money=Sum("cost"),
        calls=Count("pk"),
        unpriced=Count("pk", filter=Q(cost__isnull=True)),
    )
    cost = money(spent["money"] or Decimal(0)) + (" + ?" if spent["unpriced"] else "")
    return [
        Figure(
            _("Judged"),
            str(judged["finished"]),
            "gavel",
            hint=_("resumes with flags: {count}").format(count=judged["flagged"]),
            link=reverse("admin:ai_analysis_changelist"),
            tone="success",
            order=2,
        ),
        Figure(
            _("Cost"),
            cost,
            "payments",
            hint=_("questions to the AI: {count}").format(count=spent["calls"]),
            link=reverse("admin:ai_providercall_changelist"),
            order=7,
        ),
    ]


def charts(now: datetime) -> list[Chart]:
    rows = counted(ProviderCall.objects.all(), "created_at", "day", now, money=Sum("cost"))
    title = _("Cost by day, {currency}").format(currency=settings.AI_CURRENCY)
    return [Chart(title, "day", [Series(_("cost"), "default", column(rows, "money"))], order=3)]


def money(amount: Decimal) -> str:
    """Small sums keep the digits that tell them from nothing."""
    digits = 2 if amount >= 1 or not amount else 5
    return f"{amount:.{digits}f} {settings.AI_CURRENCY}"
