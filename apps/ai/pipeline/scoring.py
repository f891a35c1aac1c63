"""Computes the score from weights and checked statuses; it is never asked of the model.

share   = Σ weight · credit / Σ weight          credit: met 1, partial 1/2, unclear 1/4, missing 0
ceiling = 80 - 60 · (weight of missing musts / weight of all musts), or 100 with none missing
score   = min(100 · share, ceiling), rounded half up
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from apps.ai.rubric.criteria import Criterion

Status = Literal["met", "partial", "missing", "unclear"]

CREDITS: dict[Status, Fraction] = {
    "met": Fraction(1),
    "partial": Fraction(1, 2),
    "unclear": Fraction(1, 4),
    "missing": Fraction(0),
}
_CEILING, _CEILING_SLOPE = 80, 60


@dataclass(frozen=True)
class Judged:
    """A criterion with the status that its evidence allows."""

    criterion: Criterion
    status: Status


def score(judged: Sequence[Judged]) -> int:
    """0..100; the same statuses always give the same number."""
    total = sum(item.criterion.weight for item in judged)
    if not total:
        return 0
    earned = sum((item.criterion.weight * CREDITS[item.status] for item in judged), Fraction(0))
    points = min(100 * earned / total, _ceiling(judged))
    return int(points + Fraction(1, 2))


def _ceiling(judged: Sequence[Judged]) -> Fraction:
    musts = [item for item in judged if item.criterion.importance == "must"]
    missing = sum(item.criterion.weight for item in musts if item.status == "missing")
    if not missing:
        return Fraction(100)
    return _CEILING - _CEILING_SLOPE * Fraction(missing, sum(i.criterion.weight for i in musts))


def matches(judged: Sequence[Judged]) -> list[str]:
    """The names of the criteria met, in the rubric's order."""
    return [item.criterion.name for item in judged if item.status == "met"]


def is_suitable(points: int, *, threshold: int) -> bool:
    return points >= threshold
