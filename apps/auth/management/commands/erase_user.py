"""`manage.py erase_user`: a person's data are erased, everywhere and for good."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.auth import services
from apps.auth.models import User, normalise_username
from kafka_bridge.erasure import erase_user
from resume_platform.http.errors import DomainError
from resume_platform.ids import MAX_ID


class Command(BaseCommand):
    help = (
        "Erase every text of a user: account, resumes, requirements, judgements, callbacks, and"
        " what waits on its way. Figures (scores, tokens, cost, times) stay. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's id, or the e-mail address of the account")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        user_id = _user_id(options["user"])
        counts = erase_user.counts(user_id)
        for name, rows in counts.items():
            self.stdout.write(f"{rows:8} {name}")
        if options["dry_run"]:
            self.stdout.write(f"would erase user {user_id}; nothing was changed")
            return
        if not any(counts.values()):
            self.stdout.write(f"Nothing of user {user_id} is here; others may hold something.")
        if not options["yes"]:
            answer = input(f"Erase all of this for good? Type the id {user_id} to go on: ")
            if answer.strip() != str(user_id):
                raise CommandError("nothing was changed")
        try:
            services.erase_user(user_id=user_id)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(
            f"User {user_id} is shut out, and every app is told to erase. It is done when"
            f" `manage.py erase_user {user_id} --dry-run` counts nothing."
        )


def _user_id(named: str) -> int:
    if named.isascii() and named.isdigit() and 1 <= int(named) <= MAX_ID:
        return int(named)
    if "auth" not in settings.ENABLED_APPS:
        raise CommandError("accounts are kept elsewhere (ENABLED_APPS): name the user by id")
    user = User.objects.filter(username=normalise_username(named)).first()
    if user is None:
        raise CommandError(f"no account has the e-mail address {named}")
    return int(user.pk)
