"""Keeps one receiver from holding up the others: a share of attempts at once, a circuit breaker.

An attempt that may not go now waits in its row in PostgreSQL. The counts are in Redis, over all
workers; without Redis every attempt goes.
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

from resume_platform.observability import metrics
from resume_platform.observability.exporter import Values, figures
from resume_platform.redis import circuit_breaker
from resume_platform.redis.cache import Namespace, counters_for

_SCRIPT = circuit_breaker.LUA + Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
MIN_WAIT, MAX_WAIT = 1.0, 60.0
# A thread waits for a permit that is expected within this: going back to the row costs more.
WAIT_SECONDS = 1.0
# A worker that died holds its slot for so much longer than an attempt can last.
SLOT_MARGIN = 10.0
MAX_HOSTS_REMEMBERED = 10_000
DAY_SECONDS = 86_400
_FAILING = "failing_hosts"


class HostOutcome(StrEnum):
    """What an attempt tells of the host: it answered, it did not, or it was not asked."""

    ANSWERED = "answered"
    SILENT = "silent"
    NOT_ASKED = "not_asked"


class HostNotReady(Exception):
    """No attempt may go to the host for so many seconds. `reason` is a constant word."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


@dataclass
class Permit:
    """One attempt at one host; `outcome` is set by who makes it."""

    outcome: HostOutcome = HostOutcome.NOT_ASKED


@dataclass
class _Host:
    """One host in this process."""

    freed: threading.Condition
    active: int = 0
    waiting: int = 0
    mean_seconds: float = WAIT_SECONDS


class HostLimiter:
    def __init__(self, counters: Namespace | None = None, now: float | None = None) -> None:
        """`now`: a fixed time for tests, instead of the server's."""
        self._counters = counters
        self.now = now
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def permit(self, host: str, *, waits_for_breaker: bool = True) -> Iterator[Permit]:
        """One attempt at `host` (name and port). Raises HostNotReady.

        Who does not wait for an open breaker goes as a probe.
        """
        cap = settings.WEBHOOK_MAX_PER_HOST
        with self._local_slot(host, cap) as local:
            token = uuid.uuid4().hex
            is_probe = self._acquire(host, token, cap, waits_for_breaker) == "probe"
            started = monotonic()
            permit = Permit()
            try:
                yield permit
            finally:
                took = monotonic() - started
                with self._lock:
                    local.mean_seconds = local.mean_seconds * 0.7 + took * 0.3
                self._release(host, token, permit.outcome, took, is_probe=is_probe)

    @contextmanager
    def _local_slot(self, name: str, cap: int) -> Iterator[_Host]:
        """A slot among this process's threads: a host that answers fast is waited for here."""
        with self._lock:
            host = self._host(name)
            if host.active >= cap:
                expected = (host.waiting + 1) * host.mean_seconds / cap
                if expected > WAIT_SECONDS:
                    raise _not_ready("host_busy", expected)
                host.waiting += 1
                try:
                    in_time = host.freed.wait_for(lambda: host.active < cap, WAIT_SECONDS)
                finally:
                    host.waiting -= 1
                if not in_time:
                    raise _not_ready("host_busy", expected)
            host.active += 1
        try:
            yield host
        finally:
            with self._lock:
                host.active -= 1
                host.freed.notify()

    def _host(self, name: str) -> _Host:
        if name not in self._hosts:
            if len(self._hosts) >= MAX_HOSTS_REMEMBERED:
                self._hosts = {n: h for n, h in self._hosts.items() if h.active or h.waiting}
            self._hosts[name] = _Host(threading.Condition(self._lock))
        return self._hosts[name]

    def _acquire(self, host: str, token: str, cap: int, waits_for_breaker: bool) -> str:
        length = settings.WEBHOOK_TIMEOUT_SECONDS + SLOT_MARGIN
        answer = self._run(host, "acquire", token, cap, length, int(waits_for_breaker))
        if answer is None:
            return "go"
        permit, seconds = answer
        if permit == "busy":
            raise _not_ready("host_busy", float(seconds))
        if permit == "open":
            raise _not_ready("host_failing", float(seconds))
        return str(permit)

    def _release(
        self, host: str, token: str, outcome: HostOutcome, took: float, *, is_probe: bool
    ) -> None:
        opened = self._run(
            host,
            "release",
            *(token, outcome.value, took),
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


def _not_ready(reason: str, seconds: float) -> HostNotReady:
    metrics.CALLBACKS_HELD_BACK.labels(reason).inc()
    if seconds > MAX_WAIT:
        seconds = random.uniform(MAX_WAIT / 2, MAX_WAIT)  # noqa: S311  no secret
    return HostNotReady(reason, max(seconds, MIN_WAIT) * random.uniform(1.0, 1.2))  # noqa: S311


HOST_LIMITER = HostLimiter()


@figures("callback_breakers", process="webhooks")
def breaker_metrics() -> Values:
    """Raises RedisError."""
    return {metrics.CALLBACK_BREAKERS_OPEN: {(): HOST_LIMITER.failing_hosts()}}
