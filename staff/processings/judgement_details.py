"""A judgement's details as this page understands them, whoever wrote them.

A neighbour's AI may send details of its own shape: what is not understood is left out, nothing of
it raises.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _offset(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


LooseText = Annotated[str, BeforeValidator(_text)]
Offset = Annotated[int, BeforeValidator(_offset)]


class Passage(BaseModel):
    """A place in the resume as it was uploaded; an offset below 0 is unknown."""

    model_config = ConfigDict(frozen=True)

    start: Offset = -1
    end: Offset = -1


class Quote(Passage):
    quote: LooseText = ""


class Flag(Passage):
    kind: LooseText = ""
    text: LooseText = ""


class Criterion(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: LooseText = ""
    requirement: LooseText = ""
    importance: LooseText = ""
    weight: float | None = None
    status: LooseText = ""
    evidence: tuple[Quote, ...] = ()
    flags: tuple[LooseText, ...] = ()


@dataclass(frozen=True)
class Judged:
    """The criteria with their evidence, and what was flagged."""

    criteria: tuple[Criterion, ...] = ()
    flags: tuple[Flag, ...] = ()

    @classmethod
    def read(cls, details: Any) -> "Judged":
        if not isinstance(details, dict):
            return cls()
        return cls(_all(Criterion, details.get("criteria")), _all(Flag, details.get("flags")))

    @property
    def missing_musts(self) -> list[Criterion]:
        return [c for c in self.criteria if c.importance == "must" and c.status == "missing"]


def _all(kind: Any, values: Any) -> tuple[Any, ...]:
    read = []
    for value in values if isinstance(values, list) else ():
        try:
            read.append(kind.model_validate(value))
        except ValidationError:
            continue  # not of our shape
    return tuple(read)
