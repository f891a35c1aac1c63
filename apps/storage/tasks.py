"""Storage's one handler, of every event that changes what the reads show, and its one watch."""

from django.conf import settings

from apps.storage import erasure, projections, watchdog, words  # noqa: F401  erasure registers
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
from kafka_bridge.periodic import periodic
from kafka_bridge.tasks import Received, batch_handler

# A quarter of the time after which a request counts as stalled, but no more than once a minute.
WATCH_SECONDS = min(60.0, settings.STALLED_AFTER_MINUTES * 60 / 4)


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


@periodic("storage.watch_stalled", every=WATCH_SECONDS)
def watch_stalled() -> None:
    """No client waits for ever: what has no result in time is asked for again, then fails."""
    watchdog.watch()


@periodic("storage.index_words", every=words.EVERY_SECONDS)
def index_words() -> None:
    """New resumes can be found by their words; not part of storing them, which must be fast."""
    words.index_new()
