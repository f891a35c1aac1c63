"""The app that calls the clients back."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "apps.notifications"
    label = "notifications"

    def ready(self) -> None:
        from apps.notifications import remedies  # noqa: F401  # registers itself; the models exist by now
