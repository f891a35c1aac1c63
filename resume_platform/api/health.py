"""Health: `/health` for people and load balancers, `/health/live` for restarts."""

import redis
import structlog
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from resume_platform.caching import cache_for

log = structlog.get_logger(__name__)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when database and Redis answer, else 503 that names which does not."""
    away = [name for name, answers in (("database", _database), ("redis", _redis)) if not answers()]
    if away:
        return JsonResponse(
            {
                "status": "unavailable",
                "detail": f"No answer from: {', '.join(away)}.",
                "code": "unavailable",
            },
            status=503,
        )
    return JsonResponse({"status": "OK"})


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "OK"})


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("health.database_away", error=type(error).__name__)
        return False
    return True


def _redis() -> bool:
    try:
        cache_for("health").redis.ping()
    except redis.RedisError as error:
        log.warning("health.redis_away", error=type(error).__name__)
        return False
    return True
