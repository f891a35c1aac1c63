"""A stack of real processes to kill, and messages for the bridge."""

from tests.db.kafka_bridge.conftest import handlers, inbox, log, make_inbox, store  # noqa: F401
from tests.stack.system.conftest import ai, client, query, queue, stack  # noqa: F401
