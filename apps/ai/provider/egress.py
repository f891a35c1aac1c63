"""Checks from which country our requests leave: asks the API's own host, on the same way out.

The answer is shared by all workers through Redis and kept in the process too, so that a judgement
pays nothing for it. A country that is blocked, and a check that cannot be made while it must, let
no request leave.
"""

import threading
import time
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

import redis
import structlog

from apps.ai.content_hash import key_of
from resume_platform.observability import metrics
from resume_platform.redis.cache import Namespace

log = structlog.get_logger(__name__)

ALLOWED_SECONDS = 300.0
# A repaired way out is noticed soon.
REFUSED_SECONDS = 30.0
IN_PROCESS_SECONDS = 60.0

Verdict = Literal["allowed", "blocked", "unknown"]


def trace_url(base_url: str, override: str) -> str:
    """The page that names the country: the API host's own unless a setting names another."""
    if override:
        return override
    parts = urlsplit(base_url or "https://api.openai.com/v1")
    return f"{parts.scheme}://{parts.netloc}/cdn-cgi/trace"


def country_of(page: str) -> str | None:
    """`loc=NL` in the lines of the page."""
    for line in page.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "loc" and len(value.strip()) == 2:
            return value.strip().upper()
    return None


class Egress:
    """One per process and way out. `fetch` reads the page or raises OSError."""

    def __init__(
        self,
        *,
        fetch: Callable[[], str],
        way_out: str,
        blocked: frozenset[str],
        is_open_when_unknown: bool,
        shared: Namespace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._key = shared.name(f"egress:{key_of(way_out)[:16]}")
        self._blocked = frozenset(country.upper() for country in blocked)
        self._is_open_when_unknown = is_open_when_unknown
        self._shared = shared
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[Verdict, float] | None = None

    @property
    def last_verdict(self) -> Verdict | None:
        """What was found last; None before the first look, or where no country is blocked."""
        known = self._known
        return known[0] if known else None

    def verdict(self) -> Verdict:
        """Whether requests may leave now. One thread asks, the others wait for its answer."""
        if not self._blocked:
            return "allowed"
        known = self._known
        if known is None or self._clock() >= known[1]:
            with self._lock:
                known = self._known
                if known is None or self._clock() >= known[1]:
                    known = self._known = self._look()
        verdict = known[0]
        if verdict == "unknown" and self._is_open_when_unknown:
            return "allowed"
        if verdict != "allowed":
            metrics.AI_EGRESS_REFUSED.labels(verdict).inc()
        return verdict

    def _look(self) -> tuple[Verdict, float]:
        country = self._remembered() or self._ask()
        if country is None:
            log.warning("ai.egress_unknown")
            return "unknown", self._clock() + REFUSED_SECONDS / 10
        if country in self._blocked:
            log.error("ai.egress_blocked", country=country)
            return "blocked", self._clock() + REFUSED_SECONDS
        return "allowed", self._clock() + IN_PROCESS_SECONDS

    def _remembered(self) -> str | None:
        try:
            country = self._shared.redis.get(self._key)
        except redis.RedisError as error:
            self._shared.away(error)
            return None
        return str(country) if country else None

    def _ask(self) -> str | None:
        try:
            country = country_of(self._fetch())
        except OSError:
            return None
        if country is not None and country not in self._blocked:
            try:
                self._shared.redis.set(self._key, country, px=round(ALLOWED_SECONDS * 1000))
            except redis.RedisError as error:
                self._shared.away(error)
        return country
