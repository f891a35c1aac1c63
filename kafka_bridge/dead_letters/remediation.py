"""Why a dead letter is one, and what to do about it, in a sentence each: one row per reason.

Reasons are constant words. The bridge's own stand here, each app registers those of its handlers;
a test finds the words in the code that have no row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from kafka_bridge.models import DeadLetter


@dataclass(frozen=True)
class Advice:
    cause: Any
    what_to_do: Any


_SENT_AGAIN = _(
    "Have the service that wrote it send it again in the contract's form; "
    "a replay helps only once newer code of ours can read it."
)
_OUR_DEFECT = _(
    "It is a defect of ours: report the place that the detail names, and replay it once mended."
)

# By the reason of the dead letter.
REASONS: dict[str, Advice] = {
    # --- it could not be read ---
    "unknown_key": Advice(
        _("No event of this topic has this key."),
        _("Find out who writes it: of a newer version's event, deploy that version and replay."),
    ),
    "not_json": Advice(_("The value is not JSON in UTF-8."), _SENT_AGAIN),
    "invalid": Advice(_("A field is missing or wrong; the detail names it."), _SENT_AGAIN),
    "unreadable": Advice(_("Reading it failed in a way that nobody foresaw."), _OUR_DEFECT),
    "unstorable": Advice(
        _("The database refuses to store it, for the reason in the detail."), _SENT_AGAIN
    ),
    # --- it could not be handled ---
    "owner_conflict": Advice(
        _("It claims an id that belongs to another user."),
        _("Find out which service gave the id out twice; a replay changes nothing."),
    ),
    "protected_user": Advice(
        _("It asks to erase a member of the staff."),
        _("Find out who sent it. If it is right, take the rights away first; then replay it."),
    ),
    "exhausted": Advice(
        _("Every attempt of the schedule was used up; the detail says what stood in the way."),
        _("See to it that the obstacle is gone, then replay it."),
    ),
    "unexpected": Advice(_("The handler failed in a way that nobody foresaw."), _OUR_DEFECT),
    "crashed": Advice(
        _("The worker died three times while it handled this alone."),
        _("Look for the end of the worker in its log (out of memory?), then replay it."),
    ),
    # --- it could not be produced ---
    "MSG_SIZE_TOO_LARGE": Advice(
        _("The message is larger than the broker takes."),
        _("Raise the topic's max.message.bytes, then replay it."),
    ),
    "INVALID_ARG": Advice(
        _("The topic or the message's form is none that the broker knows."),
        _("Check the KAFKA_TOPIC_ settings and `manage.py create_topics`, then replay it."),
    ),
}

# What stood in the way until every attempt was used up: the detail of "exhausted".
OBSTACLES: dict[str, Advice] = {}

_BY_SOURCE: dict[str, Advice] = {
    DeadLetter.Source.INTAKE: Advice(_("It could not be read."), _SENT_AGAIN),
    DeadLetter.Source.HANDLER: Advice(_("It could not be handled."), _OUR_DEFECT),
    DeadLetter.Source.OUTBOX: Advice(
        _("The broker refused it with the error that the reason names."),
        _("Look that error up in Kafka's documentation, mend the cluster, then replay it."),
    ),
}


def register(
    *, reasons: Mapping[str, Advice] | None = None, obstacles: Mapping[str, Advice] | None = None
) -> None:
    """Add an app's reasons, and the obstacles that may use up every attempt of its handlers."""
    REASONS.update(reasons or {})
    OBSTACLES.update(obstacles or {})


@dataclass(frozen=True)
class Link:
    """A list in the admin that shows more of a dead letter: searched by one of its event's ids."""

    model: str
    """As the admin names it: `app_model`."""
    title: Any
    id_name: str


LINKS: list[Link] = []


def register_link(link: Link) -> None:
    LINKS.append(link)


def advice_for(*, source: str, reason: str, detail: str = "") -> Advice:
    """The row of the reason, else what holds for its source; of "exhausted" that of its detail."""
    if reason == "exhausted":
        if ".py:" in detail:  # an exception's kind and place: `failures.describe`
            return Advice(REASONS["unexpected"].cause, _OUR_DEFECT)
        return _row(OBSTACLES, detail) or REASONS[reason]
    # librdkafka's own errors begin with a "_".
    return _row(REASONS, reason.removeprefix("_")) or _BY_SOURCE[source]


def _row(table: Mapping[str, Advice], word: str) -> Advice | None:
    """`status_404` has its own row, or that of `status_4`, or that of `status_`."""
    if not word.startswith("status_"):
        return table.get(word)
    return next(filter(None, (table.get(word[:end]) for end in (None, 8, 7))), None)
