"""The app of accounts: users, sessions and tokens."""

from django.apps import AppConfig


class AuthConfig(AppConfig):
    name = "apps.auth"
    label = "accounts"  # "auth" is Django's own
    verbose_name = "Accounts"

    def ready(self) -> None:
        from apps.auth import remedies, schema, signals  # noqa: F401  # models exist only by now
