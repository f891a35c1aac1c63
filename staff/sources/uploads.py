"""What was asked for."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from apps.uploads.models import Processing
from staff.dashboard.widgets import Chart, Figure, today
from staff.sources.timeline_event import Event, known

PERMISSION = "uploads.view_processing"


def events(processing: Any) -> list[Event]:
    asked = (
        Processing.objects.select_related("resume", "requirements")
        .defer("resume__text", "requirements__text")
        .filter(pk=processing.processing_id, user_id=processing.user_id)
        .first()
    )
    if asked is None:
        return []
    noticed = asked.resume.flags or []
    facts = known(
        (_("resume uploaded"), asked.resume.created_at),
        (_("requirements uploaded"), asked.requirements.created_at),
        (_("found in the file"), ", ".join(_kind(flag) for flag in noticed)),
        (_("callback goes to"), _host(asked.callback_url)),
    )
    told = [
        Event(
            at=asked.created_at,
            title=_("Requested"),
            icon="inbox",
            tone="warning" if noticed else "info",
            facts=facts,
            run=0,
        )
    ]
    if asked.deleted_at:
        told.append(Event(at=asked.deleted_at, title=_("Deleted by its owner"), icon="delete"))
    return told


def figures(now: datetime) -> list[Figure]:
    """Where storage is somebody else's, what came in is counted here."""
    if "storage" in settings.ENABLED_APPS:
        return []
    received = Processing.objects.filter(created_at__gte=today(now)).count()
    return [Figure(_("Received"), str(received), "inbox", order=1)]


def charts(now: datetime) -> list[Chart]:
    return []


def _kind(flag: Any) -> str:
    return str(flag.get("kind", flag)) if isinstance(flag, dict) else str(flag)


def _host(url: str) -> str:
    """All of the URL that may be shown: its path may be a secret."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
