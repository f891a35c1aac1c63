"""A host's share of attempts and its breaker, over several workers, on a clock of the test's."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.conf import settings
from pytest_django import Settings

from apps.notifications import services
from apps.notifications.delivery import attempt as attempts
from apps.notifications.delivery import host_limiter
from apps.notifications.delivery.host_limiter import HostLimiter, HostNotReady, HostOutcome
from apps.notifications.models import Callback, CallbackAttempt
from resume_platform.redis import cache
from tests.db.apps.notifications.conftest import OCCURRED_AT, Bridge
from tests.db.apps.notifications.receiver import Receiver, says
from tests.db.apps.notifications.test_delivery import DELETES, outcome

HOST = "receiver.test:443"


@pytest.fixture(autouse=True)
def few(settings: Settings) -> None:
    settings.WEBHOOK_MAX_PER_HOST = 3
    settings.WEBHOOK_BREAKER_FAILURES = 4
    settings.WEBHOOK_BREAKER_SECONDS = 5
    settings.WEBHOOK_BREAKER_MAX_SECONDS = 30


@pytest.fixture
def workers() -> list[HostLimiter]:
    """Two processes' gates; `now` is the server's time to both."""
    return [HostLimiter(slow_redis(), now=1000.0) for _ in range(2)]


def slow_redis() -> cache.Namespace:
    """Without the short timeouts of the real client: a busy machine is not a lost server."""
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    return cache.Namespace(client, "notifications")


def at(workers: list[HostLimiter], now: float) -> None:
    for worker in workers:
        worker.now = now


def attempt(worker: HostLimiter, verdict: HostOutcome, host: str = HOST, **options: Any) -> None:
    with worker.permit(host, **options) as permit:
        permit.outcome = verdict


def test_so_many_attempts_at_once_over_all_workers(workers: list[HostLimiter]) -> None:
    first, second = workers
    with first.permit(HOST), first.permit(HOST):
        with second.permit(HOST):
            with pytest.raises(HostNotReady) as held:
                second.permit(HOST).__enter__()
            assert held.value.reason == "host_busy"
            assert 1 <= held.value.seconds <= host_limiter.MAX_WAIT * 1.2
            with second.permit("other.test:443"), second.permit("receiver.test:80"):
                pass
        with second.permit(HOST):
            pass


def test_hosts_that_do_not_answer_are_counted_until_they_do(
    workers: list[HostLimiter], settings: Settings
) -> None:
    def failing(now: float) -> float:
        limiter_now = HostLimiter(slow_redis(), now=now)
        return limiter_now.failing_hosts()

    worker = workers[0]
    assert failing(1000) == 0
    for host in (HOST, "other.test:443"):
        for _ in range(settings.WEBHOOK_BREAKER_FAILURES):
            attempt(worker, HostOutcome.SILENT, host, waits_for_breaker=False)
    assert failing(1001) == 2
    at(workers, 1010)
    attempt(worker, HostOutcome.ANSWERED)
    assert failing(1010) == 1
    assert failing(1010 + host_limiter.DAY_SECONDS) == 0


def test_a_worker_that_died_gives_its_slots_up_in_time(
    workers: list[HostLimiter], settings: Settings
) -> None:
    first, second = workers
    turns = [first.permit(HOST) for _ in range(3)]
    for turn in turns:
        turn.__enter__()
    with pytest.raises(HostNotReady):
        second.permit(HOST).__enter__()
    at(workers, 1000 + settings.WEBHOOK_TIMEOUT_SECONDS + host_limiter.SLOT_MARGIN + 1)
    with second.permit(HOST):
        pass


def test_those_that_wait_for_a_slow_host_come_back_one_after_the_other(
    workers: list[HostLimiter],
) -> None:
    """Not all at once: each look costs the worker something."""
    first, second = workers
    turns = [first.permit(HOST) for _ in range(3)]
    for turn in turns:
        turn.__enter__()
    waits = []
    for _ in range(200):
        with pytest.raises(HostNotReady) as held:
            second.permit(HOST).__enter__()
        waits.append(held.value.seconds)
    assert max(waits) <= host_limiter.MAX_WAIT * 1.2
    assert sum(wait < 5 for wait in waits) < 40


def test_who_waits_for_a_fast_host_waits_in_the_thread(workers: list[HostLimiter]) -> None:
    worker = workers[0]
    for _ in range(20):
        attempt(worker, HostOutcome.ANSWERED)  # it is known to be fast now
    done: list[int] = []

    def work() -> None:
        with worker.permit(HOST):
            time.sleep(0.02)
        done.append(1)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 20


def test_repeated_failures_open_the_breaker_for_that_host_alone(workers: list[HostLimiter]) -> None:
    first, second = workers
    for worker in (first, second, first):
        attempt(worker, HostOutcome.SILENT)
    attempt(first, HostOutcome.ANSWERED)  # starts the count again
    for worker in (first, second, first, second):
        attempt(worker, HostOutcome.SILENT)
    for worker in workers:
        with pytest.raises(HostNotReady) as held:
            worker.permit(HOST).__enter__()
        assert held.value.reason == "host_failing"
        assert 5 <= held.value.seconds <= 6
    attempt(first, HostOutcome.ANSWERED, "other.test:443")


def test_one_probe_when_half_open_then_closed_or_open_for_twice_as_long(
    workers: list[HostLimiter],
) -> None:
    first, second = workers
    for _ in range(4):
        attempt(first, HostOutcome.SILENT)
    now = 1000.0
    for length in (5, 10, 20, 30, 30):
        at(workers, now + length - 0.1)
        with pytest.raises(HostNotReady):
            second.permit(HOST).__enter__()
        now += length + 0.1
        at(workers, now)
        with first.permit(HOST) as probe:
            with pytest.raises(HostNotReady, match="host_failing"):
                second.permit(HOST).__enter__()
            probe.outcome = HostOutcome.SILENT
    at(workers, now + 31)
    attempt(second, HostOutcome.ANSWERED)
    with first.permit(HOST), second.permit(HOST):
        pass


def test_a_probe_that_was_never_made_makes_room_for_another(workers: list[HostLimiter]) -> None:
    first, second = workers
    for _ in range(4):
        attempt(first, HostOutcome.SILENT)
    at(workers, 1006)
    attempt(first, HostOutcome.NOT_ASKED)
    attempt(second, HostOutcome.ANSWERED)
    attempt(first, HostOutcome.ANSWERED)


def test_what_began_before_it_opened_does_not_prolong_it(workers: list[HostLimiter]) -> None:
    first, second = workers
    with second.permit(HOST) as late:
        for _ in range(4):
            attempt(first, HostOutcome.SILENT)
        late.outcome = HostOutcome.SILENT
    at(workers, 1005.1)
    attempt(first, HostOutcome.ANSWERED)


def test_without_redis_each_worker_still_has_its_own_cap() -> None:
    away = cache.Namespace(cache.connect("redis://127.0.0.1:1/0"), "notifications")
    worker = HostLimiter(away)
    with worker.permit(HOST), worker.permit(HOST), worker.permit(HOST):
        threads = [threading.Thread(target=lambda: None)]
        for thread in threads:
            thread.start()
        with pytest.raises(HostNotReady):
            worker.permit(HOST).__enter__()


@pytest.fixture
def busy(
    receive: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> tuple[Receiver, list[Any]]:
    """A receiver whose turns are all taken, and what gives them back."""
    receiver = receive(says(200))
    monkeypatch.setattr(services, "HOST_LIMITER", HostLimiter(slow_redis()))
    elsewhere = HostLimiter(slow_redis())
    turns = [elsewhere.permit(f"127.0.0.1:{receiver.port}") for _ in range(3)]
    for turn in turns:
        turn.__enter__()
    return receiver, turns


def test_what_waits_for_its_host_waits_in_its_row_and_uses_up_no_attempt(
    bridge: Bridge, busy: tuple[Receiver, list[Any]]
) -> None:
    receiver, turns = busy
    task = bridge.take(outcome(receiver))
    for _ in range(5):
        row = bridge.wake(task)
        assert (row.state, row.attempts, row.last_error) == ("pending", 0, "host_busy")
    waiting = Callback.objects.get()
    assert (waiting.state, waiting.last_error) == ("pending", "host_busy")
    assert waiting.next_attempt_at is not None
    assert not CallbackAttempt.objects.exists()
    assert receiver.connections == 0
    turns[0].__exit__(None, None, None)
    assert bridge.wake(task).state == "done"
    assert CallbackAttempt.objects.get().number == 1


@pytest.mark.parametrize("delete", DELETES)
def test_what_was_deleted_while_it_waited_ends(
    bridge: Bridge, busy: tuple[Receiver, list[Any]], delete: Any
) -> None:
    receiver, _ = busy
    task = bridge.take(outcome(receiver))
    assert bridge.wake(task).state == "pending"
    bridge.cancel(delete)
    assert bridge.wake(task).state == "done"
    assert Callback.objects.get().state == "cancelled"


def test_a_dead_host_is_left_alone_but_not_for_longer_than_the_schedule_lasts(
    bridge: Bridge,
    receive: Callable[..., Receiver],
    full_schedule: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver = receive(says(500))
    own = HostLimiter(slow_redis(), now=OCCURRED_AT.timestamp())
    monkeypatch.setattr(services, "HOST_LIMITER", own)
    monkeypatch.setattr(attempts, "now", lambda: OCCURRED_AT)
    tasks = [bridge.take(outcome(receiver, processing_id=n)) for n in range(1, 7)]
    rows = [bridge.wake(task) for task in tasks]
    assert [row.last_error for row in rows] == ["status_500"] * 4 + ["host_failing"] * 2
    assert len(receiver.requests) == 4
    later = OCCURRED_AT.replace(year=2027)
    monkeypatch.setattr(attempts, "now", lambda: later)
    assert bridge.wake(tasks[5]).last_error == "status_500"
