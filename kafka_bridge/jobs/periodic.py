"""`@periodic`: work that no event asks for, done by one bridge at a time.

A job's row in the database says when it is due next. Whoever moves that on does the round, so
several bridges share the jobs without a lock that outlives a statement (DATABASE_URL may be a
pooler). A round that outlasts its period may meet the next one: a job locks the rows it takes.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError, connection

from resume_platform.observability import metrics
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """One registered function and its period in seconds."""

    name: str
    every: float
    function: Callable[[], None]


JOBS: dict[str, Job] = {}


def periodic(name: str, *, every: float) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Have `function()` called about every so many seconds, outside of any transaction.

    It must bear being cut off anywhere and being called again early.
    """

    def register(function: Callable[[], None]) -> Callable[[], None]:
        JOBS[name] = Job(name, every, function)
        return function

    return register


class Periodic:
    """The bridge's thread for the jobs. What one raises is logged and stops nothing."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def run(self) -> None:
        # First one look's time for the intake: after a long absence much news waits in Kafka.
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.step()
            except (OperationalError, InterfaceError) as error:
                log.warning("periodic.database_away", error=describe(error))
                connection.close()
        connection.close()

    def step(self) -> None:
        """Do every job that is due."""
        for name in _due(list(JOBS.values())):
            if not self._stop.is_set() and _take(JOBS[name]):
                _do(JOBS[name])


def _do(job: Job) -> None:
    outcome = "done"
    try:
        job.function()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001  one job's defect is not the bridge's end
        outcome = "failed"
        log.error("periodic.failed", job=job.name, error=describe(error))
    metrics.PERIODIC_RUNS.labels(job.name, outcome).inc()


def _due(jobs: Sequence[Job]) -> list[str]:
    """Those that seem due, in one look for all; a new job waits for one period."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH job AS (SELECT * FROM unnest(%s::text[], %s::float[]) AS job(name, every)
            ), added AS (
                INSERT INTO kafka_bridge_periodicjob (name, due_at)
                SELECT name, clock_timestamp() + make_interval(secs => every) FROM job
                WHERE name NOT IN (SELECT name FROM kafka_bridge_periodicjob)
                ON CONFLICT DO NOTHING
            )
            SELECT name FROM job JOIN kafka_bridge_periodicjob AS known USING (name)
            WHERE due_at <= clock_timestamp()
                  OR due_at > clock_timestamp() + make_interval(secs => every)
            """,
            [[job.name for job in jobs], [job.every for job in jobs]],
        )
        due = {name for (name,) in cursor.fetchall()}
    return [job.name for job in jobs if job.name in due]


def _take(job: Job) -> bool:
    """Whether this bridge does the round that is due now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kafka_bridge_periodicjob
            SET due_at = clock_timestamp() + make_interval(secs => %(every)s)
            WHERE name = %(name)s AND (due_at <= clock_timestamp()
                  -- The period was longer before.
                  OR due_at > clock_timestamp() + make_interval(secs => %(every)s))
            """,
            {"name": job.name, "every": job.every},
        )
        return bool(cursor.rowcount)
