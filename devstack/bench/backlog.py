"""Backlog: events that piled up in a real Kafka while nothing of ours ran, then worked off."""

import time

import psycopg2

from devstack.bench import broker
from devstack.bench.figures import RATE, Figures
from devstack.bench.floors import database as floor
from devstack.bench.ingest import FIRST_ID, RAW_INSERT, STALLED_SECONDS
from devstack.bench.rig import Rig
from devstack.bench.usage import Watch, memory_mb
from devstack.errors import StackError
from devstack.stack import Stack

POLL_SECONDS = 0.25
QUARTERS = 4
FLOOR_ROWS = 10_000
# What must not grow with the backlog.
WATCHED = ("redis", "bridge", "worker-storage")


def measure(rig: Rig, figures: Figures) -> None:
    count = rig.size(100_000, 10_000)
    for _ in rig.each_run("backlog"):
        topics = rig.topics()
        rig.create_topics(topics)
        topic = topics["KAFKA_TOPIC_UPLOADING_DATA"]
        broker.produce(rig.servers, topic, "new_resume", broker.resumes(FIRST_ID, count))
        with rig.stack(topics=topics) as stack:
            rest = memory_mb(rig.pids(stack))
            with Watch(lambda: rig.pids(stack), stack.info["database_url"]) as watch:
                left, moments = _drain(stack, count)
            rows = list(broker.resumes(FIRST_ID + count, FLOOR_ROWS))
            raw = floor.insert_resumes(stack.info["database_url"], rows)
        figures.add("events stored", left / (moments[-1] - moments[0]), RATE, floor=RAW_INSERT)
        figures.add(RAW_INSERT, FLOOR_ROWS / raw, RATE)
        for number in range(QUARTERS):
            seconds = moments[number + 1] - moments[number]
            figures.add(f"events stored, quarter {number + 1}", left / QUARTERS / seconds, RATE)
        for name in WATCHED:
            figures.add(f"memory of {name} at its start", rest[name], "MB")
            for quarter, megabytes in enumerate(_by_quarter(watch, name), start=1):
                figures.add(f"memory of {name}, quarter {quarter}", megabytes, "MB")
    figures.remark(f"{count} events; what was stored before every process was ready is left out.")


def _drain(stack: Stack, count: int) -> tuple[int, list[float]]:
    """How many were left at the beginning; when that was, and when each quarter was readable."""
    database = psycopg2.connect(stack.info["database_url"])
    database.autocommit = True
    moments: list[float] = []
    begin = last = -1
    moved = time.monotonic()
    try:
        with database.cursor() as cursor:
            while len(moments) <= QUARTERS:
                cursor.execute("SELECT count(*) FROM storage_storedresume")
                ((stored,),) = cursor.fetchall()
                now = time.monotonic()
                if begin < 0:
                    begin = stored
                while len(moments) <= QUARTERS and stored >= begin + (
                    (count - begin) * len(moments) // QUARTERS
                ):
                    moments.append(now)
                if stored != last:
                    last, moved = stored, now
                if now - moved > STALLED_SECONDS:
                    raise StackError(f"{stored} of {count} events were stored, then no more.")
                time.sleep(POLL_SECONDS)
    finally:
        database.close()
    return count - begin, moments


def _by_quarter(watch: Watch, name: str) -> list[float]:
    samples = [sample.get(name, 0.0) for sample in watch.samples_mb]
    parts = [samples[len(samples) * n // 4 : len(samples) * (n + 1) // 4] for n in range(QUARTERS)]
    return [max(part) for part in parts if part]
