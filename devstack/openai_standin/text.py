"""Text as the matcher sees it: stemmed tokens, segments (lines, sentences, items), offsets."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import local
from typing import NamedTuple

import snowballstemmer

_WORD = re.compile(r"\.net\b|[^\W_]+[+#]*", re.IGNORECASE)
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_DIGIT_TAIL = re.compile(r"^([a-zа-я]{3,})\d+$")
_SEGMENT_END = re.compile(r"\n|[;!?](?=\s|$)|[.](?=\s+[A-ZА-ЯЁ0-9«\"(•–—-]|\s*$|\s*\n)|[•●▪■◦✓✔]")
_TRIM = " \t\r\n\f\v•●▪■◦✓✔*–—-·|,;"
_stemmers = local()  # a stemmer keeps its word in itself, so every thread has its own


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of one word; Russian by its Cyrillic letters, else English."""
    word = word.lower().replace("ё", "е")
    if word == ".net":
        return "dotnet"
    if tail := _DIGIT_TAIL.match(word):
        word = tail.group(1)  # Python3, HTML5
    language = "russian" if _CYRILLIC.search(word) else "english"
    if not hasattr(_stemmers, language):
        setattr(_stemmers, language, snowballstemmer.stemmer(language))
    stemmed: str = getattr(_stemmers, language).stemWord(word)
    return stemmed


# Tuples, for there are thousands of them.
class Token(NamedTuple):
    stem: str
    raw: str
    start: int
    end: int


class Segment(NamedTuple):
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    return [Token(stem(raw := m[0]), raw, *m.span()) for m in _WORD.finditer(text)]


def split_segments(text: str) -> list[Segment]:
    """Lines, sentences and list items, without their bullets and outer white space."""
    segments, start = [], 0
    for boundary in [m.span() for m in _SEGMENT_END.finditer(text)] + [(len(text), len(text))]:
        piece = text[start : boundary[0]]
        left = len(piece) - len(piece.lstrip(_TRIM))
        right = len(piece.rstrip(_TRIM))
        if right > left:
            segments.append(Segment(start + left, start + right))
        start = boundary[1]
    return segments


@dataclass(frozen=True, eq=False)
class Document:
    """One text, tokenized once."""

    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        return tokenize(self.text)

    @cached_property
    def segments(self) -> list[Segment]:
        return split_segments(self.text)

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        """stem -> indexes of the tokens that have it."""
        index: dict[str, list[int]] = defaultdict(list)
        for i, token in enumerate(self.tokens):
            index[token.stem].append(i)
        return dict(index)

    @cached_property
    def _segment_starts(self) -> list[int]:
        return [segment.start for segment in self.segments]

    def segment_at(self, offset: int) -> int:
        """The index of the segment at, or before, this offset."""
        return max(0, bisect_right(self._segment_starts, offset) - 1)

    def quote(self, start: int, end: int, *, limit: int = 160) -> str:
        """The words around this span, verbatim: its whole segment, or a window of it."""
        segment = self.segments[self.segment_at(start)]
        left, right = min(segment.start, start), max(segment.end, end)
        if right - left > limit:
            left = max(left, start - limit // 3)
            right = min(right, max(end, left + limit))
            while left < start and left > segment.start and self.text[left - 1].isalnum():
                left += 1
            while right > end and right < segment.end and self.text[right].isalnum():
                right -= 1
        return self.text[left:right].strip(_TRIM)


def stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in words)
