"""What the reads take and give."""

from typing import Any

from rest_framework import serializers

from apps.storage.reads.queries import Page
from resume_platform.ids import MAX_ID

MAX_LIMIT = 1000


class IdField(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class PageQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MAX_ID)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["page"] = Page(limit=attrs.pop("limit", None), offset=attrs.pop("offset"))
        return attrs


class ResumeQuery(serializers.Serializer[Any]):
    resume_id = IdField()


class RequirementsQuery(PageQuery):
    requirements_id = IdField(required=False, default=None)


class ProcessingQuery(PageQuery):
    processing_id = IdField(required=False, default=None)
    requirements_id = IdField(required=False, default=None)
    sort_by = serializers.ChoiceField(["create_at", "score"], required=False, default="create_at")
    order = serializers.ChoiceField(["asc", "desc"], required=False, default="desc")
    status = serializers.ChoiceField(
        ["queued", "processing", "failed", "finished", "all"], required=False, default="finished"
    )


class ResumeItem(serializers.Serializer[Any]):
    resume_id = serializers.IntegerField()
    user_id = serializers.IntegerField()
    resume = serializers.CharField()


class RequirementsItem(serializers.Serializer[Any]):
    requirements_id = serializers.IntegerField()
    user_id = serializers.IntegerField()
    requirements = serializers.CharField()


class ProcessingItem(serializers.Serializer[Any]):
    processing_id = serializers.IntegerField()
    resume_id = serializers.IntegerField()
    requirements_id = serializers.IntegerField()
    user_id = serializers.IntegerField()
    create_at = serializers.DateTimeField()
    status = serializers.ChoiceField(["queued", "failed", "finished"])
    score = serializers.IntegerField(allow_null=True)
    verdict = serializers.CharField(allow_null=True)


class ProcessingDetailItem(ProcessingItem):
    resume = serializers.CharField(allow_null=True)
    requirements = serializers.CharField(allow_null=True)
    matches = serializers.ListField(child=serializers.CharField(), allow_null=True)
    recommendation = serializers.CharField(allow_null=True)
    details = serializers.DictField(allow_null=True)
    message_error = serializers.CharField(allow_null=True)
    wait_seconds = serializers.IntegerField(allow_null=True)
