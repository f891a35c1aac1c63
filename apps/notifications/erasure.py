"""What notifications holds of a user's texts: bodies, URLs, and what receivers answered."""

from apps.notifications import claims
from kafka_bridge.erasure.erase_user import register_personal_data
from kafka_bridge.erasure.personal_data import PersonalData

_ENDED = "state IN ('delivered', 'failed', 'cancelled')"

register_personal_data(
    "notifications",
    PersonalData(
        name="notifications.callbacks",
        table="notifications_callback",
        has_text="t.callback_url <> '' OR t.body <> ''",
        without_text="callback_url = '', body = '', headers = '{}', next_attempt_at = NULL,"
        f" state = CASE WHEN {_ENDED} THEN state ELSE 'cancelled' END",
        unused=f"t.created_at < %(before)s AND t.{_ENDED}",
    ),
    PersonalData(
        name="notifications.answers",
        table="notifications_callbackattempt",
        has_text="t.response_excerpt <> '' OR t.address <> ''",
        without_text="response_excerpt = '', address = ''",
        of_user="t.callback_id IN (SELECT id FROM notifications_callback WHERE user_id = %(user)s)",
        unused="t.started_at < %(before)s",
    ),
    before=claims.wait_for_claims,
)
