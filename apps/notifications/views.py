"""The callbacks' endpoints: each validates, calls one service, and returns."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.notifications import redelivery, request_limit, samples, services
from apps.notifications.serializers import (
    NotificationItem,
    NotificationsQuery,
    RedeliveredSerializer,
    RedeliverSerializer,
    TestCallbackSerializer,
    TestedSerializer,
    WebhookSecretSerializer,
)
from resume_platform.http.caller import user_id
from resume_platform.http.schema import (
    JSON_BODY,
    PROTECTED,
    Problem,
    answers,
    invalid,
    request_example,
)

NOT_THERE = Problem(404, "not_found", "There is no such processing.")
FORBIDDEN = Problem(403, "not_owner", "This object belongs to another user.")
BAD_ID = invalid("processing_id", "A valid integer is required.")
CONFLICTS = (
    Problem(409, "no_outcome", "The processing has no outcome yet."),
    Problem(409, "cancelled", "The callback was called off."),
    Problem(409, "too_old", "It is too old to be sent again."),
)
TOO_MANY = Problem(429, "too_many_redeliveries", "Too many requests. Try again later.")
TOO_MANY_TESTS = Problem(429, "too_many_tests", "Too many requests. Try again later.")
BUSY = Problem(429, "busy", "Other samples are being sent. Try again in a moment.")
BAD_URL = invalid("callback_url", "This is not a URL with a host.")
NOTIFICATION = {
    "processing_id": 3,
    "run": 0,
    "webhook_id": "msg_3_0_5d41402abc4b2a76b9719d91",
    "state": "pending",
    "attempts": 1,
    "next_attempt_at": "2026-11-21T12:00:05Z",
    "why_not_delivered": "The receiver answered 503. The next attempt is due at"
    " 2026-11-21 12:00:05 UTC.",
    "history": [
        {
            "number": 1,
            "started_at": "2026-11-21T12:00:00Z",
            "duration_ms": 120,
            "status": 503,
            "error": "",
            "address": "203.0.113.7",
            "response": "busy",
        }
    ],
}


class WebhookSecretView(APIView):
    """The secret with which a user verifies the callbacks it receives."""

    @extend_schema(
        tags=["callbacks"],
        summary="The secret that verifies my callbacks",
        responses=answers(
            {200: WebhookSecretSerializer},
            *PROTECTED,
            example={"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        ),
    )
    def get(self, request: Request) -> Response:
        return Response({"secret": services.webhook_secret(user_id=user_id(request))})


class NotificationsView(APIView):
    """How the callbacks of one processing went."""

    @extend_schema(
        tags=["callbacks"],
        summary="How the callbacks of a processing went, the latest run first",
        parameters=[NotificationsQuery],
        responses=answers(
            {200: NotificationItem(many=True)},
            *(*PROTECTED, FORBIDDEN, NOT_THERE, BAD_ID),
            example=[NOTIFICATION],
        ),
    )
    def get(self, request: Request) -> Response:
        query = NotificationsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        found = redelivery.of_processing(user_id=user_id(request), **query.validated_data)
        return Response(NotificationItem(found, many=True).data)


class RedeliverView(APIView):
    """Sends a callback again, now."""

    @extend_schema(
        tags=["callbacks"],
        summary="Send a processing's callback again",
        request=RedeliverSerializer,
        examples=[request_example({"processing_id": 3})],
        responses=answers(
            {200: RedeliveredSerializer},
            *(*PROTECTED, FORBIDDEN, NOT_THERE, *CONFLICTS, BAD_ID, TOO_MANY, *JSON_BODY),
            example={"status": "Redelivery started", "processing_id": 3, "run": 0},
        ),
    )
    def post(self, request: Request) -> Response:
        form = RedeliverSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        caller = user_id(request)
        request_limit.take(
            user_id=caller,
            what="redeliver",
            per_minute=settings.REDELIVER_PER_MINUTE,
            code="too_many_redeliveries",
        )
        sent = redelivery.redeliver_of(user_id=caller, **form.validated_data)
        answer: dict[str, Any] = {"status": "Redelivery started"}
        return Response(answer | {"processing_id": sent.processing_id, "run": sent.run})


class TestCallbackView(APIView):
    """Sends a signed sample, so that a receiver can be tried before it is needed."""

    @extend_schema(
        tags=["callbacks"],
        summary="Send a signed sample to a URL and see what its receiver says",
        request=TestCallbackSerializer,
        examples=[request_example({"callback_url": "https://recruiter.example.com/cb"})],
        responses=answers(
            {200: TestedSerializer},
            *(*PROTECTED, BAD_URL, TOO_MANY_TESTS, BUSY, *JSON_BODY),
            example={"status": 200, "error": None, "duration_ms": 85, "response": "ok"},
        ),
    )
    def post(self, request: Request) -> Response:
        form = TestCallbackSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        url = form.validated_data["callback_url"]
        result = samples.send(user_id=user_id(request), url=url)
        return Response(
            {
                "status": result.status,
                "error": result.error or None,
                "duration_ms": result.duration_ms,
                "response": result.excerpt,
            }
        )
