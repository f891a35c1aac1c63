"""What to do about the dead letters that storage makes, and where its rows are shown."""

from django.utils.translation import gettext_lazy as _

from kafka_bridge.dead_letters.remediation import Advice, Link, register, register_link

register(
    reasons={
        "success_without_score": Advice(
            _("It tells of a success, but without a score."),
            _("Have the AI service that wrote it send the whole result; a replay changes nothing."),
        ),
    }
)
register_link(Link("storage_storedprocessing", _("processing"), "processing_id"))
