"""The brute-force block: failed logins of one user name from one address, counted in Redis.

django-axes guards every door (the API and the admin both go through Django's `authenticate`); this
is its storage, because its own cache handler counts in two steps and falls over without Redis.
See decision 0020.
"""

import hashlib
import math
from typing import Any

from axes.handlers.base import AxesHandler
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.auth.models import User, normalise_username
from resume_platform.http.client_address import client_address, client_network
from resume_platform.http.errors import TooManyRequests
from resume_platform.redis.cache import counters_for
from resume_platform.redis.window_counter import WindowCounter

# Where the seconds left of a block are noted on the request.
_LEFT = "login_blocked_for"


def refuse_blocked(request: HttpRequest) -> None:
    """Raises TooManyRequests if the attempt that this request made met a block."""
    left = getattr(request, _LEFT, 0)
    if left > 0:
        raise TooManyRequests(_blocked_sentence(), "login_blocked", retry_after=left)


class RedisHandler(AxesHandler):
    """Axes' storage. Redis being away lets through and raises the metric."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        _counter, block = _keys(request, (credentials or {}).get("username"))
        return _note(request, _limit().blocked_for(block))

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        if request is not None:
            _settle(request, credentials.get("username"), success=False)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        late = _settle(request, user.get_username(), success=True)
        if late and hasattr(request, "session"):
            request.session.flush()  # the admin's: a right password after the block opens nothing


def succeeded(request: HttpRequest, user: User) -> None:
    """To be told of a right password that opens no session of Django's own."""
    _settle(request, user.username, success=True)


def address_of(request: HttpRequest) -> str:
    return client_address(request.META, settings.TRUSTED_PROXIES)


def locked_out_page(
    request: HttpRequest, response: HttpResponse, credentials: Any = None
) -> HttpResponse:
    """What the admin's login shows; the API has answered by itself."""
    if response.status_code == 429:
        return response
    left = getattr(request, _LEFT, 0)
    return HttpResponse(
        _blocked_sentence(),
        status=429,
        content_type="text/plain; charset=utf-8",
        headers={"Retry-After": str(max(1, math.ceil(left)))},
    )


def _settle(request: HttpRequest, username: str | None, *, success: bool) -> bool:
    """Count a judged attempt; the last allowed failure starts the block.

    True if a block had begun while the password was being checked: then a right one learns nothing
    either, so that parallel guesses learn no more than serial ones.
    """
    limit = _limit()
    counter, block = _keys(request, username)
    if not success:
        return _note(request, limit.count(counter, block))
    left = limit.blocked_for(block)
    if not left:
        limit.reset(counter)
    return _note(request, left)


def _limit() -> WindowCounter:
    return WindowCounter(
        counters_for("auth"),
        most=settings.LOGIN_MAX_ATTEMPTS,
        window_seconds=settings.LOGIN_BLOCK_SECONDS,
        block_seconds=settings.LOGIN_BLOCK_SECONDS,
        block_at_limit=True,
    )


def _note(request: HttpRequest, left: float) -> bool:
    if left <= 0:
        return False
    setattr(request, _LEFT, left)
    request.axes_locked_out = True  # type: ignore[attr-defined]  # axes' middleware reads it
    return True


def _keys(request: HttpRequest, username: str | None) -> tuple[str, str]:
    """Of the counter and of the block."""
    # A digest, for a name typed by anybody may be long, and need not be readable in Redis.
    client = client_network(request.META, settings.TRUSTED_PROXIES)
    attempt = f"{normalise_username(username or '')}\n{client}"
    who = hashlib.sha256(attempt.encode()).hexdigest()
    return f"login_failed:{who}", f"login_block:{who}"


def _blocked_sentence() -> str:
    return _("Too many failed logins. Try again later.")
