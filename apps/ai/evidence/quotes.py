"""Finds quotes: one counts only where it stands in the text that was sent."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_DASHES = frozenset("-‐‑‒–—―−﹘﹣－⁃")
_QUOTE_MARKS = dict.fromkeys("«»“”„‟″❝❞", '"') | dict.fromkeys("‘’‚‛′`´", "'")
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
# Words side by side whose characters become their small ones and nothing else: most of any text.
# No accent of the last one's may follow.
_PLAIN = re.compile(r"[!-,./-_a-~А-Яа-я]+(?: [!-,./-_a-~А-Яа-я]+)*(?=[\w\s\x00-\u02ff]|\Z)")
_ELLIPSES = ("…", "...")


@dataclass(frozen=True)
class Span:
    """Offsets into the text as it was given: text[start:end] is the quote as it stands there."""

    start: int
    end: int


class FoldedText:
    """A text in which quotes are looked for, folded once.

    Folded away are: compatibility forms (NFKC), case, ё/е, the length of white space, the kind of
    dashes and quotation marks, white space around dashes, and characters that cannot be seen.
    """

    def __init__(self, text: str) -> None:
        self._folded, self._starts, self._ends = _fold(text)

    def find(self, quote: str) -> Span | None:
        """Where the quote stands, whole words only: "Java" is not in "JavaScript"."""
        needle = _fold(_without_ellipsis(quote))[0].strip()
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
        end = at + 1
        while end < len(text) and text[end] > "\u02ff" and unicodedata.combining(text[end]):
            end += 1  # й written as и and a breve is one letter
        for char in _folded_forms(text[at:end]):
            _append(char, at, end, folded, starts, ends)
        at = end
    return "".join(folded), starts, ends


@lru_cache(maxsize=4096)
def _folded_forms(letter: str) -> tuple[str, ...]:
    """What one letter, with the accents written after it, becomes."""
    return tuple(_fold_char(char) for char in unicodedata.normalize("NFKC", letter).casefold())


def _fold_char(char: str) -> str:
    if char in _INVISIBLE:
        return ""
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
    if not char:
        return
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
