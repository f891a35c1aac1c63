"""Receivers, and events that take the bridge's own way."""

from tests.db.apps.notifications.conftest import bridge, no_marks, receive  # noqa: F401
