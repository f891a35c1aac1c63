"""What each app knows of a processing, as entries of one timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from staff.processings.judgement_details import Judged

Tone = Literal["default", "info", "success", "warning", "danger"]
Facts = Sequence[tuple[str, object]]


@dataclass(frozen=True)
class Event:
    """One entry. `run` names the judgement that it belongs to; `icon` is a Material Symbol."""

    at: datetime
    title: str
    icon: str
    tone: Tone = "default"
    facts: Facts = ()
    note: str = ""
    run: int | None = None
    judged: Judged | None = None
    # Of what happened in the same instant, the lower goes first.
    order: int = 0


def known(*facts: tuple[str, object]) -> Facts:
    """The facts that have a value."""
    return [(name, value) for name, value in facts if value not in (None, "")]
