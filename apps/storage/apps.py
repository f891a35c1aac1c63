"""The app that answers the reads: rows that follow the events."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    name = "apps.storage"
    label = "storage"

    def ready(self) -> None:
        from apps.storage import remedies  # noqa: F401  # registers itself; the models exist by now
