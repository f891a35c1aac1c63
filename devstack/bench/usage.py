"""What each process of a stack uses: CPU seconds, memory, database connections."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import psutil
import psycopg2

SAMPLE_SECONDS = 0.5
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
    return {name: sum(_memory(process) for process in _tree(pid)) for name, pid in pids.items()}


class Watch:
    """`with Watch(pids, database_url) as watch:` the most memory and connections in that time."""

    def __init__(self, pids: Callable[[], Mapping[str, int]], database_url: str) -> None:
        self._pids = pids
        self._database_url = database_url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self.peak_mb: dict[str, float] = {}
        self.samples_mb: list[dict[str, float]] = []
        self.connections: list[Counter[str]] = []
        """One per sample: how many each process holds; `in transaction` of all together."""

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def most_connections(self, name: str) -> int:
        return max((sample[name] for sample in self.connections), default=0)

    def _watch(self) -> None:
        database = psycopg2.connect(self._database_url)
        database.autocommit = True
        try:
            while not self._stop.wait(SAMPLE_SECONDS):
                pids = self._pids()
                sample = memory_mb(pids)
                self.samples_mb.append(sample)
                for name, megabytes in sample.items():
                    self.peak_mb[name] = max(self.peak_mb.get(name, 0.0), megabytes)
                self.connections.append(connections(database, pids))
        finally:
            database.close()


def connections(database: Any, pids: Mapping[str, int]) -> Counter[str]:
    """Of PostgreSQL, by the process at the other end."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT client_port, state LIKE 'idle in transaction%' FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        in_transaction = dict(cursor.fetchall())
    counted: Counter[str] = Counter({"in transaction": sum(map(bool, in_transaction.values()))})
    for name, pid in pids.items():
        if name != "postgres":
            counted[name] = sum(port in in_transaction for port in _local_ports(pid))
    return counted


def _local_ports(pid: int) -> Iterator[int]:
    for process in _tree(pid):
        try:
            for connection in process.net_connections("tcp4"):
                yield connection.laddr.port
        except psutil.Error:
            continue


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
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if pid != os.getpid():
            total += times.children_user + times.children_system
    return total


def _memory(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
