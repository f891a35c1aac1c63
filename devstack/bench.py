"""`./dev bench`: how long a callback takes on an idle system whose AI answers at once.

One processing at a time, several runs of a fresh stack's life each; beside each figure stands the
floor measured in the same run: one bare POST to the same receiver. `./dev bench callbacks` measures
how many a second one receiver gets.
"""

import argparse
import json
import secrets
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import requests
from rich.console import Console
from rich.progress import track
from rich.table import Table

from devstack import bench_callbacks, console
from devstack.bench_relay import RelayDelay
from devstack.client import Client, received
from devstack.errors import StackError
from devstack.paths import DEV_DIR
from devstack.stack import Stack

WARM_UP = 5
WAIT_SECONDS = 30.0
POLL_SECONDS = 0.005
QUIET_SECONDS = 0.2
REQUIREMENTS = "Must have:\n- Python, 3 years\n- PostgreSQL\n- Docker\nNice to have:\n- Kafka\n"
RESUME = "Developer. 2016 - 2024: Python, Django, PostgreSQL and Docker every day. Applicant {}.\n"


def main(arguments: Sequence[str]) -> int:
    if list(arguments[:1]) == ["callbacks"]:
        return bench_callbacks.main(arguments[1:])
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures alone, as JSON")
    parser.add_argument("--runs", type=int, default=3, help="runs (default 3)")
    parser.add_argument("--processings", type=int, default=30, help="a run's (default 30)")
    options = parser.parse_args(list(arguments))
    tell = (lambda sentence: None) if options.json else console.say

    with Stack(directory=DEV_DIR / "bench", report=tell, progress=tell) as stack:
        bench = Latency(stack)
        bench.measure(WARM_UP)
        runs = [
            bench.measure(options.processings)
            for _ in track(range(options.runs), "measuring", disable=options.json)
        ]
    figures = summarise(runs)
    if options.json:
        print(json.dumps({"latency": figures}))
    else:
        show(figures, options)
    return 0


class Latency:
    """Processings one at a time, each after a moment of rest."""

    def __init__(self, stack: Stack) -> None:
        self._api = Client(stack.info["api"])
        self._sink = stack.info["callback_sink"]
        self._relay = RelayDelay(stack.info["database_url"])
        username = f"bench-{secrets.token_hex(6)}@example.com"
        password = secrets.token_urlsafe(24)
        self._api.register(username=username, password=password, full_name="Bench")
        self._api.login(username=username, password=password)
        self._requirements = self._api.create_requirements(REQUIREMENTS)

    def measure(self, count: int) -> dict[str, list[float]]:
        """Milliseconds of each, by figure."""
        names = ("callback", "start_processing", "relay", "floor")
        samples: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(count):
            resume = self._api.create_resume(RESUME.format(secrets.token_hex(8)))
            path = f"/bench/{secrets.token_hex(8)}"
            time.sleep(QUIET_SECONDS)  # the uploads' own events are stored meanwhile
            started = time.time()
            self._api.start_processing(
                requirements_id=self._requirements,
                resume_id=resume,
                callback_url=self._sink + path,
            )
            samples["start_processing"].append((time.time() - started) * 1000)
            samples["callback"].append((self._arrival(path) - started) * 1000)
            samples["floor"].append(self._bare_post())
            time.sleep(QUIET_SECONDS)
            samples["relay"].append(self._relay.once())
        return samples

    def _arrival(self, path: str) -> float:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (calls := received(self._sink, path)):
            if time.monotonic() > deadline:
                raise StackError(f"no callback came within {WAIT_SECONDS:.0f} s.")
            time.sleep(POLL_SECONDS)
        return float(calls[0]["received_at"])

    def _bare_post(self) -> float:
        started = time.perf_counter()
        requests.post(f"{self._sink}/floor", json={}, timeout=WAIT_SECONDS).raise_for_status()
        return (time.perf_counter() - started) * 1000


def summarise(runs: Sequence[dict[str, list[float]]]) -> dict[str, Any]:
    """The median over the runs of each run's median and p95, with the runs' spread."""
    figures: dict[str, Any] = {}
    for name in runs[0]:
        medians = [statistics.median(run[name]) for run in runs]
        tails = [statistics.quantiles(run[name], n=20)[-1] for run in runs]
        figures[name] = {
            "p50_ms": round(statistics.median(medians), 1),
            "p50_ms_min": round(min(medians), 1),
            "p50_ms_max": round(max(medians), 1),
            "p95_ms": round(statistics.median(tails), 1),
        }
    return figures


def show(figures: dict[str, Any], options: argparse.Namespace) -> None:
    table = Table(
        title=f"idle system, instant AI: {options.runs} runs of {options.processings} processings"
    )
    for column in ("", "p50 ms", "spread of p50", "p95 ms", "p50 / floor"):
        table.add_column(column, justify="left" if not column else "right")
    titles = {
        "callback": "start_processing to callback",
        "start_processing": "POST /start_processing",
        "relay": "outbox row committed to gone (acknowledged by Kafka)",
        "floor": "one bare POST to the receiver (the floor)",
    }
    for name, title in titles.items():
        figure = figures[name]
        table.add_row(
            title,
            f"{figure['p50_ms']}",
            f"{figure['p50_ms_min']} to {figure['p50_ms_max']}",
            f"{figure['p95_ms']}",
            f"{figure['p50_ms'] / figures['floor']['p50_ms']:.1f}",
        )
    Console(file=sys.stdout).print(table)
