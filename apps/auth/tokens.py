"""Access and refresh tokens: their claims, and the digest by which a session knows its own."""

import hashlib
import re
import time
import uuid
from dataclasses import dataclass
from functools import lru_cache

from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import TokenError

from apps.auth.models import User
from resume_platform.ids import MAX_ID

_SUBJECT = re.compile("[1-9][0-9]{0,18}")


class MalformedToken(Exception):
    """The signature, the time, the type or a claim of a token is wrong."""


@dataclass(frozen=True)
class Pair:
    access: str
    refresh: str

    @property
    def refresh_digest(self) -> str:
        return digest(self.refresh)


@dataclass(frozen=True)
class Claims:
    """What both tokens of a pair say."""

    user_id: int
    session_id: str
    session_version: int
    expires_at: int


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def issue(*, user: User, session_id: uuid.UUID) -> Pair:
    """A new pair for a session; each pair differs, even within one second (`jti`)."""
    access = tokens.AccessToken()
    refresh = tokens.RefreshToken()
    for token in (access, refresh):
        token["sub"] = str(user.id)
        token["sid"] = str(session_id)
        token["ver"] = user.session_version
    return Pair(access=str(access), refresh=str(refresh))


def read_access(raw: str) -> Claims:
    """Raises MalformedToken."""
    claims = _verified(raw)
    if claims.expires_at <= time.time():
        raise MalformedToken
    return claims


@lru_cache(maxsize=4096)
def _verified(raw: str) -> Claims:
    """What was signed once stays signed: of a good token only the end is to be watched."""
    return _read(tokens.AccessToken, raw)


def read_refresh(raw: str) -> Claims:
    """Raises MalformedToken."""
    return _read(tokens.RefreshToken, raw)


def _read(kind: type[tokens.Token], raw: str) -> Claims:
    try:
        token = kind(raw)  # type: ignore[arg-type]  # its annotation forgets the text
        expires_at = int(token["exp"])
    except (TokenError, ArithmeticError, OSError, TypeError, ValueError) as error:
        raise MalformedToken from error  # a time may be any number, or none
    subject, version = token.get("sub"), token.get("ver")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject) or int(subject) > MAX_ID:
        raise MalformedToken
    if not isinstance(version, int):
        raise MalformedToken
    try:
        session_id = uuid.UUID(str(token.get("sid")))
    except ValueError as error:
        raise MalformedToken from error
    return Claims(
        user_id=int(subject),
        session_id=str(session_id),
        session_version=version,
        expires_at=expires_at,
    )
