"""A scrape tells what it can, costs little however many scrape, and never fails."""

import threading
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from resume_platform.observability import exporter
from resume_platform.observability.exporter import Values, figures, registry_of
from resume_platform.observability.metrics import Figure

WELL = Figure("test_well", "A figure that can be had", ("kind",))
AWAY = Figure("test_away", "A figure that cannot be had")


@pytest.fixture(autouse=True)
def no_other_sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(exporter, "_sources", {})
    return


def scrape(*kinds: str) -> str:
    return generate_latest(registry_of(*kinds)).decode()


def test_a_source_that_is_away_is_left_out_and_said_to_be_missing() -> None:
    @figures("well", process="bridge")
    def well() -> Values:
        return {WELL: {("a",): 1.0, ("b",): 2.0}}

    @figures("away", process="bridge")
    def away() -> Values:
        raise ConnectionError("the address of a server")

    told = scrape("bridge")
    assert 'test_well{kind="a"} 1.0\ntest_well{kind="b"} 2.0\n' in told
    assert "test_away" not in told
    assert 'figures_missing{source="away"} 1.0' in told
    assert 'figures_missing{source="well"} 0.0' in told
    assert "process_start_time_seconds" in told


def test_a_process_tells_its_own_figures_only() -> None:
    @figures("of_the_bridge", process="bridge")
    def of_the_bridge() -> Values:
        return {AWAY: {(): 1.0}}

    assert "test_away" in scrape("bridge")
    assert "test_away" not in scrape("ai", "webhooks")


def test_many_scrapers_ask_a_source_once() -> None:
    asked: list[int] = []
    may_answer = threading.Event()

    @figures("slow", process="bridge")
    def slow() -> Values:
        asked.append(1)
        assert may_answer.wait(30)
        return {AWAY: {(): 7.0}}

    registry = registry_of("bridge")
    told: list[bytes] = []
    scrapers = [
        threading.Thread(target=lambda: told.append(generate_latest(registry))) for _ in range(8)
    ]
    for scraper in scrapers:
        scraper.start()
    may_answer.set()
    for scraper in scrapers:
        scraper.join()
    assert len(asked) == 1
    assert all(b"test_away 7.0" in text for text in told)


def test_a_source_that_hangs_holds_up_nobody_but_its_first_scraper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporter, "WAIT_SECONDS", 0.05)
    begun, may_end = threading.Event(), threading.Event()

    @figures("hangs", process="bridge")
    def hangs() -> Values:
        begun.set()
        assert may_end.wait(30)
        return {}

    registry = registry_of("bridge")
    first = threading.Thread(target=lambda: generate_latest(registry))
    first.start()
    try:
        assert begun.wait(30)
        assert b'figures_missing{source="hangs"} 1.0' in generate_latest(registry)
    finally:
        may_end.set()
        first.join()
