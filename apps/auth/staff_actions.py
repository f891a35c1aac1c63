"""What staff may have done to a user."""

from django.contrib.admin.models import DELETION
from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from apps.auth import services
from apps.auth.models import User
from resume_platform.admin.staff_actions import StaffAction


def erase(user: User) -> None:
    """Raises Conflict for a member of the staff."""
    services.erase_user(user_id=user.pk)
    user.refresh_from_db()  # the log's line names it as it is now


ERASE = StaffAction(
    name="erase",
    title=gettext_lazy("Erase all data"),
    warning=gettext_lazy(
        "The account is closed at once, and every text of the user is erased everywhere: resumes, "
        "requirements, judgements, callbacks. Figures stay. This cannot be undone."
    ),
    permission="accounts.erase_user",
    act=erase,
    done=ngettext_lazy(
        "%(count)d user is shut out, and the data are being erased.",
        "%(count)d users are shut out, and their data are being erased.",
        "count",
    ),
    recorded=gettext_noop("Had all data erased."),
    icon="person_remove",
    confirmed=True,
    is_offered=lambda user: not user.is_staff,
    flag=DELETION,
)
