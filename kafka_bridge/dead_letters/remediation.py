"""Why a dead letter is one, and what to do about it, in a sentence each: one row per reason.

Reasons are constant words of the bridge and of the apps' handlers; a test finds those in the code
that have no row here.
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

ADVICE: dict[str, Advice] = {
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
    "success_without_score": Advice(
        _("It tells of a success, but without a score."),
        _("Have the AI service that wrote it send the whole result; a replay changes nothing."),
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
    # --- the callback's receiver will not have it ---
    "bad_url": Advice(
        _("The callback URL cannot be used."),
        _("Tell the client to start the processing again with a URL that works."),
    ),
    "forbidden_address": Advice(
        _("The callback URL leads to an address that is not called."),
        _("If it shall be called, allow its network in WEBHOOK_ALLOWED_PRIVATE_NETWORKS; replay."),
    ),
    "status_3": Advice(
        _("The receiver answered with a redirect, which is not followed."),
        _("Tell the client to start the processing again with the URL behind the redirect."),
    ),
    "status_410": Advice(
        _("The receiver says that the URL is gone for good."),
        _("Ask the client for a new URL; replay only if they want the old one called again."),
    ),
    "status_4": Advice(
        _("The receiver refused the callback; its answer is final."),
        _("Ask the client to mend the receiver (signature, path, rights), then replay it."),
    ),
    "status_": Advice(
        _("The receiver gave an answer that is no success."),
        _("Ask the client to mend the receiver, then replay it."),
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

_RECEIVER_AWAY = _("Ask the client whether the receiver works again, then replay it.")
# What stood in the way until every attempt was used up: the detail of "exhausted".
OBSTACLES: dict[str, Advice] = {
    "timeout": Advice(_("The receiver did not answer in time."), _RECEIVER_AWAY),
    "connection_refused": Advice(_("The receiver could not be connected to."), _RECEIVER_AWAY),
    "connection_broken": Advice(_("The connection broke before an answer came."), _RECEIVER_AWAY),
    "tls_failed": Advice(
        _("The receiver's TLS certificate or handshake is not valid."),
        _("Ask the client to renew the certificate, then replay it."),
    ),
    "name_not_resolved": Advice(
        _("The receiver's name could not be resolved."),
        _("Check the name and our DNS; ask the client if it is gone; then replay it."),
    ),
    "status_5": Advice(_("The receiver answered with an error of its own."), _RECEIVER_AWAY),
    "status_4": Advice(
        _("The receiver asked to be called later each time."),
        _("Ask the client whether its limit fits the load, then replay it."),
    ),
}

_BY_SOURCE: dict[str, Advice] = {
    DeadLetter.Source.INTAKE: Advice(_("It could not be read."), _SENT_AGAIN),
    DeadLetter.Source.HANDLER: Advice(_("It could not be handled."), _OUR_DEFECT),
    DeadLetter.Source.OUTBOX: Advice(
        _("The broker refused it with the error that the reason names."),
        _("Look that error up in Kafka's documentation, mend the cluster, then replay it."),
    ),
}


def advice_for(*, source: str, reason: str, detail: str = "") -> Advice:
    """The row of the reason, else what holds for its source; of "exhausted" that of its detail."""
    if reason == "exhausted":
        if ".py:" in detail:  # an exception's kind and place: `failures.describe`
            return Advice(ADVICE["unexpected"].cause, _OUR_DEFECT)
        return _row(OBSTACLES, detail) or ADVICE[reason]
    # librdkafka's own errors begin with a "_".
    return _row(ADVICE, reason.removeprefix("_")) or _BY_SOURCE[source]


def _row(table: Mapping[str, Advice], word: str) -> Advice | None:
    """`status_404` has its own row, or that of `status_4`, or that of `status_`."""
    if not word.startswith("status_"):
        return table.get(word)
    return next(filter(None, (table.get(word[:end]) for end in (None, 8, 7))), None)
