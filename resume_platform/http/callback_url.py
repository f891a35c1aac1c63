"""The serializer field of a callback's URL: the same rule and sentences wherever one is taken."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from resume_platform.net import addresses

_SENTENCES = {
    "malformed": gettext_lazy("This is not a URL with a host."),
    "scheme": gettext_lazy("The URL must begin with http:// or https://."),
    "credentials": gettext_lazy("The URL must not hold a user name or a password."),
    "forbidden_address": gettext_lazy("The URL leads to an address that is not called."),
}


class CallbackUrlField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=addresses.MAX_URL_LENGTH, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        try:
            addresses.check_url(value, settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS)
        except addresses.BadUrl as error:
            raise serializers.ValidationError(_SENTENCES[error.reason]) from error
        return value
