"""End to end: processings started at full speed, until every callback has arrived."""

import json
import time
from dataclasses import dataclass

from devstack.errors import StackError
from devstack.parts import WORKERS
from devstack.stack import Stack
from tools.bench import load, users
from tools.bench.figures import RATE, Figures
from tools.bench.floors import celery_tasks
from tools.bench.ingest import wait_for_rows
from tools.bench.receiver import Receiver
from tools.bench.rig import Rig
from tools.bench.usage import BENCH

USERS = 16
WARM_UP = 40
STALLED_SECONDS = 60.0
# What stands for somebody else: a client, a receiver, the AI.
OTHERS = (BENCH, "openai-standin", "callback-sink", "flower")

RATE_NAME = "processings"
FLOOR = "floor: empty Celery tasks"
SYSTEM_CPU = "CPU of the system"


def measure(rig: Rig, figures: Figures, *, delay: float, threads: int | None) -> None:
    """`delay`: the AI's, in seconds; `threads`: of the AI's worker, None as in `./dev up`."""
    count = rig.size(2000, 300)
    threads = rig.threads or threads or WORKERS["ai"][0]
    workers = {"ai": (threads, WORKERS["ai"][1])}
    with rig.stack(standin_delay=delay, workers=workers) as stack, Receiver() as receiver:
        people = users.make(stack, USERS)
        judge(stack, receiver, people, WARM_UP, first=0)
        for run in rig.each_run(f"{delay:g} s AI, {threads} threads"):
            with rig.spending(stack) as used:
                judged = judge(stack, receiver, people, count, first=(run + 1) * 10**6)
            floor = celery_tasks.tasks_per_second(stack.info["redis_url"], rig.size(3000, 1000))
            figures.add(RATE_NAME, count / judged.seconds, RATE, floor=FLOOR)
            figures.add(FLOOR, floor, RATE)
            _add_cpu(figures, used, count)
    figures.remark(
        f"The AI's worker has {threads} threads; {count} processings a run, an upload each."
    )
    if receiver.repeated:
        figures.remark(f"{receiver.repeated} callbacks came more than once.")


@dataclass(frozen=True)
class Judged:
    """`seconds`: from the first request sent to the last callback received."""

    seconds: float
    resumes: list[int]
    processings: list[int]


def judge(
    stack: Stack, receiver: Receiver, people: list[users.User], count: int, *, first: int
) -> Judged:
    """Upload so many resumes, then start all processings at full speed; all called back."""
    resumes = users.create_resumes(stack, people, count, first=first)
    wait_for_rows(stack, min(resumes), count)
    prepared = users.starts(people, resumes, callback_url=receiver.url, first=first)
    report = load.run(users.port(stack), list(prepared.values())).must_all_be(200)
    wait_for_callbacks(receiver, set(prepared))
    seconds = max(receiver.arrivals[path] for path in prepared) - report.started_at
    processings = [int(json.loads(body)["processing_id"]) for body in report.bodies]
    return Judged(seconds, resumes, processings)


def wait_for_callbacks(receiver: Receiver, paths: set[str]) -> None:
    missing, moved = len(paths), time.monotonic()
    while left := len(paths - receiver.arrivals.keys()):
        if left != missing:
            missing, moved = left, time.monotonic()
        if time.monotonic() - moved > STALLED_SECONDS:
            raise StackError(f"{left} of {len(paths)} callbacks are missing, and no more come.")
        time.sleep(0.05)


def _add_cpu(figures: Figures, used: dict[str, float], count: int) -> None:
    figures.add(
        SYSTEM_CPU,
        sum(seconds for name, seconds in used.items() if name not in OTHERS) / count * 1000,
        "s/1,000",
    )
    for name, seconds in sorted(used.items(), key=lambda item: -item[1]):
        figures.add(f"CPU of {name}", seconds / count * 1000, "s/1,000", detail=True)
