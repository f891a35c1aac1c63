"""The side bar: what staff look for first comes first; what they may not see is not there."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# (group, ((model, title, icon), ...)); a model of an app that is left out is passed over.
_GROUPS = (
    (
        _("Recruiting"),
        (
            ("storage.StoredProcessing", _("Processings"), "person_search"),
            ("storage.StoredRequirements", _("Vacancies"), "work"),
            ("storage.StoredResume", _("Resumes"), "description"),
        ),
    ),
    (
        _("Judgement"),
        (
            ("ai.Analysis", _("Judgements"), "gavel"),
            ("ai.Rubric", _("Rubrics"), "checklist"),
            ("ai.ProviderCall", _("Questions to the AI"), "payments"),
            ("ai.DailySpending", _("Spending by day"), "calendar_month"),
        ),
    ),
    (
        _("Callbacks"),
        (
            ("notifications.Callback", _("Callbacks"), "mark_email_read"),
            ("notifications.CallbackAttempt", _("Attempts"), "forward_to_inbox"),
        ),
    ),
    (
        _("Pipeline"),
        (
            ("kafka_bridge.DeadLetter", _("Dead letters"), "report"),
            ("kafka_bridge.MessageTask", _("Tasks"), "task"),
            ("kafka_bridge.InboxMessage", _("Inbox"), "move_to_inbox"),
            ("kafka_bridge.OutboxMessage", _("Outbox"), "outbox"),
        ),
    ),
    (
        _("People"),
        (
            ("accounts.User", _("Users"), "person"),
            ("auth.Group", _("Groups"), "group"),
            ("admin.LogEntry", _("Admin log"), "history"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation for this member of the staff."""
    start = {"title": _("Today"), "icon": "dashboard", "link": reverse("admin:index")}
    groups = [
        {"title": title, "items": [item for entry in entries if (item := _item(*entry, request))]}
        for title, entries in _GROUPS
    ]
    return [{"items": [start]}, *(group for group in groups if group["items"])]


def _item(label: str, title: Any, icon: str, request: HttpRequest) -> dict[str, Any] | None:
    app, name = label.split(".")
    if app not in apps.app_configs:
        return None
    page = admin.site._registry.get(apps.get_model(app, name))
    if page is None or not page.has_view_permission(request):
        return None
    link = reverse(f"admin:{app}_{name.lower()}_changelist")
    return {"title": title, "icon": icon, "link": link}
