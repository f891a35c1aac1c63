"""The page of dead letters: cause, place, payload, attempts, what to do, and a replay."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from kafka_bridge.contract.events import EVENTS
from kafka_bridge.dead_letters import payload_view, replay
from kafka_bridge.dead_letters.remediation import LINKS, advice_for
from kafka_bridge.models import DeadLetter
from resume_platform.admin.base import ModelAdmin, ReadOnly
from resume_platform.admin.staff_action_pages import WithStaffActions
from resume_platform.admin.staff_actions import StaffAction
from resume_platform.http.errors import Conflict

_STAGES: dict[str, Any] = {
    DeadLetter.Source.INTAKE: gettext_lazy("on its way in from Kafka"),
    DeadLetter.Source.HANDLER: gettext_lazy("in its handler"),
    DeadLetter.Source.OUTBOX: gettext_lazy("on its way out to Kafka"),
}
_STATE_COLOURS = {
    "waits": "warning",
    "replayed": "info",
    "done": "success",
    "dead": "danger",
}
_EVENT_KEYS = frozenset(event.key for event in EVENTS)


def replay_again(letter: DeadLetter) -> None:
    """Raises Conflict for what cannot be tried (again), with the reason."""
    if replay.replay(letter):
        return
    letter.refresh_from_db(fields=["replayed_at"])
    if letter.replayed_at is not None:
        raise Conflict(_("It was replayed before."), "replayed")
    if letter.source == DeadLetter.Source.INTAKE:
        raise Conflict(_("It still cannot be read as an event."), "unreadable")
    raise Conflict(_("Nobody owes work for it any more."), "not_owed")


REPLAY = StaffAction(
    name="replay",
    title=gettext_lazy("Replay"),
    warning=gettext_lazy(
        "It is tried again from the start, with a whole schedule of attempts. "
        "See first to it that its cause is gone, or it will come back here."
    ),
    permission="kafka_bridge.replay_deadletter",
    act=replay_again,
    done=ngettext_lazy(
        "%(count)d dead letter will be tried again.",
        "%(count)d dead letters will be tried again.",
        "count",
    ),
    recorded=gettext_noop("Replayed it."),
    icon="replay",
    is_offered=lambda letter: letter.replayed_at is None,
)


class ReplayedFilter(admin.SimpleListFilter):
    title = gettext_lazy("replayed")
    parameter_name = "replayed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", _("not yet")), ("yes", _("yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(replayed_at__isnull=self.value() == "no")
        return queryset


@admin.register(DeadLetter)
class DeadLetterAdmin(WithStaffActions, ReadOnly, ModelAdmin):
    """Whoever may see dead letters sees all but their texts; these take `view_payload`."""

    staff_actions = (REPLAY,)
    list_display = ("id", "what_happened", "handler", "place", "buried", "state")
    list_filter = (
        ReplayedFilter,
        "source",
        "reason",
        "topic",
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("task",)
    list_per_page = 50
    search_fields = ("=id", "=offset", "=user_id", "=reason")
    search_help_text = gettext_lazy("Its id, its offset, the user's id or the reason")
    ordering = ("-id",)
    readonly_fields = (
        *("cause", "what_to_do"),
        *("stage", "handler", "place", "event_key", "happened", "buried", "attempts"),
        *("state_now", "related", "payload", "header_lines"),
    )
    fieldsets = (
        (None, {"fields": ("cause", "what_to_do")}),
        (
            gettext_lazy("Where and when"),
            {
                "fields": (
                    ("stage", "handler"),
                    ("place", "event_key"),
                    ("happened", "buried"),
                    ("attempts", "state_now"),
                    "related",
                )
            },
        ),
        (gettext_lazy("The message"), {"fields": ("payload", "header_lines")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        # A page of payloads may be megabytes.
        letters: QuerySet[DeadLetter] = super().get_queryset(request)
        return letters.select_related("task").defer("value", "headers")

    def get_object(self, request: HttpRequest, *args: Any, **options: Any) -> DeadLetter | None:
        letter: Any = super().get_object(request, *args, **options)
        if letter is not None:
            letter.with_texts = request.user.has_perm("kafka_bridge.view_payload")
        return letter  # type: ignore[no-any-return]

    # --- what happened ---

    @display(description=gettext_lazy("cause"), ordering="reason", header=True)
    def what_happened(self, letter: DeadLetter) -> tuple[Any, str]:
        return _advice(letter).cause, f"{letter.reason} {letter.detail}".strip()[:120]

    @display(description=gettext_lazy("cause"))
    def cause(self, letter: DeadLetter) -> str:
        return format_html(
            "{} <code>{}</code> {}", _advice(letter).cause, letter.reason, letter.detail
        )

    @display(description=gettext_lazy("what to do"))
    def what_to_do(self, letter: DeadLetter) -> str:
        return format_html("<strong>{}</strong>", _advice(letter).what_to_do)

    # --- where and when ---

    @display(description=gettext_lazy("came to its end"), ordering="source")
    def stage(self, letter: DeadLetter) -> str:
        return str(_STAGES[letter.source])

    @display(description=gettext_lazy("happened"), ordering="occurred_at")
    def happened(self, letter: DeadLetter) -> str:
        return _time(letter.occurred_at)

    @display(description=gettext_lazy("dead since"), ordering="created_at")
    def buried(self, letter: DeadLetter) -> str:
        return _time(letter.created_at)

    @display(description=gettext_lazy("place"), ordering="topic")
    def place(self, letter: DeadLetter) -> str:
        if letter.partition is None or letter.offset is None:
            return letter.topic
        return f"{letter.topic} [{letter.partition}] @ {letter.offset}"

    @display(description=gettext_lazy("handler"))
    def handler(self, letter: DeadLetter) -> str:
        return letter.task.name if letter.task else ""

    @display(description=gettext_lazy("event"))
    def event_key(self, letter: Any) -> str:
        raw = None if letter.key is None else bytes(letter.key)
        return payload_view.key(raw, known=_EVENT_KEYS, with_texts=letter.with_texts)

    @display(description=gettext_lazy("attempts"))
    def attempts(self, letter: DeadLetter) -> str:
        task = letter.task
        if task is None:
            return ""
        return _("{attempts}; crashes while alone: {crashes}; made due again: {replays}").format(
            attempts=task.attempts, crashes=task.crashes_alone, replays=task.replays
        )

    @display(description=gettext_lazy("state"), label=_STATE_COLOURS)
    def state(self, letter: DeadLetter) -> tuple[str, str]:
        return _state(letter)

    @display(description=gettext_lazy("state"))
    def state_now(self, letter: DeadLetter) -> str:
        return _state(letter)[1]

    @display(description=gettext_lazy("see also"))
    def related(self, letter: DeadLetter) -> str:
        """Where the installed apps show more of what it is about."""
        ids = payload_view.ids(_bytes(letter.value))
        found = [
            (reverse(f"admin:{link.model}_changelist"), wanted, link.title, wanted)
            for link in LINKS
            if (wanted := ids.get(link.id_name)) is not None
        ]
        return format_html_join(
            " · ", '<a class="text-primary-600 underline" href="{}?q={}">{} {}</a>', found
        )

    # --- the message ---

    @display(description=gettext_lazy("payload"))
    def payload(self, letter: Any) -> str:
        shown = payload_view.payload(_bytes(letter.value), with_texts=letter.with_texts)
        hint = _("Texts are masked: seeing them takes the permission to see payloads.")
        return format_html(
            '<pre class="overflow-x-auto whitespace-pre-wrap font-mono text-xs leading-5">{}</pre>'
            "{}",
            shown.text,
            format_html('<p class="text-font-subtle-light mt-2">{}</p>', hint)
            if shown.is_masked
            else "",
        )

    @display(description=gettext_lazy("headers"))
    def header_lines(self, letter: Any) -> str:
        shown = payload_view.headers(letter.headers, with_texts=letter.with_texts)
        return format_html_join("", "<div><code>{}</code>: {}</div>", shown) or "–"


def _state(letter: DeadLetter) -> tuple[str, str]:
    if letter.replayed_at is None:
        return "waits", _("waits for you")
    task = letter.task
    if task is not None and task.state == task.State.DONE:
        return "done", _("replayed and done")
    if task is not None and task.state == task.State.DEAD:
        return "dead", _("replayed, and dead again")
    return "replayed", _("replayed")


def _advice(letter: DeadLetter) -> Any:
    return advice_for(source=letter.source, reason=letter.reason, detail=letter.detail)


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _bytes(raw: bytes | memoryview | None) -> bytes | None:
    return None if raw is None else bytes(raw)
