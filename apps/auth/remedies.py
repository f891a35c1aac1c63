"""Where the staff find the user whom a dead letter is about."""

from django.utils.translation import gettext_lazy as _

from kafka_bridge.dead_letters.remediation import Link, register_link

register_link(Link("accounts_user", _("user"), "user_id"))
