"""Memory: what each process of `./dev up` holds at rest and under load, and their sum."""

import time

from devstack.bench import users
from devstack.bench.figures import Figures
from devstack.bench.receiver import Receiver
from devstack.bench.rig import Rig
from devstack.bench.throughput import judge
from devstack.bench.usage import Watch, memory_mb

USERS = 4
REST_SECONDS = 2.0


def measure(rig: Rig, figures: Figures) -> None:
    count = rig.size(200, 60)
    for _ in rig.each_run("memory"):
        with rig.stack() as stack, Receiver() as receiver:
            time.sleep(REST_SECONDS)
            rest = memory_mb(rig.pids(stack))
            with Watch(lambda: rig.pids(stack), stack.info["database_url"]) as watch:
                judge(stack, receiver, users.make(stack, USERS), count, first=0)
            sums = [sum(sample.values()) for sample in watch.samples_mb]
        for name in sorted(rest):
            figures.add(f"{name} at rest", rest[name], "MB")
            figures.add(f"{name}, most under load", watch.peak_mb.get(name, rest[name]), "MB")
        figures.add("all together at rest", sum(rest.values()), "MB")
        figures.add("all together, most under load", max(sums, default=0.0), "MB")
    figures.remark(f"Load: {count} processings at once. Shared pages are counted once (PSS).")
