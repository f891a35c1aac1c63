"""Storage's one handler: every event that changes what the reads show."""

from apps.storage import projections
from kafka_bridge.events import (
    DeleteProcessing,
    DeleteRequirements,
    NewNotifications,
    NewProcessing,
    NewRequest,
    NewRequirements,
    NewResume,
    NewSending,
    NewUser,
)
from kafka_bridge.tasks import Received, batch_handler


@batch_handler(
    "storage.apply",
    NewUser,
    NewResume,
    NewRequirements,
    DeleteProcessing,
    DeleteRequirements,
    NewProcessing,
    NewRequest,
    NewSending,
    NewNotifications,
    queue="storage",
)
def apply(batch: list[Received]) -> None:
    """Hundreds of events in a handful of statements. Permanent: a stranger claims an id."""
    projections.apply(batch)
