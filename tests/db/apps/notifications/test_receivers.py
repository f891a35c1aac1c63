"""Each manner of receiver over the whole schedule: outcome, number and times of the attempts.

The clock is the test's: it jumps to when the row is due next.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from pytest_django import Settings

from apps.notifications import services
from apps.notifications.delivery import attempt as attempts
from apps.notifications.delivery import host_limiter
from apps.notifications.models import Callback, CallbackAttempt
from kafka_bridge.models import DeadLetter
from tests.db.apps.notifications.conftest import OCCURRED_AT, Bridge
from tests.db.apps.notifications.receiver import Manner, Receiver, resets, says, sends
from tests.db.apps.notifications.test_delivery import outcome

SCHEDULE = [5, 300, 1800, 7200, 18000, 36000, 36000]
WHOLE = [0, 5, 305, 2105, 9305, 27305, 63305, 99305]
HEAD = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Clock:
    now: datetime = OCCURRED_AT


@pytest.fixture
def clock(full_schedule: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Jitter is in the middle; a receiver's time is short, so that dripping costs no patience."""
    clock = Clock()
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.15
    monkeypatch.setattr(attempts, "now", lambda: clock.now)
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    monkeypatch.setattr(services, "HOST_LIMITER", host_limiter.HostLimiter())
    return clock


def closed(receiver: Receiver) -> None:
    receiver.close()


def bare(answer: bytes) -> Manner:
    return sends(answer)


@dataclass
class Case:
    """`times` are the attempts', in seconds from the first one's."""

    name: str
    manners: list[Manner]
    state: str
    reason: str
    times: list[float]
    tls: bool = False
    prepare: Callable[[Receiver], None] = lambda receiver: None


def final(name: str, manner: Manner, reason: str) -> Case:
    return Case(name, [manner], "failed", reason, [0])


def good(name: str, manner: Manner) -> Case:
    return Case(name, [manner], "delivered", "", [0])


def retried(name: str, manner: Manner, reason: str) -> Case:
    return Case(name, [manner], "failed", reason, WHOLE)


DATE = format_datetime(OCCURRED_AT + timedelta(seconds=90), usegmt=True)
CASES = [
    good("200", says(200, b"ok")),
    good("204", bare(b"HTTP/1.1 204 No Content\r\n\r\n")),
    good("299", says(299)),
    good("HTTP/1.0", bare(b"HTTP/1.0 200 OK\r\n\r\nok")),
    good("empty body", says(200)),
    good("10 MB answer", says(200, b"x" * 10_000_000)),
    good("endless body", sends(HEAD + b"\r\n", then=b"x" * 16_384)),
    good("drip in the body", sends(HEAD + b"\r\n", then=b"x", every=0.02)),
    final("301", says(301, Location="/x"), "status_301"),
    final("302", says(302, Location="http://127.0.0.1:1/"), "status_302"),
    final("400", says(400), "status_400"),
    final("401", says(401), "status_401"),
    final("404", says(404), "status_404"),
    final("410", says(410), "status_410"),
    retried("408", says(408), "status_408"),
    retried("429", says(429), "status_429"),
    retried("500", says(500), "status_500"),
    retried("503 endless", sends(b"HTTP/1.1 503 X\r\n\r\n", then=b"x" * 999), "status_503"),
    retried("reset", resets, "connection_broken"),
    retried("closed without a word", bare(b""), "connection_broken"),
    retried("no HTTP", bare(b"hello\r\n\r\n"), "connection_broken"),
    retried("drip in the status", sends(b"H", then=b"T", every=0.02), "timeout"),
    retried("drip in the headers", sends(HEAD, then=b"X-A: b\r\n", every=0.02), "timeout"),
    Case("refused", [says(200)], "failed", "connection_refused", WHOLE, prepare=closed),
    Case("bad TLS: self-signed", [says(200)], "failed", "tls_failed", WHOLE, tls=True),
    Case("500 then 200", [says(500), says(200)], "delivered", "", [0, 5]),
    Case("three failures, then 200", [says(500), resets, says(503), says(200)],
         "delivered", "", [0, 5, 305, 2105]),
    Case("429 for 120 s", [says(429, Retry_After="120"), says(200)], "delivered", "", [0, 120]),
    Case("429 until a date", [says(429, Retry_After=DATE), says(200)], "delivered", "", [0, 90]),
    Case("429 for a day", [says(429, Retry_After="86400"), says(200)], "delivered", "", [0, 3600]),
    Case("429 for less than the schedule", [says(429, Retry_After="1"), says(200)],
         "delivered", "", [0, 5]),
    Case("429 with nonsense", [says(429, Retry_After="soon"), says(200)], "delivered", "", [0, 5]),
    Case("503 for 60 s", [says(503, Retry_After="60"), says(200)], "delivered", "", [0, 60]),
    Case("410 after a retry", [says(500), says(410)], "failed", "status_410", [0, 5]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_how_it_ends_and_when_it_was_tried(
    bridge: Bridge, receive: Callable[..., Receiver], clock: Clock, case: Case
) -> None:
    receiver = receive(*case.manners, tls=case.tls)
    case.prepare(receiver)
    task = bridge.take(outcome(receiver))
    while (row := bridge.wake(task)).state == "pending":
        clock.now = _due()

    callback = Callback.objects.get()
    assert callback.state == case.state
    history = list(CallbackAttempt.objects.order_by("number"))
    assert [attempt.number for attempt in history] == list(range(1, len(case.times) + 1))
    times = [(attempt.started_at - history[0].started_at).total_seconds() for attempt in history]
    assert times == pytest.approx(case.times, abs=0.01)
    assert callback.last_error == case.reason
    assert (history[-1].error or f"status_{history[-1].status_code}") == (
        case.reason or f"status_{history[-1].status_code}"
    )
    assert row.state == ("done" if case.state == "delivered" else "dead")
    assert DeadLetter.objects.exists() == (case.state == "failed")
    assert callback.next_attempt_at is None
    ids = {got.headers["webhook-id"] for got in receiver.requests}
    bodies = {got.body for got in receiver.requests}
    assert len(ids) == len(bodies) <= 1


def _due() -> datetime:
    due = Callback.objects.get().next_attempt_at
    assert due is not None
    return due


def test_a_receiver_that_listens_and_never_accepts_is_a_timeout(
    bridge: Bridge, receive: Callable[..., Receiver], clock: Clock
) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        receiver = receive()
        receiver.url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        assert bridge.run(outcome(receiver)).state == "pending"
    assert Callback.objects.get().last_error == "timeout"
