"""The whole pipeline on one page: which handlers each event wakes.

What an app does in turn is in `apps/<app>/tasks.py`; what it then tells, in its services.
Handlers of an app that is left out (ENABLED_APPS) are somebody else's and get no task here.
"""

from django.conf import settings

from kafka_bridge.contract.events import (
    DeleteProcessing,
    DeleteRequirements,
    EraseUser,
    Event,
    NewNotifications,
    NewProcessing,
    NewRequest,
    NewRequirements,
    NewResume,
    NewSending,
    NewUser,
)

ROUTES: dict[type[Event], tuple[str, ...]] = {
    NewUser: ("storage.apply",),
    NewResume: ("storage.apply",),
    NewRequirements: ("storage.apply",),
    NewRequest: ("ai.analyze", "notifications.register", "storage.apply"),
    NewProcessing: ("storage.apply",),
    NewSending: ("notifications.deliver", "storage.apply"),
    NewNotifications: ("notifications.deliver", "storage.apply"),
    DeleteProcessing: ("ai.forget", "notifications.cancel", "storage.apply"),
    DeleteRequirements: ("ai.forget", "notifications.cancel", "storage.apply"),
    EraseUser: (
        "ai.erase",
        "auth.erase",
        "bridge.erase",
        "notifications.erase",
        "storage.erase",
        "uploads.erase",
    ),
}
# Keeps house in its own tables, whoever else is left out.
BRIDGE = "bridge"
# Every system has workers of this queue, so erasures wait in it.
ERASURE_QUEUE = "storage"
# Who does replayed work again unless others are named: nothing is billed or called back by it.
REPLAYED_BY = "storage"


def is_enabled(task_name: str) -> bool:
    app = task_name.partition(".")[0]
    return app == BRIDGE or app in settings.ENABLED_APPS


def tasks_for(event_type: type[Event]) -> tuple[str, ...]:
    """The handlers that owe work for an event, in this process's configuration."""
    return tuple(name for name in ROUTES[event_type] if is_enabled(name))
