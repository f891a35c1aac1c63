"""Health, and `/metrics`.

`/health` is for load balancers (can this process serve?), `/health/live` for restarts,
`/health/ready` for people and monitoring (does the whole system work, and if not, which part?).
"""

from functools import cache

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from resume_platform.http.errors import ServiceUnavailable
from resume_platform.http.schema import ErrorSerializer, Problem, answers
from resume_platform.observability import readiness
from resume_platform.observability.exporter import registry_of
from resume_platform.observability.readiness import Part


class HealthSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["OK"])


class PartSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["OK", "down", "unknown"])
    reason = serializers.CharField(required=False, help_text="Why it is not OK.")


class ReadySerializer(HealthSerializer):
    parts = serializers.DictField(
        child=PartSerializer(),
        help_text="database, redis, cache (if it is a server of its own), kafka, bridge and"
        " worker-… for each queue; flower, if it is watched, may be down.",
    )


class NotReadySerializer(ErrorSerializer):
    """An error, and each part with its reason."""

    parts = serializers.DictField(child=PartSerializer())


AWAY = Problem(503, "unavailable", "No answer from: redis.")
OK = {"status": "OK"}
READY = {"status": "OK", "parts": {"database": OK, "kafka": OK, "bridge": OK, "worker-ai": OK}}
NOT_READY = {
    "detail": "Not ready: worker-ai.",
    "code": "not_ready",
    "parts": {
        "database": OK,
        "worker-ai": {"status": "down", "reason": "No sign of life for 12 s."},
    },
}


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
        redis_answers = readiness.redis_answers() and readiness.cache_answers()
        servers = (("database", readiness.database_answers()), ("redis", redis_answers))
        away = [name for name, is_there in servers if not is_there]
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


class ReadyView(OpenView):
    """200 when every part that the main job needs works, else 503; a reason for each that does not.

    What is killed is named within 15 seconds. Not for load balancers: the web process serves well
    while a worker is away.
    """

    @extend_schema(
        operation_id="health_ready",
        tags=["health"],
        responses={
            200: OpenApiResponse(
                ReadySerializer, "OK", [OpenApiExample("OK", READY, response_only=True)]
            ),
            503: OpenApiResponse(
                NotReadySerializer,
                "Service Unavailable",
                [OpenApiExample("not_ready", NOT_READY, response_only=True, status_codes=["503"])],
            ),
        },
    )
    def get(self, request: Request) -> Response:
        parts = readiness.look().parts
        shown = {part.name: _shown(part) for part in parts}
        if all(part.is_up for part in parts if part.needed):
            return Response({**OK, "parts": shown})
        # The culprits; what is unknown is so because of one of them.
        down = [part.name for part in parts if part.needed and part.is_up is False]
        detail = _("Not ready: {names}.").format(names=", ".join(down))
        return Response({"detail": detail, "code": "not_ready", "parts": shown}, status=503)


class MetricsView(OpenView):
    """The web processes' metrics, in Prometheus' text format."""

    @extend_schema(
        operation_id="metrics",
        tags=["health"],
        responses={(200, "text/plain"): OpenApiResponse(str, "The metrics.")},
    )
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


@cache
def _registry() -> CollectorRegistry:
    return registry_of("web")


def _shown(part: Part) -> dict[str, str]:
    if part.is_up:
        return OK
    return {"status": "unknown" if part.is_up is None else "down", "reason": part.sentence}
