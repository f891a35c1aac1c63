"""Runs every tier of the tests, several at once where cores allow, and sums up their results.

A tier runs as `./dev test TIER` does, with servers of its own; its output is printed when it ends.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from devstack import interrupts
from devstack.environment import Outside
from devstack.paths import ROOT

# The longest first; the short ones fill the time beside it.
TIERS = ("stack", "db", "chaos", "contract", "unit")
SLOWEST_SHOWN = 10
LEAST_COVERED_SHOWN = 15
_POLL_SECONDS = 0.1
_STOP_SECONDS = 60
# pytest's exit code where nothing was collected: a tier may hold slow tests alone.
_NO_TESTS = 5


@dataclass
class Totals:
    """The sum of several JUnit reports, as pytest writes them."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each test took, its setup and teardown included."""

    def add(self, report: Path) -> None:
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            self.seconds[name] = float(case.get("time", 0))
            outcomes = {child.tag for child in case}
            if outcomes & {"failure", "error"}:
                self.failed += 1
            elif "skipped" in outcomes:
                self.skipped += 1
            else:
                self.passed += 1

    def slowest(self) -> list[str]:
        names = sorted(self.seconds, key=self.seconds.__getitem__, reverse=True)
        return [f"{self.seconds[name]:6.1f} s  {name}" for name in names[:SLOWEST_SHOWN]]

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(directory: Path, environment: Mapping[str, str]) -> int:
    """Runs all tiers and returns 1 if a test failed. The sum is the last line of the output."""
    waiting = list(TIERS)
    running: dict[str, subprocess.Popen[bytes]] = {}
    totals = Totals()
    began = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < tiers_at_once(environment):
                tier = waiting.pop(0)
                with interrupts.deferred():
                    running[tier] = _start(tier, directory, environment)
            for tier in [tier for tier in running if running[tier].poll() is not None]:
                _close(tier, running.pop(tier).returncode, directory, totals)
            time.sleep(_POLL_SECONDS)
    finally:
        _stop(list(running.values()))
    report_coverage(environment)
    print(f"\nThe {SLOWEST_SHOWN} slowest tests:", *totals.slowest(), sep="\n")
    print(f"\nAll tiers in {time.monotonic() - began:.0f} s", totals, sep="\n", flush=True)
    return int(bool(totals.failed))


def tiers_at_once(environment: Mapping[str, str]) -> int:
    """As many as there are cores; one if the environment names a server, which all would share."""
    outside = Outside.of(environment)
    if outside.postgres or outside.redis or outside.kafka:
        return 1
    return len(os.sched_getaffinity(0))


def _start(tier: str, directory: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "devstack", "test", tier, "-q", "--coverage"]
    command.append(f"--junitxml={_report(tier, directory)}")
    with _log(tier, directory).open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,  # a Ctrl-C reaches us alone; `_stop` passes it on once
        )


def _close(tier: str, exit_code: int, directory: Path, totals: Totals) -> None:
    failed_before = totals.failed
    if _report(tier, directory).exists():
        totals.add(_report(tier, directory))
    if exit_code not in (0, _NO_TESTS) and totals.failed == failed_before:
        totals.failed += 1  # it broke off before it could report a test
    print(f"=== tests/{tier}: exit code {exit_code}")
    print(_log(tier, directory).read_text(errors="replace"), flush=True)


def _stop(running: list[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _report(tier: str, directory: Path) -> Path:
    return directory / f"{tier}.xml"


def _log(tier: str, directory: Path) -> Path:
    return directory / f"{tier}.log"


def report_coverage(environment: Mapping[str, str]) -> None:
    """Prints the total and the modules with the smallest covered share."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q"], cwd=ROOT, env=environment, check=False)
    report = subprocess.run(
        [*coverage, "report", "--sort=cover"],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    print("\nThe least covered modules:")
    lines = report.stdout.splitlines()
    for line in lines[: LEAST_COVERED_SHOWN + 2] + [x for x in lines if x.startswith("TOTAL")]:
        print(line, flush=True)
