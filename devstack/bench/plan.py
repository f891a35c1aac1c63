"""What so many processings a day need, each number derived from a measured one."""

import math
from collections.abc import Mapping
from typing import Any

MEASURED = "e2e-1s"
DAY = 86_400
# Office hours: the busiest quarter of an hour has four times the day's mean.
PEAK = 4
# Above this a queue grows at every hiccup.
FILL = 0.6
AI_SECONDS = 5
KEEP_DAYS = 14
# One process of Python uses one core at most.
PROCESSES = {
    "web": "web processes of 4 threads",
    "bridge": "bridges",
    "worker-storage": "storage workers",
    "worker-ai": "AI workers",
    "worker-webhooks": "webhooks workers",
}
SERVERS = {"postgres": "PostgreSQL", "kafka": "Kafka", "redis": "Redis"}

Row = tuple[str, str, str]


def rows(results: Mapping[str, Any], per_day: int) -> list[Row]:
    """(what, how many, from which measured figures); empty when those were not measured."""
    if MEASURED not in results["scenarios"]:
        return []
    measured = {
        figure["name"]: figure["median"] for figure in results["scenarios"][MEASURED]["figures"]
    }
    peak = per_day / DAY * PEAK
    threads = math.ceil(peak * AI_SECONDS / FILL)
    planned: list[Row] = [
        ("mean rate", f"{per_day / DAY:.1f}/s", f"{per_day:,} a day"),
        ("peak rate", f"{peak:.0f}/s", f"{PEAK} times the mean"),
    ]
    total = 0.0
    for name, title in {**PROCESSES, **SERVERS}.items():
        seconds = measured[f"CPU of {name}"]
        cores = seconds / 1000 * peak / FILL
        total += cores
        many = f"{math.ceil(cores)}" if name in PROCESSES else f"{cores:.1f} cores"
        planned.append((title, many, _product(seconds, peak)))
    planned += [
        ("cores in all", f"{math.ceil(total)}", "the sum of the cores above"),
        (
            "AI threads, over all AI workers",
            f"{threads}",
            f"peak x {AI_SECONDS} s an answer / {FILL:.0%} filled",
        ),
        (
            "partitions of each topic",
            f"{max(12, 2 * math.ceil(measured['CPU of bridge'] / 1000 * peak / FILL))}",
            "twice the bridges, at least 12: a partition is one bridge's at a time",
        ),
    ]
    for place, days in {"PostgreSQL": KEEP_DAYS, "Kafka": 7, "Redis": 3}.items():
        kilobytes = measured[f"growth of {place}"]
        size = kilobytes * per_day / 1e6
        planned.append(
            (
                f"{place}, {days} days",
                f"{size * days:,.0f} GB",
                f"{kilobytes:.3g} kB a processing x {per_day:,} x {days}",
            )
        )
    return planned


def _product(seconds: float, peak: float) -> str:
    return f"{seconds:.3g} CPU s/1,000 x {peak:.0f}/s / {FILL:.0%} filled"
