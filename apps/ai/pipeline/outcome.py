"""The outcome of a run: a judgement, or the failure that took its place."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """A judgement has a `result`, a failure an `error_code`, which names its sentence."""

    score: int | None = None
    verdict: str = ""
    result: dict[str, Any] | None = None
    """`matches`, `recommendation` and `details`, as they are stored and sent."""
    reused_from: int | None = None
    """The analysis whose judgement this is."""
    error_code: str = ""
    wait_seconds: int | None = None

    @property
    def details(self) -> dict[str, Any]:
        return self.result["details"] if self.result else {}
