"""The app of uploads: resumes, requirements, and the wish to have one judged by the other."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "apps.uploads"
    label = "uploads"
    verbose_name = "Uploads"

    def ready(self) -> None:
        from apps.uploads import issued_ids  # noqa: F401  registers itself, for every process
