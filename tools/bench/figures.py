"""What a scenario measures: one value per run, their median and spread, and the floor beside it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

RATE = "1/s"


@dataclass
class Figure:
    """`floor` is the name of the figure, of the same scenario, that this one is held against."""

    name: str
    unit: str
    floor: str | None = None
    is_detail: bool = False
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def times(self, floor: "Figure") -> float:
        """How many times the floor's cost: 1 is as good as the floor, 2 half as good."""
        mine, least = self.median, floor.median
        if self.unit == RATE:
            mine, least = least, mine
        return mine / least if least else float("inf")


class Figures:
    """The figures of one scenario, in the order of their first values."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}
        self.remarks: list[str] = []

    def add(
        self, name: str, value: float, unit: str, *, floor: str | None = None, detail: bool = False
    ) -> None:
        """One run's value; a detail explains a figure and stands aside in the document."""
        figure = self._figures.setdefault(name, Figure(name, unit, floor, detail))
        figure.values.append(value)

    def remark(self, sentence: str) -> None:
        """What a reader of the figures should know, told once."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def __iter__(self) -> Any:
        return iter(self._figures.values())

    def __getitem__(self, name: str) -> Figure:
        return self._figures[name]

    def times_floor(self, figure: Figure) -> float | None:
        return figure.times(self[figure.floor]) if figure.floor else None

    def as_json(self) -> dict[str, Any]:
        return {
            "figures": [
                {
                    "name": figure.name,
                    "unit": figure.unit,
                    "median": rounded(figure.median),
                    "min": rounded(min(figure.values)),
                    "max": rounded(max(figure.values)),
                    "values": [rounded(value) for value in figure.values],
                    "floor": figure.floor,
                    "times_floor": _rounded(self.times_floor(figure)),
                    "detail": figure.is_detail,
                }
                for figure in self
            ],
            "remarks": self.remarks,
        }


def percentile(samples: Sequence[float], percent: int) -> float:
    """Of at least one sample; with one sample it is that one."""
    if len(samples) == 1:
        return samples[0]
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]


def rounded(value: float) -> float:
    """To three digits, which is more than a machine that is not idle repeats."""
    if value == 0 or abs(value) >= 1000:
        return round(value)
    return float(f"{value:.3g}")


def _rounded(value: float | None) -> float | None:
    return None if value is None or value == float("inf") else rounded(value)
