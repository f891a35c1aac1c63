"""What to do about callbacks that became dead letters, and where their attempts are shown."""

from django.utils.translation import gettext_lazy as _

from kafka_bridge.dead_letters.remediation import Advice, Link, register, register_link

REASONS = {
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
}

_RECEIVER_AWAY = _("Ask the client whether the receiver works again, then replay it.")
OBSTACLES = {
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

register(reasons=REASONS, obstacles=OBSTACLES)
register_link(Link("notifications_callbackattempt", _("callback attempts"), "processing_id"))
