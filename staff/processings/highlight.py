"""A text cut at the passages that are marked in it; the pieces join to the text again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Mark:
    """A passage, what it stands for, and the kinds that style it; offsets count characters."""

    start: int
    end: int
    label: str
    kind: str


@dataclass(frozen=True)
class Segment:
    """A piece of the text and the marks over it; `anchors` are those that begin here."""

    text: str
    marks: tuple[Mark, ...] = ()
    anchors: tuple[int, ...] = ()

    @property
    def kinds(self) -> str:
        return " ".join(dict.fromkeys(f"is-{mark.kind}" for mark in self.marks))

    @property
    def label(self) -> str:
        return "; ".join(dict.fromkeys(mark.label for mark in self.marks))


def place(text: str, quote: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the quote stands: at the offsets given if it does, else where it is found first."""
    if 0 <= start < end <= len(text) and (not quote or text[start:end] == quote):
        return start, end
    found = text.find(quote) if quote else -1
    return None if found < 0 else (found, found + len(quote))


def segments(text: str, marks: Iterable[Mark]) -> list[Segment]:
    """Marks may overlap; those that reach out of the text are cut to it."""
    clipped: Sequence[tuple[int, Mark, int, int]] = [
        (number, mark, max(0, mark.start), min(len(text), mark.end))
        for number, mark in enumerate(marks)
    ]
    cuts = sorted({0, len(text), *(c for _n, _m, start, end in clipped for c in (start, end))})
    return [
        Segment(
            text[left:right],
            tuple(mark for _n, mark, start, end in clipped if start <= left and right <= end),
            tuple(n for n, _m, start, end in clipped if start == left and start < end),
        )
        for left, right in pairwise(cuts)
    ]
