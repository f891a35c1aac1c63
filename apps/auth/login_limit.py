"""The brute-force block: failed logins of one user name from one address, counted in Redis.

django-axes guards every door (the API and the admin both go through Django's `authenticate`); this
is its storage, because its own cache handler counts in two steps and falls over without Redis.
See decision 0020.
"""

import hashlib
from typing import Any, cast

import redis
from axes.handlers.base import AxesHandler
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.auth.models import User, normalise_username
from resume_platform.api.client_address import client_address
from resume_platform.api.errors import TooManyRequests
from resume_platform.caching import counters_for

# Counting and blocking are one step, so that parallel guesses learn no more than serial ones:
# whoever settles after the block learns nothing, a right password included.
_SETTLE = """
local blocked = redis.call('PTTL', KEYS[2])
if blocked > 0 then return blocked end
if ARGV[1] == '1' then redis.call('DEL', KEYS[1]) return 0 end
local failures = redis.call('INCR', KEYS[1])
if failures == 1 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
if failures >= tonumber(ARGV[2]) then
  redis.call('SET', KEYS[2], '_', 'EX', ARGV[3])
  redis.call('DEL', KEYS[1])
end
return 0
"""
# Where the milliseconds left of a block are noted on the request.
_LEFT = "login_blocked_for"


def refuse_blocked(request: HttpRequest) -> None:
    """Raises TooManyRequests if the attempt that this request made met a block."""
    left = getattr(request, _LEFT, 0)
    if left > 0:
        raise TooManyRequests(_blocked_sentence(), "login_blocked", retry_after=-(-left // 1000))


class RedisHandler(AxesHandler):
    """Axes' storage. Redis being away lets through and raises the metric."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        counters = counters_for("auth")
        try:
            left = counters.redis.pttl(_names(request, (credentials or {}).get("username"))[1])
        except redis.RedisError as error:
            counters.away(error)
            return False
        return _note(request, left)

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
        headers={"Retry-After": str(max(1, -(-left // 1000)))},
    )


def _settle(request: HttpRequest, username: str | None, *, success: bool) -> bool:
    """Count a judged attempt; the last allowed failure starts the block.

    True if a block had begun while the password was being checked.
    """
    counters = counters_for("auth")
    try:
        left = counters.redis.eval(
            _SETTLE,
            2,
            *_names(request, username),
            "1" if success else "0",
            settings.LOGIN_MAX_ATTEMPTS,
            settings.LOGIN_BLOCK_SECONDS,
        )
    except redis.RedisError as error:
        counters.away(error)
        return False
    return _note(request, cast(int, left))


def _note(request: HttpRequest, left: int) -> bool:
    if left <= 0:
        return False
    setattr(request, _LEFT, left)
    request.axes_locked_out = True  # type: ignore[attr-defined]  # axes' middleware reads it
    return True


def _names(request: HttpRequest, username: str | None) -> tuple[str, str]:
    # A digest, for a name typed by anybody may be long, and need not be readable in Redis.
    attempt = f"{normalise_username(username or '')}\n{address_of(request)}"
    who = hashlib.sha256(attempt.encode()).hexdigest()
    counters = counters_for("auth")
    return counters.name(f"login_failed:{who}"), counters.name(f"login_block:{who}")


def _blocked_sentence() -> str:
    return _("Too many failed logins. Try again later.")
