"""What staff may have done to a callback."""

from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from apps.notifications import redelivery
from resume_platform.admin.staff_actions import StaffAction

DELIVER_AGAIN = StaffAction(
    name="deliver_again",
    title=gettext_lazy("Deliver again"),
    warning=gettext_lazy(
        "The outcome is sent to the client's callback URL again, under the same webhook-id."
    ),
    permission="notifications.deliver_again",
    act=redelivery.redeliver,
    done=ngettext_lazy(
        "%(count)d callback will be delivered again.",
        "%(count)d callbacks will be delivered again.",
        "count",
    ),
    recorded=gettext_noop("Had its callback delivered again."),
    icon="send",
)
