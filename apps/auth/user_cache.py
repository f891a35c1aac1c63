"""The user behind an access token: from Redis as long as it says yes, else from the database.

The cached entry (`user:{user_id}`) is only ever believed when it confirms a token: a refusal is
checked against the database, and so is an entry older than a minute.
"""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
import structlog
from celery import current_app
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Func, OuterRef
from kombu.exceptions import OperationalError

from apps.auth.models import Session, User
from apps.auth.tokens import Claims
from resume_platform.redis.cache import cache_for

log = structlog.get_logger(__name__)

CACHE_SECONDS = 30 * 60
BELIEVED_SECONDS = 60
RENEWAL_TASK = "accounts.renew_cached_user"
RENEWAL_QUEUE = "storage"  # every system has a worker for it

# An older view of the user never replaces a newer one: a reader that was overtaken by a logout
# must not bring the dead sessions back.
_SET_NEWER = """
local old = redis.call('GET', KEYS[1])
if old and cjson.decode(old)['read_at'] > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
"""


@dataclass(frozen=True)
class Principal:
    """`request.user` of an API request. `created_at` is aware."""

    id: int
    username: str
    full_name: str | None
    created_at: datetime
    is_active: bool = True
    is_authenticated: bool = True
    is_anonymous: bool = False

    @property
    def pk(self) -> int:
        return self.id


def find(claims: Claims) -> Principal | None:
    """The active user of a token whose session is open, or None."""
    entry = cache_for("auth").get(_key(claims.user_id))
    if entry is not None and _recent(entry) and _confirms(entry, claims):
        return _principal(entry)
    entry = refresh(claims.user_id)
    return _principal(entry) if entry is not None and _confirms(entry, claims) else None


def changed(user_id: int) -> None:
    """Renew the cached view, at once or else by a retried task; to be called after every commit.

    While neither cache nor broker can be reached the old view ages: it is believed for a minute.
    """
    try:
        renew(user_id)
    except redis.RedisError as error:
        cache_for("auth").away(error)
    else:
        return
    try:
        current_app.send_task(RENEWAL_TASK, args=[user_id], queue=RENEWAL_QUEUE, retry=False)
    except (OperationalError, redis.RedisError, OSError) as error:
        log.warning("principal.renewal_lost", user_id=user_id, error=type(error).__name__)


def renew(user_id: int) -> None:
    """Put the user as it is now in place of the cached view.

    Raises redis.RedisError while Redis is away.
    """
    _store(user_id, _read(user_id))


def refresh(user_id: int) -> dict[str, Any] | None:
    """Read the user anew and cache it, if that is possible."""
    entry = _read(user_id)
    try:
        _store(user_id, entry)
    except redis.RedisError as error:
        cache_for("auth").away(error)
    return entry


def _store(user_id: int, entry: dict[str, Any] | None) -> None:
    cache = cache_for("auth")
    name = cache.name(_key(user_id))
    if entry is None:
        cache.redis.delete(name)
        return
    value = json.dumps(entry, ensure_ascii=False)
    cache.redis.eval(_SET_NEWER, 1, name, value, repr(entry["read_at"]), CACHE_SECONDS)


def _read(user_id: int) -> dict[str, Any] | None:
    sessions = Session.objects.active().filter(user=OuterRef("pk")).values("id")
    user = (
        User.objects.filter(id=user_id)
        .annotate(
            # Taken before the snapshot, so that views of a user are ordered by it.
            read_at=Func(function="statement_timestamp", output_field=models.DateTimeField()),
            open_sessions=ArraySubquery(sessions),
        )
        .values()
        .first()
    )
    if user is None:
        return None
    return {
        "user_id": user["id"],
        "username": user["username"],
        "full_name": user["full_name"],
        "created_at": user["created_at"].isoformat(),
        "is_active": user["is_active"],
        "session_version": user["session_version"],
        "sessions": [str(session_id) for session_id in user["open_sessions"]],
        "read_at": user["read_at"].timestamp(),
    }


def _confirms(entry: dict[str, Any], claims: Claims) -> bool:
    return (
        entry["is_active"]
        and entry["session_version"] == claims.session_version
        and claims.session_id in entry["sessions"]
    )


def _recent(entry: dict[str, Any]) -> bool:
    return bool(abs(time.time() - entry["read_at"]) < BELIEVED_SECONDS)


def _principal(entry: dict[str, Any]) -> Principal:
    return Principal(
        id=entry["user_id"],
        username=entry["username"],
        full_name=entry["full_name"],
        created_at=datetime.fromisoformat(entry["created_at"]),
    )


def _key(user_id: int) -> str:
    return f"user:{user_id}"
