"""What accounts hold of a user: name, e-mail, password, sessions, and the staff's log about them.

The row stays, under a name that says so, as the memory that this id was somebody's.
"""

from django.conf import settings
from django.db.models import Q

from apps.auth import user_cache
from apps.auth.models import User
from kafka_bridge.erasure import personal_data
from kafka_bridge.erasure.erase_user import register_personal_data, register_protected
from kafka_bridge.erasure.personal_data import PersonalData

ACCOUNT = PersonalData(
    name="auth.accounts",
    table="accounts_user",
    # Without a password no hash matches; a higher version makes every token worthless.
    has_text="t.is_active OR t.full_name IS NOT NULL"
    " OR t.username NOT LIKE 'erased-%%@erased.invalid'",
    without_text="username = 'erased-' || id || '@erased.invalid', full_name = NULL,"
    " password = '!',"
    " is_active = FALSE, is_staff = FALSE, is_superuser = FALSE,"
    " session_version = session_version + 1",
    of_user="t.id = %(user)s",
)
SESSIONS = PersonalData(
    name="auth.sessions",
    table="accounts_session",
    has_text="t.revoked_at IS NULL OR t.refresh_digest <> ''",
    without_text="revoked_at = coalesce(revoked_at, clock_timestamp()), refresh_digest = ''",
)
STAFF_LOG = PersonalData(
    name="auth.staff_log",
    table="django_admin_log",
    has_text="t.object_repr <> ''",
    without_text="object_repr = ''",
    of_user="t.object_id = (%(user)s)::text AND t.content_type_id = ("
    "SELECT id FROM django_content_type WHERE app_label = 'accounts' AND model = 'user')",
)
KINDS = (ACCOUNT, SESSIONS, STAFF_LOG)


def close_account(user_id: int) -> None:
    """Take the person out of the account and end its sessions, in the caller's transaction."""
    for kind in KINDS:
        personal_data.empty_of_user(kind, user_id=user_id)


def is_staff(user_id: int) -> bool:
    """Members of the staff lose their rights first, by a person's hand."""
    return (
        "auth" in settings.ENABLED_APPS
        and User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), id=user_id).exists()
    )


register_personal_data("auth", *KINDS, also=user_cache.renew)
register_protected(is_staff)
