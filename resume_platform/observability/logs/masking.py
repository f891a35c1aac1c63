"""The last line of defence: what looks like a secret, or is one of ours, leaves no process.

No line should hold one to begin with. Texts cannot be recognised like this: they stay out because
nothing that holds one is logged.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from structlog.typing import EventDict

MASK = "***"
MIN_LENGTH = 6  # a shorter "secret" would mask ordinary words

_ALWAYS_OURS = frozenset({"timestamp", "level", "logger"})
# The host of a URL is told, its path and query are secrets of receivers.
_URL = r"(?P<scheme>https?://)(?:[^\s/@\"'<>]*@)?(?P<host>[^\s/?#\"'<>]+)[/?#][^\s\"'<>]*"
_USERINFO = r"(?P<any>[a-z][a-z0-9+.-]{0,30}://)[^\s/@\"'<>]*@"
_TOKENS = (
    r"\beyJ[\w-]{5,}(?:\.[\w-]+(?:\.[\w-]*)?)?",  # a JWT
    r"\bBearer\s+\S+",
    r"\bwhsec_[\w+/=-]+",
    r"\bsk-[\w-]{8,}",
)
# PostgreSQL's and Pydantic's words for what was given to them.
_QUOTED_INPUT = r"(?:\bDETAIL:|\binput_value=|\bFailing row contains).*"


# What a string must hold for any of the patterns to match: a line's strings seldom do.
_HINTS = ("://", "eyJ", "Bearer", "whsec_", "sk-", "DETAIL:", "input_value=", "Failing row")


class Masking:
    """A structlog processor. `secrets` are masked wherever they stand in a string."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) >= MIN_LENGTH}, key=len, reverse=True)
        patterns = [_QUOTED_INPUT, *map(re.escape, known), *_TOKENS, _URL, _USERINFO]
        self._pattern = re.compile("|".join(patterns), re.DOTALL)
        self._hints = (*_HINTS, *known)

    def __call__(self, logger: Any, method: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            if isinstance(value, str):
                if key not in _ALWAYS_OURS:
                    event[key] = self._masked(value)
            elif isinstance(value, dict | list | tuple):
                event[key] = self._masked_within(value)
        return event

    def _masked(self, value: str) -> str:
        for hint in self._hints:
            if hint in value:
                return self._pattern.sub(_mask, value)
        return value

    def _masked_within(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._masked(value)
        if isinstance(value, dict):
            return {key: self._masked_within(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked_within(item) for item in value]
        return value


def _mask(match: re.Match[str]) -> str:
    if host := match["host"]:
        return f"{match['scheme']}{host}/{MASK}"
    if scheme := match["any"]:
        return f"{scheme}{MASK}@"
    return MASK


def known_secrets(settings: Any) -> Iterator[str]:
    """The values of this process's settings that nobody may read in a log."""
    yield from (settings.SECRET_KEY, settings.JWT_SIGNING_KEY, settings.OPENAI_API_KEY)
    for secret in settings.WEBHOOK_SECRET:
        yield from (secret, secret.removeprefix("whsec_"))
    for url in (
        settings.DATABASE_URL,
        settings.DATABASE_DIRECT_URL,
        settings.REDIS_URL,
        settings.CACHE_URL,
        settings.CELERY_BROKER_URL,
        settings.OPENAI_PROXY,
    ):
        if password := _password(url):
            yield from {password, unquote(password), quote(unquote(password), safe="")}


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
