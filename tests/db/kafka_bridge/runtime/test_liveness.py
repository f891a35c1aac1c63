"""Liveness: who is seen to work, and what it takes to be seen."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.worker import state as worker_state

from kafka_bridge.process import canary
from kafka_bridge.runtime import liveness
from kafka_bridge.runtime.liveness import LivenessReporter, LoopLiveness
from resume_platform.observability import liveness as reported
from resume_platform.redis.cache import counters_for


@pytest.fixture(autouse=True)
def no_reports() -> Iterator[None]:
    namespace = counters_for("platform")
    namespace.redis.delete(namespace.name("signs"))
    yield
    namespace.redis.delete(namespace.name("signs"))


def test_a_report_ages_by_the_one_clock_of_redis() -> None:
    reported.report("bridge", "relay")
    first = reported.ages()
    assert first.keys() == {"bridge", "relay"}
    while reported.ages()["bridge"] <= first["bridge"]:
        time.sleep(0.001)
    reported.report("bridge")
    ages = reported.ages()
    assert ages["bridge"] < ages["relay"]


def test_a_bridge_vouches_for_what_turns_and_for_a_kafka_that_answers() -> None:
    turns, never_began, gave_away = LoopLiveness(), LoopLiveness(), LoopLiveness()
    turns.mark()
    gave_away.mark()
    gave_away.stop()
    parts = {"relay": turns, "intake": never_began, "dispatcher": gave_away}
    LivenessReporter(threading.Event(), loops=parts, reaches_kafka=lambda: False).step()
    assert reported.ages().keys() == {"bridge", "relay"}
    LivenessReporter(threading.Event(), loops=parts, reaches_kafka=lambda: True).step()
    assert reported.ages().keys() == {"bridge", "relay", "kafka"}


def test_a_part_that_stands_still_is_not_vouched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = LoopLiveness()
    stuck.mark()
    assert stuck.is_alive
    later = time.monotonic() + reported.SILENT_AFTER
    monkeypatch.setattr(liveness.time, "monotonic", lambda: later)
    assert not stuck.is_alive


def test_a_kafka_that_is_not_there_does_not_answer_and_the_question_ends(settings: Any) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:9"
    assert liveness.kafka_probe()() is False


def test_the_brokers_cluster_answers() -> None:
    assert liveness.kafka_probe()() is True


class Sent(list[str]):
    """Canaries that were sent instead of the real queue."""

    def apply_async(self, *, args: tuple[str], queue: str, retry: bool) -> None:
        assert args == (queue,)
        self.append(queue)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    sent = Sent()
    monkeypatch.setattr(canary, "canary", sent)
    return sent


def test_an_idle_worker_sends_a_canary_to_its_empty_queue(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "waiting_in", {"ai": 0, "storage": 3}.__getitem__)
    worker = canary.Canaries(["ai", "storage"], slots=1)
    worker._look_at("ai")
    worker._look_at("storage")
    # Where something waits already, one more would only make the queue longer.
    assert sent == ["ai"]
    assert reported.ages() == {}, "a canary that was only sent is no report"


def test_a_worker_whose_slots_are_all_in_use_is_seen_to_work(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_state, "reserved_requests", {"one", "two"})
    canary.Canaries(["ai"], slots=2)._look_at("ai")
    assert sent == []
    assert reported.ages().keys() == {"worker-ai"}


def test_a_canary_that_was_run_reports_its_queues_workers() -> None:
    canary.canary("webhooks")
    assert reported.ages().keys() == {"worker-webhooks"}
