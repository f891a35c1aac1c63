"""What `manage.py check --deploy` asks beside Django's own questions; what begins with Django."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from resume_platform.observability import tracing


class PlatformConfig(AppConfig):
    """Makes Django load the checks, and begins the traces."""

    name = "resume_platform"

    def ready(self) -> None:
        tracing.configure(settings.LOGGING["process"])


@register(Tags.security, deploy=True)
def keys_differ(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.JWT_SIGNING_KEY != settings.SECRET_KEY:
        return []
    return [
        Error(
            "JWT_SIGNING_KEY is the SECRET_KEY.",
            hint="Whoever verifies tokens holds the one and must not know the other.",
            id="resume_platform.E001",
        )
    ]
