"""The shapes of the uploads' requests and answers."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from resume_platform.http.callback_url import CallbackUrlField
from resume_platform.ids import MAX_ID
from resume_platform.text import Text, TextEmpty, TextTooLong, canonical

MAX_IDS = 1_000


class UploadedText(serializers.CharField):
    """A canonical text of at most as many characters as the setting `limit` says."""

    def __init__(self, *, limit: str, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)
        self.limit = limit

    def to_internal_value(self, data: Any) -> Text:
        if not isinstance(data, str):
            self.fail("invalid")
        limit = getattr(settings, self.limit)
        try:
            return canonical(data, limit)
        except TextEmpty:
            self.fail("blank")
        except TextTooLong:
            sentence = _("The text is longer than {limit} characters.").format(limit=limit)
            raise serializers.ValidationError(sentence) from None


class ResumeTextSerializer(serializers.Serializer):
    resume = UploadedText(limit="MAX_CHARS_RESUME")


class RequirementsTextSerializer(serializers.Serializer):
    requirements = UploadedText(limit="MAX_CHARS_REQUIREMENTS")


class FileSerializer(serializers.Serializer):
    # An empty file is answered as any other that has no text.
    file = serializers.FileField(allow_empty_file=True)


class StartProcessingSerializer(serializers.Serializer):
    requirements_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    resume_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    callback_url = CallbackUrlField()


class IdsField(serializers.ListField):
    """At most MAX_IDS ids; a longer list is refused before any of them is looked at."""

    child = serializers.IntegerField(min_value=1, max_value=MAX_ID)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_IDS, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) > MAX_IDS:
            raise serializers.ValidationError(_("At most {limit} ids.").format(limit=MAX_IDS))
        return super().to_internal_value(data)


class DeleteProcessingSerializer(serializers.Serializer):
    """Both spellings of the list are read; `validated_data` has `processing_ids` alone."""

    processings_ids = IdsField(required=False)
    processing_ids = IdsField(required=False)

    def validate(self, attrs: dict[str, list[int]]) -> dict[str, list[int]]:
        if not attrs:
            raise serializers.ValidationError({"processings_ids": [_("This field is required.")]})
        ids = {number for numbers in attrs.values() for number in numbers}
        if len(ids) > MAX_IDS:
            raise serializers.ValidationError(
                {"processings_ids": [_("At most {limit} ids.").format(limit=MAX_IDS)]}
            )
        return {"processing_ids": sorted(ids)}


class DeleteRequirementsSerializer(serializers.Serializer):
    requirements_ids = IdsField()


class ResumeIdSerializer(serializers.Serializer):
    resume_id = serializers.IntegerField()


class RequirementsIdSerializer(serializers.Serializer):
    requirements_id = serializers.IntegerField()


class StartedSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["Processing started"])
    processing_id = serializers.IntegerField()


class DeletedSerializer(serializers.Serializer):
    is_deleted = serializers.BooleanField()
