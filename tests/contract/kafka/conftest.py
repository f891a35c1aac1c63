"""Topics and a group of each test's own."""

from tests.stack.kafka.conftest import (  # noqa: F401
    handlers,
    inbox,
    log,
    make_inbox,
    own_topics,
    store,
)
