"""Backlog: events that piled up in a real Kafka while nothing of ours ran, then worked off."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from devstack.errors import StackError
from devstack.parts import Parts
from devstack.stack import Stack
from devstack.supervisor import Supervisor
from tools.bench import broker
from tools.bench.figures import RATE, Figures
from tools.bench.floors import database as floor
from tools.bench.ingest import FIRST_ID, RAW_INSERT, STALLED_SECONDS, servers, topic
from tools.bench.rig import Rig
from tools.bench.usage import MemorySampler, memory_mb

POLL_SECONDS = 0.1
QUARTERS = 4
FLOOR_ROWS = 10_000
# What must not grow with the backlog.
WATCHED = ("redis", "bridge", "worker-storage")


def measure(rig: Rig, figures: Figures) -> None:
    count = rig.size(100_000, 10_000)
    for _ in rig.each_run("backlog"):
        with rig.stack(copies={"bridge": 0}) as stack:
            events = broker.resumes(FIRST_ID, count)
            broker.produce(servers(stack), topic(stack), "new_resume", events)
            with (
                _bridge(stack) as pid,
                MemorySampler({**stack.pids, "bridge": pid}) as sampler,
            ):
                rest = memory_mb({**stack.pids, "bridge": pid})
                left, moments = _drain(stack, count)
            rows = list(broker.resumes(FIRST_ID + count, FLOOR_ROWS))
            raw = floor.insert_resumes(stack.info["database_url"], rows)
        figures.add("events stored", left / (moments[-1] - moments[0]), RATE, floor=RAW_INSERT)
        figures.add(RAW_INSERT, FLOOR_ROWS / raw, RATE)
        for number in range(QUARTERS):
            seconds = moments[number + 1] - moments[number]
            figures.add(f"events stored, quarter {number + 1}", left / QUARTERS / seconds, RATE)
        for name in WATCHED:
            figures.add(f"memory of {name} at its start", rest[name], "MB", detail=True)
            for quarter, megabytes in enumerate(_by_quarter(sampler, name), start=1):
                figures.add(f"memory of {name}, quarter {quarter}", megabytes, "MB", detail=True)
    figures.remark(f"{count} events; the clock starts when the bridge has its partitions.")


@contextmanager
def _bridge(stack: Stack) -> Iterator[int]:
    """The process of a bridge that starts when all is there to be taken in."""
    (spec,) = Parts(stack.environment).bridges()
    supervisor = Supervisor(
        [spec], log_dir=stack.directory / "logs", record=stack.directory / "bridge.json"
    )
    supervisor.start()
    try:
        yield supervisor.pids["bridge"]
    finally:
        supervisor.stop()


def _drain(stack: Stack, count: int) -> tuple[int, list[float]]:
    """How many were left at the beginning; when that was, and when each quarter was readable."""
    database = psycopg2.connect(stack.info["database_url"])
    database.autocommit = True
    try:
        begin = last = _stored(database)
        left = count - begin
        moments = [time.monotonic()]
        moved = moments[0]
        while len(moments) <= QUARTERS:
            time.sleep(POLL_SECONDS)
            stored, now = _stored(database), time.monotonic()
            while len(moments) <= QUARTERS and stored >= begin + left * len(moments) // QUARTERS:
                moments.append(now)
            if stored != last:
                last, moved = stored, now
            if now - moved > STALLED_SECONDS:
                raise StackError(f"{stored} of {count} events were stored, then no more.")
    finally:
        database.close()
    return left, moments


def _stored(database: Any) -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM storage_storedresume")
        ((stored,),) = cursor.fetchall()
    return int(stored)


def _by_quarter(sampler: MemorySampler, name: str) -> list[float]:
    samples = [sample.get(name, 0.0) for sample in sampler.samples_mb]
    parts = [samples[len(samples) * n // 4 : len(samples) * (n + 1) // 4] for n in range(QUARTERS)]
    return [max(part) for part in parts if part]
