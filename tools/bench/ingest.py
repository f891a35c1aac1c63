"""Ingest: foreign `new_resume` events of 1.5 kB on a real Kafka, until every row is readable."""

import time

import psycopg2

from devstack.errors import StackError
from devstack.stack import Stack
from tools.bench import broker
from tools.bench.figures import RATE, Figures
from tools.bench.floors import database as floor
from tools.bench.rig import Rig

FIRST_ID = 10**9
POLL_SECONDS = 0.05
STALLED_SECONDS = 60.0

STORED = "events stored"
RAW_CONSUME = "floor: raw Kafka consume"
RAW_INSERT = "floor: raw bulk insert"


def measure(rig: Rig, figures: Figures) -> None:
    count = rig.size(20_000, 4_000)
    with rig.stack() as stack:
        ingest(stack, FIRST_ID, 500)  # a first use loads what is loaded lazily
        for run in rig.each_run("ingest"):
            first = FIRST_ID + (run + 1) * 10**6
            with rig.spending(stack) as used:
                seconds, starts = ingest(stack, first, count)
            raw_consume = broker.consume(servers(stack), starts, count)
            raw_insert = floor.insert_resumes(
                stack.info["database_url"], list(broker.resumes(first, count))
            )
            figures.add(STORED, count / seconds, RATE, floor=RAW_INSERT)
            figures.add(RAW_INSERT, count / raw_insert, RATE)
            figures.add(RAW_CONSUME, count / raw_consume, RATE)
            for name in ("bridge", "worker-storage", "postgres", "redis", "kafka"):
                figures.add(f"CPU of {name}", used[name] / count * 10_000, "s/10,000", detail=True)


def ingest(stack: Stack, first: int, count: int) -> tuple[float, list[broker.TopicPartition]]:
    """Seconds from the first event produced to the last row readable, and where in the log."""
    starts = broker.ends(servers(stack), topic(stack))
    events = list(broker.resumes(first, count))
    began = time.perf_counter()
    broker.produce(servers(stack), topic(stack), "new_resume", events)
    wait_for_rows(stack, first, count)
    return time.perf_counter() - began, starts


def wait_for_rows(stack: Stack, first: int, count: int) -> None:
    database = psycopg2.connect(stack.info["database_url"])
    database.autocommit = True
    began = moved = time.monotonic()
    last = -1
    try:
        with database.cursor() as cursor:
            while True:
                cursor.execute(
                    "SELECT count(*) FROM storage_storedresume WHERE resume_id BETWEEN %s AND %s",
                    [first, first + count - 1],
                )
                ((stored,),) = cursor.fetchall()
                if stored == count:
                    return
                if stored != last:
                    last, moved = stored, time.monotonic()
                now = time.monotonic()
                if now - moved > STALLED_SECONDS:
                    raise StackError(f"{stored} of {count} events were stored, then no more.")
                # Counting 20,000 rows takes PostgreSQL milliseconds: half of what is left is slept.
                left = (now - began) * (count - stored) / max(stored, 1)
                time.sleep(max(min(left / 2, now - began), POLL_SECONDS))
    finally:
        database.close()


def servers(stack: Stack) -> str:
    return str(stack.info["kafka_bootstrap_servers"])


def topic(stack: Stack) -> str:
    return stack.environment.topics[0]
