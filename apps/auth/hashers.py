"""Passwords are hashed by Argon2id, only so many at once: each takes 19 MiB."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext as _

from resume_platform.http.errors import ServiceUnavailable

# Of each process. Six of its eight threads stay free for others.
HASHES_AT_ONCE = 2
WAIT_SECONDS = 1.0
_places = threading.BoundedSemaphore(HASHES_AT_ONCE)


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """The OWASP Password Storage Cheat Sheet's parameters: 19 MiB, two passes, one lane.

    A hash with others is still verified, and renewed at the next login. Raises
    ServiceUnavailable where no place comes free within WAIT_SECONDS.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _place():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with _place():
            return bool(super().verify(password, encoded))


@contextmanager
def _place() -> Iterator[Any]:
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise ServiceUnavailable(
            _("Too many passwords are being checked. Try again."), "busy", retry_after=1
        )
    try:
        yield
    finally:
        _places.release()
