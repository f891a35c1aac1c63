"""Creates or updates the staff login that the environment names."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.auth import services


class Command(BaseCommand):
    help = "Make DEV_STAFF_USERNAME a superuser with the password DEV_STAFF_PASSWORD."

    def handle(self, *args: Any, **options: Any) -> None:
        username = os.environ.get("DEV_STAFF_USERNAME", "")
        password = os.environ.get("DEV_STAFF_PASSWORD", "")
        if not username or not password:
            raise CommandError("Set DEV_STAFF_USERNAME and DEV_STAFF_PASSWORD in the environment.")
        created = services.ensure_staff(username=username, password=password)
        self.stdout.write(f"{username}: {'created' if created else 'up to date'}")
