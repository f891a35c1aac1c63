"""Storage's one handler, of every event that changes what the reads show, and its one watch."""

from django.conf import settings

from apps.storage import (
    erasure,  # noqa: F401  registers its handler
    watchdog,
)
from apps.storage.projection import (
    projector,
    search_words,
)
from kafka_bridge.contract.events import (
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
from kafka_bridge.jobs.periodic import periodic
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
    projector.apply(batch)


@periodic("storage.watch_stalled", every=WATCH_SECONDS)
def watch_stalled() -> None:
    """No client waits for ever: what has no result in time is asked for again, then fails."""
    watchdog.watch()


@periodic("storage.index_words", every=search_words.EVERY_SECONDS)
def index_words() -> None:
    """New resumes can be found by their words; not part of storing them, which must be fast."""
    search_words.index_new()
