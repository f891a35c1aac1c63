"""What the callbacks' endpoints take and give."""

from typing import Any

from rest_framework import serializers

from apps.notifications.delivery.explanation import why_not_delivered
from apps.notifications.models import Callback
from resume_platform.http.callback_url import CallbackUrlField
from resume_platform.ids import MAX_ID


class WebhookSecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()


class NotificationsQuery(serializers.Serializer[Any]):
    processing_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)


class RedeliverSerializer(serializers.Serializer[Any]):
    processing_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    run = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Default: the latest."
    )


class RedeliveredSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    processing_id = serializers.IntegerField()
    run = serializers.IntegerField()


class TestCallbackSerializer(serializers.Serializer[Any]):
    callback_url = CallbackUrlField()


class TestedSerializer(serializers.Serializer[Any]):
    status = serializers.IntegerField(allow_null=True, help_text="Null when no answer came.")
    error = serializers.CharField(allow_null=True)
    duration_ms = serializers.IntegerField()
    response = serializers.CharField(help_text="The answer's first kilobyte.")


class AttemptItem(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    status = serializers.IntegerField(source="status_code", allow_null=True)
    error = serializers.CharField()
    address = serializers.CharField()
    response = serializers.CharField(source="response_excerpt")


class NotificationItem(serializers.Serializer[Any]):
    processing_id = serializers.IntegerField()
    run = serializers.IntegerField()
    webhook_id = serializers.CharField()
    state = serializers.ChoiceField(Callback.State.values)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    why_not_delivered = serializers.SerializerMethodField()
    history = AttemptItem(many=True)

    def get_why_not_delivered(self, callback: Callback) -> str:
        return why_not_delivered(callback)
