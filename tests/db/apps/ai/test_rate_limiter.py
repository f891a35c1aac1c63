"""The provider's limits over all workers: never exceeded, exactly waited for, shared fairly."""

import heapq
import threading
import uuid
from bisect import bisect_left
from typing import NamedTuple

import pytest

from apps.ai.provider.errors import LimitReached, ProviderUnavailable
from apps.ai.provider.rate_limiter import (
    CIRCUIT_THRESHOLD,
    Caller,
    LimiterState,
    Quota,
    RateLimiter,
)
from resume_platform.redis.cache import Namespace, connect, counters_for

WINDOW = 61.0
BEGIN = 1_800_000_000.0


class Refused(NamedTuple):
    """`why`: wait (in the row), over (longer than anybody waits), circuit (provider down)."""

    why: str
    seconds: float
    limit: str


class Limiter(RateLimiter):
    """A rate limiter whose refusals are returned."""

    def ask(
        self, row: int, user: int = 1, *, tokens: int = 1, arrival: float = 0.0
    ) -> str | Refused:
        try:
            caller = Caller(user_id=user, row=str(row), arrival=arrival or row)
            return self.acquire(caller, tokens=tokens)
        except LimitReached as error:
            why = "over" if error.is_final else "wait"
            return Refused(why, error.wait, error.reason.removeprefix("limit_"))
        except ProviderUnavailable as error:
            return Refused("circuit", error.wait, "")


@pytest.fixture
def make_limits():
    """A rate limiter with a clock of its own, in a namespace of its own."""

    def make(**changes: float) -> Limiter:
        values = {"rpm": 3, "rpd": 1000, "tpm": 1_000_000, "max_wait": 600.0, "timeout": 60.0}
        space = Namespace(counters_for("ai").redis, f"ai:test-{uuid.uuid4().hex}")
        return Limiter(space, Quota(**values | changes), now=BEGIN)

    return make


def test_the_wait_is_exact_and_at_its_end_the_call_may_go(make_limits):
    limits = make_limits(rpm=2)
    assert isinstance(limits.ask(1), str)
    limits.now += 10
    assert isinstance(limits.ask(2), str)
    limits.now += 10
    assert limits.ask(3) == Refused("wait", 41.0, "rpm")
    assert limits.ask(4) == Refused("wait", 51.0, "rpm")
    assert limits.ask(5) == Refused("wait", 102.0, "rpm")
    limits.now += 40.9
    assert limits.ask(3) == Refused("wait", 0.1, "rpm")
    limits.now += 0.1
    # Who comes later does not take the place of who was told to come now.
    assert isinstance(limits.ask(4), Refused)
    assert isinstance(limits.ask(3), str)


def test_the_state_is_read_and_changes_nothing(make_limits):
    limits = make_limits(rpm=2, rpd=100)
    nothing = LimiterState(calls=0, tokens=0, day=0, waiting=0, is_circuit_open=False)
    assert limits.state() == nothing
    granted = limits.ask(1, tokens=30)
    limits.ask(2, tokens=12)
    limits.ask(3, tokens=5)
    limits.settle(granted, used=50, is_available=True)
    now = LimiterState(calls=2, tokens=62, day=2, waiting=1, is_circuit_open=False)
    assert limits.state() == limits.state() == now
    for _ in range(CIRCUIT_THRESHOLD):
        limits.settle("1:1", used=None, is_available=False)
    assert limits.state().is_circuit_open
    # A minute later nobody has called, and the day goes on.
    limits.now += WINDOW
    assert (limits.state().calls, limits.state().tokens, limits.state().day) == (0, 0, 2)
    limits.now += 90_000
    assert limits.state().day == 0


def test_a_wait_that_is_too_long_is_said_at_once_and_holds_no_place(make_limits):
    limits = make_limits(rpm=1, max_wait=100)
    limits.ask(1)
    assert limits.ask(2) == Refused("wait", WINDOW, "rpm")
    for row in (3, 4):
        assert limits.ask(row) == Refused("over", 2 * WINDOW, "rpm")


def test_requests_a_day_free_up_a_day_later(make_limits):
    limits = make_limits(rpm=100, rpd=2, max_wait=100_000)
    limits.ask(1)
    limits.ask(2)
    refused = limits.ask(3)
    assert (refused.why, refused.limit) == ("wait", "rpd")
    assert 86_400 <= refused.seconds <= 86_460
    limits.now += refused.seconds
    assert isinstance(limits.ask(3), str)


def test_each_user_leaves_something_of_the_day_to_who_comes_later(make_limits):
    limits = make_limits(rpm=1000, rpd=100, user_day_share=0.5)
    had = [
        sum(isinstance(limits.ask(row, user), str) for row in range(100)) for user in (1, 2, 3, 4)
    ]
    assert had == [50, 25, 12, 6]


def test_only_who_used_up_their_own_share_is_refused_a_long_wait(make_limits):
    limits = make_limits(rpm=1000, rpd=4, user_day_share=0.5)
    for user in (1, 1, 2, 3):
        assert isinstance(limits.ask(1, user), str)
    own = limits.ask(9, 1)
    assert (own.why, own.limit) == ("over", "rpd")
    # Everybody else waits, looks again before the day is over, and holds up nobody's minute.
    for user in (2, 4):
        assert limits.ask(9, user) == Refused("wait", 1800.0, "rpd_others")
    assert limits.state().waiting == 0
    limits.now += own.seconds
    assert isinstance(limits.ask(9, 4), str)


def test_tokens_are_reserved_and_settled_by_what_was_used(make_limits):
    limits = make_limits(rpm=100, tpm=1000)
    first = limits.ask(1, tokens=900)
    assert limits.ask(2, tokens=200) == Refused("wait", WINDOW, "tpm")
    limits.settle(first, used=700, is_available=True)
    second = limits.ask(2, tokens=200)
    assert isinstance(second, str)
    limits.settle(second, used=300, is_available=True)
    assert limits.ask(3).limit == "tpm"


def test_a_question_larger_than_the_limit_is_asked_alone(make_limits):
    limits = make_limits(rpm=100, tpm=1000)
    assert isinstance(limits.ask(1, tokens=5000), str)
    assert limits.ask(2, tokens=5000) == Refused("wait", WINDOW, "tpm")


def test_a_thousand_of_one_user_do_not_hold_up_anothers_one(make_limits):
    limits = make_limits(rpm=60, max_wait=10_000)
    answers = [limits.ask(row) for row in range(1000)]
    assert sum(isinstance(answer, str) for answer in answers) == 57
    # A share of the minute is kept for who has had nothing of it.
    for user in (2, 3, 4):
        assert isinstance(limits.ask(5000, user), str)
    # When even that is gone, newcomers are next in line, each before the thousand's next.
    assert limits.ask(5000, 5).seconds == WINDOW
    limits.now += WINDOW
    assert isinstance(limits.ask(5000, 5), str)


def test_users_who_wait_take_turns(make_limits):
    limits = make_limits(rpm=4, max_wait=10_000)
    waiting = [(limits.now, user, row) for user in (1, 2) for row in range(12 if user == 1 else 4)]
    order = run(limits, waiting)
    # 4 of user 1 went at once; from then on both have two a minute until user 2 has no more.
    minutes = [sorted(user for user, _ in order[n : n + 4]) for n in range(0, len(order), 4)]
    assert minutes == [[1, 1, 1, 1], [1, 1, 2, 2], [1, 1, 2, 2], [1, 1, 1, 1]]


def test_a_place_that_nobody_comes_to_is_given_on(make_limits):
    limits = make_limits(rpm=1)
    limits.ask(1)
    limits.ask(2)  # its row is deleted while it waits
    limits.ask(3)
    limits.now += WINDOW + 5
    assert isinstance(limits.ask(3), str)


def run(limits: Limiter, waiting: list[tuple[float, int, int]]) -> list[tuple[int, int]]:
    """Let rows come when they were told to, by the clock of the limits; returns who went when."""
    heapq.heapify(waiting)
    order = []
    times = []
    while waiting:
        at, user, row = heapq.heappop(waiting)
        limits.now = max(limits.now, at)
        answer = limits.ask(row, user, arrival=BEGIN + row / 1000)
        if isinstance(answer, str):
            order.append((user, row))
            times.append(limits.now)
        else:
            assert answer.why == "wait"
            heapq.heappush(waiting, (limits.now + answer.seconds + 0.001, user, row))
    limits.granted_at = times
    return order


def most_in_any_window(times: list[float], seconds: float) -> int:
    times = sorted(times)
    return max(n + 1 - bisect_left(times, at - seconds + 1e-6) for n, at in enumerate(times))


def test_two_hundred_at_sixty_a_minute_take_what_the_limit_allows(make_limits):
    limits = make_limits(rpm=60)
    order = run(limits, [(limits.now, 1, row) for row in range(200)])
    assert len(order) == 200
    assert most_in_any_window(limits.granted_at, 60) <= 60
    assert limits.granted_at[-1] - BEGIN <= 180 * 1.1


def test_the_circuit_opens_lets_one_probe_through_and_closes(make_limits):
    limits = make_limits(rpm=1000)
    for row in range(5):
        permit = limits.ask(row)
        limits.settle(permit, used=0, is_available=False)
    assert limits.ask(6) == Refused("circuit", 10.0, "")
    limits.now += 10
    probe = limits.ask(6)
    assert isinstance(probe, str)
    assert limits.ask(7).why == "circuit"
    limits.settle(probe, used=0, is_available=False)
    assert limits.ask(7) == Refused("circuit", 20.0, "")
    limits.now += 20
    probe = limits.ask(7)
    limits.settle(probe, used=10, is_available=True)
    for row in (8, 9):
        assert isinstance(limits.ask(row), str)


def test_a_probe_that_died_is_followed_by_another(make_limits):
    limits = make_limits(rpm=1000, timeout=30)
    for row in range(5):
        limits.settle(limits.ask(row), used=0, is_available=False)
    limits.now += 10
    assert isinstance(limits.ask(6), str)
    limits.now += 35
    assert isinstance(limits.ask(7), str)


def test_the_providers_waiting_time_is_everybodys(make_limits):
    limits = make_limits(rpm=1000)
    permit = limits.ask(1)
    limits.settle(permit, used=0, is_available=True, hold=30)
    assert limits.ask(2, 2) == Refused("wait", 30.0, "provider")


def test_without_redis_nobody_calls():
    limits = Limiter(
        Namespace(connect("redis://127.0.0.1:9/0"), "ai"), Quota(3, 200, 40_000, 600, 60)
    )
    assert limits.ask(1) == Refused("wait", 5.0, "limits_away")
    limits.settle("1:1", used=None, is_available=True)


def test_racing_workers_never_exceed_the_limit_between_them(make_limits):
    limits = make_limits(rpm=50, max_wait=0)
    granted = []

    def work(user: int) -> None:
        for row in range(20):
            if isinstance(limits.ask(row, user), str):
                granted.append(user)

    threads = [threading.Thread(target=work, args=(user,)) for user in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Newcomers may have the last two; nobody else.
    assert 48 <= len(granted) <= 50
