"""What the bridge's own tables hold of users: payloads in the inbox, and dead letters."""

from kafka_bridge.erasure import erases
from kafka_bridge.events import EraseUser
from kafka_bridge.texts import Texts

_NOT_THE_ORDER_ITSELF = f"t.user_id = %(user)s AND t.key <> '{EraseUser.key}'"

INBOX = Texts(
    name="bridge.inbox",
    table="kafka_bridge_inboxmessage",
    holds="value IS NOT NULL",
    emptied="value = NULL",
    of_user=_NOT_THE_ORDER_ITSELF,
)
DEAD_LETTERS = Texts(
    name="bridge.dead_letters",
    table="kafka_bridge_deadletter",
    holds="value IS NOT NULL OR headers <> '[]'",
    emptied="value = NULL, headers = '[]', detail = 'erased'",
    of_user=f"t.user_id = %(user)s AND t.key IS DISTINCT FROM '{EraseUser.key}'::bytea",
    unused="t.created_at < %(before)s",
)

erases("bridge", INBOX, DEAD_LETTERS)
