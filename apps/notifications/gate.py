"""Keeps one receiver from holding up the others: its share of attempts at once, and its breaker.

What may not go now goes back to its row in PostgreSQL. The counts are in Redis, over all workers;
without Redis each attempt goes.
"""

import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

import redis
from django.conf import settings
from redis.commands.core import Script

from resume_platform import metrics
from resume_platform.caching import Namespace, counters_for
from resume_platform.exporter import Values, figures

_SCRIPT = (Path(__file__).parent / "gate.lua").read_text(encoding="utf-8")
MIN_WAIT, MAX_WAIT = 1.0, 60.0
# Who has a turn within this is worth the thread's wait: going back to the row costs more.
PATIENCE = 1.0
# A worker that died holds its slot for so much longer than an attempt can last.
SLOT_MARGIN = 10.0
MAX_HOSTS_REMEMBERED = 10_000
DAY_SECONDS = 86_400
_FAILING = "failing_hosts"


class Verdict(StrEnum):
    """What an attempt tells of the host: it answered, it did not, or it was never asked."""

    ANSWERED = "answered"
    SILENT = "silent"
    NEITHER = "neither"


class HeldBack(Exception):
    """The host has no turn for this now. `reason` is a constant word."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


@dataclass
class Turn:
    """One attempt at one host; `verdict` is set by who makes it."""

    verdict: Verdict = Verdict.NEITHER


@dataclass
class _Place:
    """One host in this process."""

    freed: threading.Condition
    active: int = 0
    waiting: int = 0
    mean: float = PATIENCE


class Gate:
    def __init__(self, counters: Namespace | None = None, now: float | None = None) -> None:
        """`now`: a fixed time for tests, instead of the server's."""
        self._counters = counters
        self.now = now
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}

    @contextmanager
    def turn(self, host: str, *, patient: bool = True) -> Iterator[Turn]:
        """One attempt at `host` (name and port). Raises HeldBack.

        Who is not `patient` does not wait for an open breaker.
        """
        cap = settings.WEBHOOK_MAX_PER_HOST
        with self._place(host, cap) as place:
            token = uuid.uuid4().hex
            admitted = self._enter(host, token, cap, patient)
            started = monotonic()
            turn = Turn()
            try:
                yield turn
            finally:
                took = monotonic() - started
                with self._lock:
                    place.mean = place.mean * 0.7 + took * 0.3
                self._leave(host, token, turn.verdict, took, is_probe=admitted == "probe")

    @contextmanager
    def _place(self, host: str, cap: int) -> Iterator[_Place]:
        """A turn among this process's threads: a host that answers fast is waited for here."""
        with self._lock:
            place = self._place_of(host)
            if place.active >= cap:
                expected = (place.waiting + 1) * place.mean / cap
                if expected > PATIENCE:
                    raise _held_back("host_busy", expected)
                place.waiting += 1
                try:
                    in_time = place.freed.wait_for(lambda: place.active < cap, PATIENCE)
                finally:
                    place.waiting -= 1
                if not in_time:
                    raise _held_back("host_busy", expected)
            place.active += 1
        try:
            yield place
        finally:
            with self._lock:
                place.active -= 1
                place.freed.notify()

    def _place_of(self, host: str) -> _Place:
        if host not in self._places:
            if len(self._places) >= MAX_HOSTS_REMEMBERED:
                self._places = {h: p for h, p in self._places.items() if p.active or p.waiting}
            self._places[host] = _Place(threading.Condition(self._lock))
        return self._places[host]

    def _enter(self, host: str, token: str, cap: int, patient: bool) -> str:
        length = settings.WEBHOOK_TIMEOUT_SECONDS + SLOT_MARGIN
        answer = self._run(host, "enter", token, cap, length, int(patient))
        if answer is None:
            return "go"
        verdict, seconds = answer
        if verdict == "busy":
            raise _held_back("host_busy", float(seconds))
        if verdict == "open":
            raise _held_back("host_failing", float(seconds))
        return str(verdict)

    def _leave(
        self, host: str, token: str, verdict: Verdict, took: float, *, is_probe: bool
    ) -> None:
        opened = self._run(
            host,
            "leave",
            *(token, verdict.value, took),
            settings.WEBHOOK_BREAKER_FAILURES,
            settings.WEBHOOK_BREAKER_SECONDS,
            settings.WEBHOOK_BREAKER_MAX_SECONDS,
            int(is_probe),
        )
        if opened is not None and float(opened) > 0:
            metrics.CALLBACK_BREAKERS_OPENED.inc()

    def failing_hosts(self) -> int:
        """Whose breaker opened in the last day and did not close. Raises RedisError."""
        counters = self._counters or counters_for("notifications")
        now = self.now if self.now is not None else counters.redis.time()[0]
        return counters.redis.zcount(counters.name(_FAILING), now - DAY_SECONDS, "+inf")

    def _run(self, host: str, command: str, *arguments: object) -> Any:
        counters = self._counters or counters_for("notifications")
        now = "" if self.now is None else str(self.now)
        try:
            return _script(counters.redis)(
                keys=[
                    counters.name(f"host_slots:{host}"),
                    counters.name(f"host:{host}"),
                    counters.name(_FAILING),
                ],
                args=[command, now, *[str(argument) for argument in arguments]],
            )
        except redis.RedisError as error:
            counters.away(error)
            return None


@cache
def _script(client: redis.Redis) -> Script:
    return client.register_script(_SCRIPT)


def _held_back(reason: str, seconds: float) -> HeldBack:
    metrics.CALLBACKS_HELD_BACK.labels(reason).inc()
    if seconds > MAX_WAIT:
        seconds = random.uniform(MAX_WAIT / 2, MAX_WAIT)  # noqa: S311  no secret
    return HeldBack(reason, max(seconds, MIN_WAIT) * random.uniform(1.0, 1.2))  # noqa: S311


GATE = Gate()


@figures("callback_gate", process="webhooks")
def gate_figures() -> Values:
    """Raises RedisError."""
    return {metrics.CALLBACK_BREAKERS_OPEN: {(): GATE.failing_hosts()}}
