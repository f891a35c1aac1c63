"""Finds quotes: one counts only where it stands in the text that was sent."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from resume_platform.text import SLACK, TextEmpty, canonical

_DASHES = frozenset("-‐‑‒–—―−﹘﹣－⁃")
_QUOTE_MARKS = dict.fromkeys("«»“”„‟″❝❞", '"') | dict.fromkeys("‘’‚‛′`´", "'")
# Words side by side whose characters become their small ones and nothing else: most of any text.
_PLAIN = re.compile(r"[!-,./-_a-~А-Яа-я]+(?: [!-,./-_a-~А-Яа-я]+)*")
_ELLIPSES = ("…", "...")


@dataclass(frozen=True)
class Span:
    """Offsets into the text as it was given: text[start:end] is the quote as it stands there."""

    start: int
    end: int


class FoldedText:
    """A canonical text in which quotes are looked for, folded once.

    Folded away are: compatibility forms (NFKC), case, ё/е, line ends, the kind of dashes and
    quotation marks, and white space around dashes.
    """

    def __init__(self, text: str) -> None:
        self._folded, self._starts, self._ends = _fold(text)

    def find(self, quote: str) -> Span | None:
        """Where the quote stands, whole words only: "Java" is not in "JavaScript"."""
        try:
            plain = canonical(quote, SLACK * len(quote))
        except TextEmpty:
            return None
        needle = _fold(_without_ellipsis(plain))[0].strip()
        if not any(char.isalnum() for char in needle):
            return None
        at = self._folded.find(needle)
        while at >= 0:
            end = at + len(needle)
            if self._is_whole(at, end):
                return Span(self._starts[at], self._ends[end - 1])
            at = self._folded.find(needle, at + 1)
        return None

    def _is_whole(self, start: int, end: int) -> bool:
        folded = self._folded
        cut_before = start > 0 and folded[start - 1].isalnum() and folded[start].isalnum()
        cut_after = end < len(folded) and folded[end - 1].isalnum() and folded[end].isalnum()
        return not (cut_before or cut_after)


def _fold(text: str) -> tuple[str, list[int], list[int]]:
    """(folded text, for each of its characters the start and the end of what it stands for)."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        if plain := _PLAIN.match(text, at):
            folded.extend(plain.group().lower())
            starts.extend(range(at, plain.end()))
            ends.extend(range(at + 1, plain.end() + 1))
            at = plain.end()
            continue
        for char in _folded_forms(text[at]):
            _append(char, at, at + 1, folded, starts, ends)
        at += 1
    return "".join(folded), starts, ends


@lru_cache(maxsize=4096)
def _folded_forms(letter: str) -> tuple[str, ...]:
    """What one character becomes."""
    return tuple(_fold_char(char) for char in unicodedata.normalize("NFKC", letter).casefold())


def _fold_char(char: str) -> str:
    if char.isspace():
        return " "
    if char in _DASHES:
        return "-"
    if char == "ё":
        return "е"
    return _QUOTE_MARKS.get(char, char)


def _append(
    char: str, start: int, end: int, folded: list[str], starts: list[int], ends: list[int]
) -> None:
    if char == " " and (not folded or folded[-1] in " -"):
        return
    if char == "-" and folded and folded[-1] == " ":
        folded.pop(), starts.pop(), ends.pop()
    folded.append(char)
    starts.append(start)
    ends.append(end)


def _without_ellipsis(quote: str) -> str:
    """A model may mark a cut with an ellipsis at either end; one in the middle is a splice."""
    quote = quote.strip()
    for mark in _ELLIPSES:
        quote = quote.removeprefix(mark).removesuffix(mark).strip()
    return quote
