"""How often one user may ask for deliveries."""

from django.utils.translation import gettext as _

from resume_platform.http.errors import TooManyRequests
from resume_platform.redis.cache import counters_for
from resume_platform.redis.window_counter import WindowCounter

WINDOW_SECONDS = 60


def take(*, user_id: int, what: str, per_minute: int, code: str) -> None:
    """Count one. Raises TooManyRequests; Redis being away lets through."""
    limit = WindowCounter(
        counters_for("notifications"), most=per_minute, window_seconds=WINDOW_SECONDS
    )
    left = limit.count(f"{what}:{user_id}")
    if left > 0:
        raise TooManyRequests(_("Too many requests. Try again later."), code, retry_after=left)
