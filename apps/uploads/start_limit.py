"""How often one user may start processings."""

from django.conf import settings
from django.utils.translation import gettext as _

from resume_platform.http.errors import TooManyRequests
from resume_platform.redis.cache import counters_for
from resume_platform.redis.window_counter import WindowCounter

WINDOW_SECONDS = 60


def take_start(*, user_id: int) -> None:
    """Count one start. Raises TooManyRequests; Redis being away lets through."""
    limit = WindowCounter(
        counters_for("uploads"),
        most=settings.START_PROCESSING_PER_MINUTE,
        window_seconds=WINDOW_SECONDS,
        block_seconds=settings.START_PROCESSING_BLOCK_SECONDS,
    )
    # The second key is spelt as the contract has it.
    left = limit.count(f"start_processing:{user_id}", f"start_processing_bloc:{user_id}")
    if left > 0:
        raise TooManyRequests(
            _("Too many processings were started. Try again later."),
            "too_many_starts",
            retry_after=left,
        )
