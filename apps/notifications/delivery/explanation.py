"""Why a callback is not delivered, in a sentence for people."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.notifications.models import Callback

_REASONS = {
    "timeout": gettext_lazy("The receiver did not answer in time."),
    "connection_refused": gettext_lazy("The receiver could not be connected to."),
    "connection_broken": gettext_lazy("The connection broke before an answer came."),
    "tls_failed": gettext_lazy("The receiver's TLS certificate or handshake is not valid."),
    "name_not_resolved": gettext_lazy("The receiver's name could not be resolved."),
    "forbidden_address": gettext_lazy("The URL leads to an address that is not called."),
    "bad_url": gettext_lazy("The callback URL cannot be used."),
    "host_busy": gettext_lazy("As many callbacks as may be are under way to this host."),
    "host_failing": gettext_lazy("The host failed again and again and is left alone for a while."),
}


def why_not_delivered(callback: Callback) -> str:
    """Empty for what was delivered."""
    state = Callback.State
    if callback.state == state.DELIVERED:
        return ""
    if callback.state == state.REGISTERED:
        return _("The processing has no outcome yet.")
    if callback.state == state.CANCELLED:
        if callback.callback_url:
            return _("A later judgement of the processing was called back instead.")
        return _("Its owner deleted the processing or its requirements.")
    if callback.state == state.PENDING:
        reason = _reason(callback.last_error)
        if callback.next_attempt_at is None or not reason:
            return reason or _("It is about to be sent.")
        when = callback.next_attempt_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{reason} " + _("The next attempt is due at {when}.").format(when=when)
    return f"{_reason(callback.last_error)} {_finality(callback.last_error)}".strip()


def _reason(error: str) -> str:
    if error.startswith("status_"):
        return _("The receiver answered {status}.").format(status=error.removeprefix("status_"))
    return str(_REASONS.get(error, error))


def _finality(error: str) -> str:
    status = error.removeprefix("status_")
    if error in ("forbidden_address", "bad_url"):
        return ""
    if status.startswith("3"):
        return _("Redirects are not followed.")
    if status.startswith("4") and status not in ("408", "429"):
        return _("That answer is final.")
    return _("Every attempt of the schedule was used up.")
