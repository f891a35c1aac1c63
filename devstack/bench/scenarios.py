"""Every scenario of `./dev bench`, in the order in which they run."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Scenario:
    """`module` is loaded when it is measured: one scenario does not pay for another's imports."""

    name: str
    does: str
    module: str
    needs_kafka: bool = False
    """The embedded broker drops what it cannot hold, so that load on it measures nothing."""

    @property
    def measure(self) -> Callable[..., Any]:
        measure: Callable[..., Any] = import_module(f"devstack.bench.{self.module}").measure
        return measure


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("latency", "one processing at a time, instant AI", "latency"),
        Scenario("callbacks", "outcomes in Kafka to one fast receiver", "callbacks"),
        Scenario("ingest", "foreign events into storage", "ingest", needs_kafka=True),
    )
}
