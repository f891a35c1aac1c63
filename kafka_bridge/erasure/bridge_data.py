"""What the bridge's own tables hold of users: payloads in the inbox, and dead letters."""

from kafka_bridge.contract.events import EraseUser
from kafka_bridge.erasure.erase_user import register_personal_data
from kafka_bridge.erasure.personal_data import PersonalData

_NOT_THE_ORDER_ITSELF = f"t.user_id = %(user)s AND t.key <> '{EraseUser.key}'"

INBOX = PersonalData(
    name="bridge.inbox",
    table="kafka_bridge_inboxmessage",
    has_text="value IS NOT NULL",
    without_text="value = NULL",
    of_user=_NOT_THE_ORDER_ITSELF,
)
DEAD_LETTERS = PersonalData(
    name="bridge.dead_letters",
    table="kafka_bridge_deadletter",
    has_text="value IS NOT NULL OR headers <> '[]'",
    without_text="value = NULL, headers = '[]', detail = 'erased'",
    of_user=f"t.user_id = %(user)s AND t.key IS DISTINCT FROM '{EraseUser.key}'::bytea",
    unused="t.created_at < %(before)s",
)

register_personal_data("bridge", INBOX, DEAD_LETTERS)
