"""Where lines go: stdout, and a file that is turned over at midnight (UTC)."""

import contextlib
import fcntl
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path


def private(path: Path | str, flags: int) -> int:
    """Open as `open` does, but a new file is its owner's alone."""
    return os.open(path, flags, 0o600)


class _SaysLittleWhenItFails(logging.Handler):
    """The standard library would print the record that could not be written, arguments and all."""

    def handleError(self, record: logging.LogRecord) -> None:
        kind = sys.exc_info()[0]
        line = {
            "event": "log.not_written",
            "level": "error",
            "logger": record.name,
            "error": kind.__name__ if kind else "",
        }
        with contextlib.suppress(OSError, ValueError):
            print(json.dumps(line), file=sys.__stderr__, flush=True)


class StdoutHandler(_SaysLittleWhenItFails, logging.StreamHandler):
    """One line per record."""


class DailyFileHandler(_SaysLittleWhenItFails, WatchedFileHandler):
    """Appends to `path`; the file of a day that is over becomes `path.YYYY-MM-DD`.

    Several processes, and hosts' containers with one volume, may share a file: the first that
    notices the new day renames it under a lock, the others follow. A process that starts on a later
    day turns over what it finds. Days older than `keep_days` are deleted.
    """

    def __init__(
        self, path: Path | str, *, keep_days: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = Path(path)
        self._keep_days = keep_days
        self._clock = clock
        self._day: date | None = None
        super().__init__(str(path), encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        descriptor = private(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            today = datetime.fromtimestamp(self._clock(), UTC).date()
            if today != self._day:
                self._turn_over(today)
                self._day = today
        except OSError:
            self.handleError(record)
        super().emit(record)

    def _turn_over(self, today: date) -> None:
        with self._lock_among_processes():
            try:
                state = self._path.stat()
            except FileNotFoundError:
                return
            written = datetime.fromtimestamp(state.st_mtime, UTC).date()
            finished = Path(f"{self._path}.{written}")
            if state.st_size and written < today and not finished.exists():
                self._path.rename(finished)
            self._delete_before(today - timedelta(days=self._keep_days))

    def _delete_before(self, oldest: date) -> None:
        for file in self._path.parent.glob(f"{self._path.name}.*"):
            with contextlib.suppress(ValueError):
                if date.fromisoformat(file.name.removeprefix(f"{self._path.name}.")) < oldest:
                    file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _lock_among_processes(self) -> Iterator[None]:
        with self._path.with_name(f".{self._path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
