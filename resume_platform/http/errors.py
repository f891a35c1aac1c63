"""The errors that services raise and the API shows.

    DomainError
    ├── BadInput            400
    ├── Unauthorized        401
    ├── Forbidden           403
    ├── NotFound            404
    ├── Conflict            409
    ├── TooLarge            413
    ├── Invalid             422  (with a list of sentences per field)
    ├── TooManyRequests     429  (with Retry-After)
    └── ServiceUnavailable  503  (with Retry-After, where it is known)

`detail` is a sentence for people, `code` a word for programs that never changes. Neither may hold
another user's data, a text or a token.
"""

import math
from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A request that cannot be served, with the reason its sender may know."""

    status_code = 400

    def __init__(self, detail: str, code: str, *, retry_after: float | None = None) -> None:
        """`retry_after` is in seconds; whole ones are told, at least 1."""
        super().__init__(code)
        self.detail = detail
        self.code = code
        self.retry_after = None if retry_after is None else max(1, math.ceil(retry_after))


class BadInput(DomainError):
    status_code = 400


class Unauthorized(DomainError):
    status_code = 401


class Forbidden(DomainError):
    status_code = 403


class NotFound(DomainError):
    status_code = 404


class Conflict(DomainError):
    status_code = 409


class TooLarge(DomainError):
    status_code = 413


class Invalid(DomainError):
    """`errors` maps a field's name to its sentences."""

    status_code = 422

    def __init__(
        self, detail: str, code: str = "invalid", errors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(detail, code)
        self.errors = {field: list(sentences) for field, sentences in (errors or {}).items()}


class TooManyRequests(DomainError):
    status_code = 429


class ServiceUnavailable(DomainError):
    status_code = 503
