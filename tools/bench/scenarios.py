"""Every scenario of `./dev bench`, in the order in which they run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from tools.bench.figures import Figures
from tools.bench.rig import Rig


@dataclass(frozen=True)
class Scenario:
    """`module` is loaded when it is measured: one scenario does not pay for another's imports."""

    name: str
    does: str
    module: str
    needs_kafka: bool = False
    """The embedded broker drops what it cannot hold, so that load on it measures nothing."""

    options: Mapping[str, Any] = field(default_factory=dict)

    def measure(self, rig: Rig, figures: Figures) -> None:
        import_module(f"tools.bench.{self.module}").measure(rig, figures, **self.options)


def _throughput(*, seconds: int, threads: int | None) -> Scenario:
    return Scenario(
        name=f"e2e-{seconds}s",
        does=f"processings to callbacks with an AI that takes {seconds} s",
        module="throughput",
        needs_kafka=True,
        options={"delay": float(seconds), "threads": threads},
    )


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("latency", "one processing at a time, instant AI", "latency"),
        Scenario("http", "16 connections, one endpoint after another", "http"),
        Scenario("callbacks", "outcomes in Kafka to one fast receiver", "callbacks"),
        Scenario("ingest", "foreign events into storage", "ingest", needs_kafka=True),
        _throughput(seconds=0, threads=None),
        _throughput(seconds=1, threads=64),
        _throughput(seconds=5, threads=448),
        Scenario("backlog", "what piled up in Kafka is worked off", "backlog", needs_kafka=True),
    )
}
