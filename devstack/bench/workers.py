"""Scale: 1, 2 and 4 workers and bridges with an AI that takes 1 s, so that cores do not bound."""

from devstack.bench import users
from devstack.bench.figures import RATE, Figures
from devstack.bench.receiver import Receiver
from devstack.bench.rig import Rig
from devstack.bench.throughput import judge

COPIES = (1, 2, 4)
QUICK_COPIES = (1, 2)
THREADS = 4
DELAY = 1.0
USERS = 8
WARM_UP = 4


def measure(rig: Rig, figures: Figures) -> None:
    threads = rig.threads or THREADS
    before = 0.0
    for copies in QUICK_COPIES if rig.is_quick else COPIES:
        # As long for each: the beginning and the end, where not all threads work, weigh the same.
        count = copies * threads * rig.size(9, 4)
        name = f"processings with {copies} of each"
        floor = f"floor: {copies * threads} threads that only wait {DELAY:g} s"
        with (
            rig.stack(
                standin_delay=DELAY,
                workers={"ai": (threads, threads + 4)},
                copies={"ai": copies, "bridge": copies},
            ) as stack,
            Receiver() as receiver,
        ):
            people = users.make(stack, USERS)
            judge(stack, receiver, people, WARM_UP, first=0)
            for run in rig.each_run(name):
                judged = judge(stack, receiver, people, count, first=(run + 1) * 10**6)
                figures.add(name, count / judged.seconds, RATE, floor=floor)
                figures.add(floor, copies * threads / DELAY, RATE)
        if before:
            figures.remark(
                f"{copies} of each: {figures[name].median / before:.2f} times {copies // 2}."
            )
        before = figures[name].median
    figures.remark(f"Each AI worker has {threads} threads; floors are computed.")
