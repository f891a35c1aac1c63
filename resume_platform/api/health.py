"""Health: `/health` for people and load balancers, `/health/live` for restarts; and `/metrics`."""

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from resume_platform.api.errors import ServiceUnavailable
from resume_platform.api.schema import Problem, answers
from resume_platform.caching import cache_for, counters_for

log = structlog.get_logger(__name__)


class HealthSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["OK"])


AWAY = Problem(503, "unavailable", "No answer from: redis.")
OK = {"status": "OK"}


class OpenView(APIView):
    """For everybody: whatever they send in `Authorization` is ignored."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class HealthView(OpenView):
    """200 when database and Redis answer, else 503 that names which does not."""

    @extend_schema(
        operation_id="health",
        tags=["health"],
        responses=answers({200: HealthSerializer}, AWAY, example=OK),
    )
    def get(self, request: Request) -> Response:
        servers = (("database", _database), ("redis", _redis))
        away = [name for name, is_there in servers if not is_there()]
        if away:
            sentence = _("No answer from: {names}.").format(names=", ".join(away))
            raise ServiceUnavailable(sentence, "unavailable")
        return Response(OK)


class LiveView(OpenView):
    """200 while the process serves."""

    @extend_schema(
        operation_id="health_live",
        tags=["health"],
        responses=answers({200: HealthSerializer}, example=OK),
    )
    def get(self, request: Request) -> Response:
        return Response(OK)


class MetricsView(OpenView):
    """This process's metrics, in Prometheus' text format."""

    @extend_schema(
        operation_id="metrics",
        tags=["health"],
        responses={(200, "text/plain"): OpenApiResponse(str, "The metrics.")},
    )
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


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
        counters_for("health").redis.ping()
        if settings.CACHE_URL != settings.REDIS_URL:
            cache_for("health").redis.ping()
    except redis.RedisError as error:
        log.warning("health.redis_away", error=type(error).__name__)
        return False
    return True
