"""What each process of a stack uses: CPU seconds, memory, database connections."""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from devstack.bench.sampling import Sampling

CONNECTIONS_SECONDS = 1.0
# Adding a process's pages up costs the kernel milliseconds.
MEMORY_EVERY = 3
IDLE_IN_TRANSACTION = "idle in transaction"
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
    children = _children()
    return {
        name: sum(map(_resident_mb, _with_descendants(pid, children))) for name, pid in pids.items()
    }


class Watch(Sampling):
    """`with Watch(pids, database_url) as watch:` the most memory and connections in that time."""

    def __init__(self, pids: Callable[[], Mapping[str, int]], database_url: str) -> None:
        super().__init__()
        self._pids = pids
        self._database_url = database_url
        self.peak_mb: dict[str, float] = {}
        self.samples_mb: list[dict[str, float]] = []
        self.connections: list[Counter[str]] = []
        """One per sample: how many each process holds; IDLE_IN_TRANSACTION: of all together."""

    def most_connections(self, name: str) -> int:
        return max((sample[name] for sample in self.connections), default=0)

    def _sample(self) -> None:
        database = psycopg2.connect(self._database_url)
        database.autocommit = True
        try:
            for turn in itertools.count():
                if self._stop.wait(CONNECTIONS_SECONDS):
                    return
                self.connections.append(connections(database))
                if turn % MEMORY_EVERY == 0:
                    self._sample_memory()
        finally:
            database.close()

    def _sample_memory(self) -> None:
        sample = memory_mb(self._pids())
        self.samples_mb.append(sample)
        for name, megabytes in sample.items():
            self.peak_mb[name] = max(self.peak_mb.get(name, 0.0), megabytes)


def connections(database: Any) -> Counter[str]:
    """Of PostgreSQL, by the name that the process at the other end gives itself."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT application_name, count(*),"
            " count(*) FILTER (WHERE state LIKE 'idle in transaction%')"
            " FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1"
        )
        rows = cursor.fetchall()
    counted = Counter({name: held for name, held, _ in rows})
    counted[IDLE_IN_TRANSACTION] = sum(idle for _, _, idle in rows)
    return counted


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


def _children() -> dict[int, list[int]]:
    """In one pass over all processes, where psutil makes one for each it is asked about."""
    children: dict[int, list[int]] = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(directory.name))
    return children


def _with_descendants(pid: int, children: Mapping[int, list[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _with_descendants(child, children)


def _resident_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass  # it ended meanwhile
    return 0.0
