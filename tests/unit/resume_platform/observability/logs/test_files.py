"""LOG_DIR: a file a day and process, whoever writes, restarts or comes late."""

import logging
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from resume_platform.observability import logs
from resume_platform.observability.logs.handlers import DailyFileHandler

DAY = 86_400.0
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def write(handler: DailyFileHandler, words: str, at: float) -> None:
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, words, (), None))
    os.utime(handler.baseFilename, (at, at))  # the file's age is told by this clock too


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


def handler(path: Path, clock: Clock, keep_days: int = 14) -> DailyFileHandler:
    return DailyFileHandler(path, keep_days=keep_days, clock=clock)


def texts(directory: Path) -> dict[str, str]:
    return {f.name: f.read_text() for f in directory.iterdir() if not f.name.startswith(".")}


def test_a_file_is_its_owners_alone(tmp_path, clock):
    log = handler(tmp_path / "web.log", clock)
    write(log, "Sunday", clock.now)
    assert (tmp_path / "web.log").stat().st_mode & 0o777 == 0o600


def test_a_day_that_is_over_gets_a_file_of_its_own(tmp_path, clock):
    log = handler(tmp_path / "web.log", clock)
    write(log, "Sunday", clock.now)
    clock.now += DAY
    write(log, "Monday", clock.now)
    write(log, "Monday night", clock.now)
    assert texts(tmp_path) == {
        "web.log.2026-05-10": "Sunday\n",
        "web.log": "Monday\nMonday night\n",
    }


def test_a_restart_goes_on_in_the_same_day_and_turns_over_an_old_one(tmp_path, clock):
    write(handler(tmp_path / "web.log", clock), "before", clock.now)
    clock.now += 3600
    write(handler(tmp_path / "web.log", clock), "after", clock.now)
    assert texts(tmp_path) == {"web.log": "before\nafter\n"}
    clock.now += 3 * DAY
    write(handler(tmp_path / "web.log", clock), "long after", clock.now)
    assert texts(tmp_path) == {"web.log.2026-05-10": "before\nafter\n", "web.log": "long after\n"}


def test_only_so_many_days_are_kept_and_nobody_elses_files_are_touched(tmp_path, clock):
    (tmp_path / "web.log.old").write_text("not a day")
    (tmp_path / "web-2.log.2020-01-01").write_text("another process's")
    log = handler(tmp_path / "web.log", clock, keep_days=3)
    for day in range(7):
        clock.now = NOON + day * DAY
        write(log, str(day), clock.now)
    assert sorted(texts(tmp_path)) == [
        "web-2.log.2020-01-01",
        "web.log",
        *(f"web.log.2026-05-{day}" for day in (13, 14, 15)),
        "web.log.old",
    ]


def write_over_midnight(path: Path, name: str, start: "multiprocessing.Barrier") -> None:
    log = handler(path, clock := Clock(NOON))
    for number in range(200):
        log.emit(logging.LogRecord("x", logging.INFO, "", 0, f"{name} {number}", (), None))
    start.wait()
    clock.now = time.time() + DAY  # for the files of just now, tomorrow
    for number in range(200, 400):
        log.emit(logging.LogRecord("x", logging.INFO, "", 0, f"{name} {number}", (), None))


def test_processes_that_share_a_file_lose_no_line_at_midnight(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    writers = [
        context.Process(target=write_over_midnight, args=(tmp_path / "web.log", f"p{n}", barrier))
        for n in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    lines = [line for text in texts(tmp_path).values() for line in text.splitlines()]
    assert sorted(lines) == sorted(f"p{n} {number}" for n in range(4) for number in range(400))
    assert len(texts(tmp_path)) == 2


@pytest.fixture
def undone() -> Iterator[None]:
    """What a process does for its whole life is taken back after the test."""
    root = logging.getLogger()
    before, hooks = root.handlers[:], (sys.excepthook, threading.excepthook)
    yield
    root.handlers = before
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize(
    ("process", "name"),
    [
        ("web", "web.log"),
        ("worker-webhooks", "notification_service.log"),
        ("worker-webhooks-2", "notification_service-2.log"),
        ("worker-ai", "worker-ai.log"),
    ],
)
def test_each_process_has_a_file_and_the_notifications_keep_their_name(
    tmp_path, monkeypatch, process, name
):
    monkeypatch.setattr(settings, "LOG_DIR", str(tmp_path / "logs"))
    logs.configure({"process": process})
    structlog.get_logger("kafka_bridge.process.bridge").info("bridge.started")
    assert '"event": "bridge.started"' in texts(tmp_path / "logs")[name]


def test_a_place_that_cannot_be_written_to_stops_the_start_with_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(settings, "LOG_DIR", str(tmp_path / "file" / "logs"))
    with pytest.raises(ImproperlyConfigured, match="LOG_DIR"):
        logs.configure({"process": "web"})
