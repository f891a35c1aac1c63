"""GET /webhook_secret."""

from typing import cast

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.notifications import services
from resume_platform.api.schema import PROTECTED, answers


class WebhookSecretView(APIView):
    """The secret with which a user verifies the callbacks it receives."""

    @extend_schema(
        tags=["callbacks"],
        summary="The secret that verifies my callbacks",
        responses=answers(
            {200: inline_serializer("WebhookSecret", {"secret": serializers.CharField()})},
            *PROTECTED,
            example={"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        ),
    )
    def get(self, request: Request) -> Response:
        # Every authentication class of ours sets a user with an id; the permission asks for one.
        user_id = cast(int, request.user.id)
        return Response({"secret": services.webhook_secret(user_id=user_id)})
