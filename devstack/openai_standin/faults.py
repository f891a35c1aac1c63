"""Faults to order: what POST /_control changes while the server runs, and what it has counted."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

MODES = (
    "error",  # answer with `status`, `headers`, `body`
    "hang",  # hold the request for `seconds`, then answer nothing
    "drip",  # answer byte by byte for `seconds`, head first, and never come to an end
    "reset",  # break the connection
    "garbage",  # 200 with a body that is no JSON
    "truncated",  # stopped in the middle: status "incomplete", max_output_tokens
    "refused",  # the model declines
    "malformed",  # the text of the answer is no JSON
    "wrong_schema",  # JSON of another shape
    "forged_quotes",  # everything is met, by quotes that nobody wrote
)

HOME = "NL"


@dataclass
class Fault:
    mode: str = "error"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 3600.0
    times: int = 1
    kind: str | None = None  # rubric | judgement: only these

    @classmethod
    def read(cls, value: Any) -> "Fault":
        """Raises ValueError where an order makes no sense."""
        if not isinstance(value, dict) or not set(value) <= set(cls.__dataclass_fields__):
            raise ValueError(f"a fault has the fields {', '.join(cls.__dataclass_fields__)}")
        fault = cls(**value)
        if fault.mode not in MODES:
            raise ValueError(f"mode is one of {', '.join(MODES)}")
        return fault


class Control:
    """Shared by all requests; thread-safe."""

    def __init__(self, delay: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._delay = delay
        self._faults: list[Fault] = []
        self._counters: Counter[str] = Counter()
        self._times: deque[float] = deque(maxlen=100_000)
        self._in_flight = self._max_in_flight = 0
        self._is_obedient = False
        self._country = HOME

    @property
    def is_obedient(self) -> bool:
        return self._is_obedient

    @property
    def country(self) -> str:
        return self._country

    def apply(self, order: dict[str, Any]) -> None:
        """`delay` seconds; `fail` replaces outstanding orders; `obedient` does what resumes say.

        `loc` is the country that /cdn-cgi/trace names; `reset` clears everything first.
        """
        faults = [Fault.read(item) for item in order.get("fail", [])]
        delay = float(order["delay"]) if "delay" in order else None
        with self._lock:
            if order.get("reset"):
                self._counters.clear()
                self._times.clear()
                self._max_in_flight = self._in_flight
                self._faults, self._delay = [], 0.0
                self._is_obedient, self._country = False, HOME
            if "obedient" in order:
                self._is_obedient = bool(order["obedient"])
            if "loc" in order:
                self._country = str(order["loc"])
            if delay is not None:
                self._delay = delay
            if "fail" in order:
                self._faults = faults

    def take_fault(self, kind: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.kind in (None, kind) and fault.times > 0:
                    fault.times -= 1
                    self._counters[f"fault:{fault.mode}"] += 1
                    return fault
        return None

    def count(self, *names: str) -> None:
        with self._lock:
            self._counters.update(names)

    def begin(self) -> float:
        """One API call more; returns the delay to keep."""
        with self._lock:
            self._times.append(time.time())
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
            return self._delay

    def end(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def state(self) -> dict[str, Any]:
        """Counters by kind, the moments of the calls (for rate checks), outstanding orders."""
        with self._lock:
            return {
                "delay": self._delay,
                "obedient": self._is_obedient,
                "loc": self._country,
                "counters": dict(self._counters),
                "call_times": list(self._times),
                "max_in_flight": self._max_in_flight,
                "faults_left": sum(fault.times for fault in self._faults),
            }
