"""Signs of life: who is seen to work, and what it takes to be seen."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.worker import state as worker_state

from kafka_bridge import canary, pulse
from kafka_bridge.pulse import Pulse, Turning
from resume_platform import signs
from resume_platform.caching import counters_for


@pytest.fixture(autouse=True)
def no_signs() -> Iterator[None]:
    namespace = counters_for("platform")
    namespace.redis.delete(namespace.name("signs"))
    yield
    namespace.redis.delete(namespace.name("signs"))


def test_a_sign_ages_by_the_one_clock_of_redis() -> None:
    signs.note("bridge", "relay")
    first = signs.ages()
    assert first.keys() == {"bridge", "relay"}
    while signs.ages()["bridge"] <= first["bridge"]:
        time.sleep(0.001)
    signs.note("bridge")
    ages = signs.ages()
    assert ages["bridge"] < ages["relay"]


def test_a_bridge_vouches_for_what_turns_and_for_a_kafka_that_answers() -> None:
    turning, never_began, gave_away = Turning(), Turning(), Turning()
    turning.mark()
    gave_away.mark()
    gave_away.stop()
    parts = {"relay": turning, "intake": never_began, "dispatcher": gave_away}
    Pulse(threading.Event(), parts=parts, reaches_kafka=lambda: False).step()
    assert signs.ages().keys() == {"bridge", "relay"}
    Pulse(threading.Event(), parts=parts, reaches_kafka=lambda: True).step()
    assert signs.ages().keys() == {"bridge", "relay", "kafka"}


def test_a_part_that_stands_still_is_not_vouched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Turning()
    stuck.mark()
    assert stuck.is_alive
    later = time.monotonic() + signs.SILENT_AFTER
    monkeypatch.setattr(pulse.time, "monotonic", lambda: later)
    assert not stuck.is_alive


def test_a_kafka_that_is_not_there_does_not_answer_and_the_question_ends(settings: Any) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:9"
    assert pulse.kafka_answers()() is False


def test_the_brokers_cluster_answers() -> None:
    assert pulse.kafka_answers()() is True


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
    assert signs.ages() == {}, "a canary that was only sent is no sign"


def test_a_worker_whose_slots_are_all_in_use_is_seen_to_work(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_state, "reserved_requests", {"one", "two"})
    canary.Canaries(["ai"], slots=2)._look_at("ai")
    assert sent == []
    assert signs.ages().keys() == {"worker-ai"}


def test_a_canary_that_was_run_is_the_sign_of_its_queues_workers() -> None:
    canary.canary("webhooks")
    assert signs.ages().keys() == {"worker-webhooks"}
