"""Describes what was found in a text, and joins what overlaps."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """text[start:end] is something of this kind."""

    kind: str
    start: int
    end: int


def joined(found: Iterable[Found]) -> list[Found]:
    """In the text's order and without overlaps; what overlaps takes the kind of the longest."""
    result: list[Found] = []
    for item in sorted(found, key=lambda f: (f.start, -f.end)):
        if item.start >= item.end:
            continue
        if result and item.start < result[-1].end:
            last = result[-1]
            longer = max(last, item, key=lambda f: f.end - f.start)
            result[-1] = Found(longer.kind, last.start, max(last.end, item.end))
        else:
            result.append(item)
    return result
