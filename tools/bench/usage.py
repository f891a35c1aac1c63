"""What each process of a stack uses: CPU seconds and memory."""

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import psutil

SAMPLE_SECONDS = 3.0
BENCH = "bench"
"""This process: it waits, and receives callbacks."""


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Used so far by each process and all its children, those that ended included."""
    return {name: _cpu(pid) for name, pid in {**pids, BENCH: os.getpid()}.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Of those that are in both; one that was started again counts from 0."""
    return {name: max(0.0, after[name] - before[name]) for name in after if name in before}


def memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Resident, by process with its children; a page that several share is counted once (PSS)."""
    return {name: sum(map(_resident_mb, _tree(pid))) for name, pid in pids.items()}


class MemorySampler:
    """`with MemorySampler(pids) as sampler:` measures memory every few seconds in a thread."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self.samples_mb: list[dict[str, float]] = []
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.samples_mb.append(memory_mb(self._pids))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        self._thread.join()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        # This process's children are the stack itself.
        return [process] if pid == os.getpid() else [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu(pid: int) -> float:
    total = 0.0
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
            if pid != os.getpid():
                total += times.children_user + times.children_system
    return total


def _resident_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:  # it ended meanwhile
        return 0.0
