"""Keeps the orphan reaper informed, and a record of our process groups for the next run."""

import subprocess
import sys
from pathlib import Path

import psutil

from devstack import orphan_reaper
from devstack.files import read_json, write_json
from devstack.process import Process


class ProcessGroups:
    """Not thread-safe: the supervisor's lock covers it."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._groups: dict[int, float] = {}
        self._reaper: subprocess.Popen[str] | None = None

    def add(self, group: int) -> None:
        self._groups[group] = _created(group)
        self._tell(f"+{group}")
        self._write()

    def remove(self, group: int) -> None:
        if self._groups.pop(group, None) is not None:
            self._tell(f"-{group}")
            self._write()

    def reap(self, process: Process) -> int:
        """Ends what is left of the process's group, and forgets it; returns the exit code."""
        pid = process.pid
        assert pid is not None
        code = process.reap()
        self.remove(pid)
        return code

    def close(self) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()
            self._reaper = None
        if not self._groups:
            self._record.unlink(missing_ok=True)

    def _tell(self, line: str) -> None:
        if self._reaper is not None and self._reaper.poll() is None:
            try:
                self._write_line(line)
            except BrokenPipeError:
                pass
            else:
                return
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", orphan_reaper.__file__],
            stdin=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd="/",
            start_new_session=True,
        )
        for group in self._groups:
            self._write_line(f"+{group}")

    def _write_line(self, line: str) -> None:
        assert self._reaper is not None
        assert self._reaper.stdin is not None
        self._reaper.stdin.write(line + "\n")
        self._reaper.stdin.flush()

    def _write(self) -> None:
        write_json(self._record, [[group, created] for group, created in self._groups.items()])


def end_leftovers(record: Path) -> int:
    """Ends the groups of an earlier run whose supervisor and reaper both died; returns how many.

    A group's leader is known by its pid together with its start time, so that a stranger who got
    the pid since is left alone.
    """
    alive = {
        group
        for group, created in read_json(record) or []
        if created and _created(group) == created
    }
    orphan_reaper.end(alive)
    record.unlink(missing_ok=True)
    return len(alive)


def _created(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0
