"""What notifications holds of a user's texts: bodies, URLs, and what receivers answered."""

from apps.notifications import ownership
from kafka_bridge.erasure import erases
from kafka_bridge.texts import Texts

_ENDED = "state IN ('delivered', 'failed', 'cancelled')"

erases(
    "notifications",
    Texts(
        name="notifications.callbacks",
        table="notifications_callback",
        holds="t.callback_url <> '' OR t.body <> ''",
        emptied="callback_url = '', body = '', headers = '{}', next_attempt_at = NULL,"
        f" state = CASE WHEN {_ENDED} THEN state ELSE 'cancelled' END",
        unused=f"t.created_at < %(before)s AND t.{_ENDED}",
    ),
    Texts(
        name="notifications.answers",
        table="notifications_callbackattempt",
        holds="t.response_excerpt <> '' OR t.address <> ''",
        emptied="response_excerpt = '', address = ''",
        of_user="t.callback_id IN (SELECT id FROM notifications_callback WHERE user_id = %(user)s)",
        unused="t.started_at < %(before)s",
    ),
    before=ownership.wait_for_claims,
)
