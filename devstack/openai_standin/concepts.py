"""Concepts: what is called by several names, what implies what, and where a text mentions it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from devstack.openai_standin.text import Document, stem, tokenize

SOFT = "soft_"
AVAILABILITY = frozenset({"relocation", "travel_ready", "shifts", "health_book", "driving"})


@dataclass(frozen=True)
class Alias:
    concept: str
    stems: tuple[str, ...]
    raw: str | None = None  # set: the one token must be spelled exactly so


class Mention(NamedTuple):
    """A concept named by the tokens from `first` up to and without `last`."""

    concept: str
    first: int
    last: int


class Vocabulary:
    def __init__(self, lines: Iterator[str]) -> None:
        self.parents: dict[str, tuple[str, ...]] = {}
        self._by_first_stem: dict[str, list[Alias]] = defaultdict(list)
        self._families: dict[str, set[str]] = defaultdict(set)
        for line in lines:
            if line.startswith("family "):
                members = {name.strip() for name in line.partition("=")[2].split(",")}
                for member in members:
                    self._families[member] |= members - {member}
            elif line and not line.startswith("#"):
                self._add(line)
        for aliases in self._by_first_stem.values():
            aliases.sort(key=lambda alias: -len(alias.stems))

    def _add(self, line: str) -> None:
        head, _, tail = line.partition(" = ")
        name, _, implied = head.partition(">")
        name = name.strip()
        self.parents[name] = tuple(part.strip() for part in implied.split(",") if part.strip())
        for spelling in tail.split(" | "):
            spelling = spelling.strip()
            if spelling.startswith("="):
                alias = Alias(name, (stem(spelling[1:]),), spelling[1:])
            else:
                alias = Alias(name, tuple(token.stem for token in tokenize(spelling)))
            self._by_first_stem[alias.stems[0]].append(alias)

    @cache  # noqa: B019  of the one vocabulary
    def implied(self, concept: str) -> frozenset[str]:
        """The concept with all that it implies: knowing Django is knowing Python."""
        found, todo = {concept}, [concept]
        while todo:
            for parent in self.parents.get(todo.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    todo.append(parent)
        return frozenset(found)

    def related(self, concept: str) -> frozenset[str]:
        return frozenset(self._families.get(concept, ()))

    def mentions(self, document: Document) -> list[Mention]:
        """Every mention; of overlapping names the longest."""
        tokens, free = document.tokens, 0
        mentions: list[Mention] = []
        aliases = self._by_first_stem
        for i, token in enumerate(tokens):
            if i < free or token.stem not in aliases:
                continue
            longest = 0
            for alias in aliases[token.stem]:
                length = len(alias.stems)
                if length < longest:
                    break
                if alias.raw is not None and token.raw != alias.raw:
                    continue
                if length > 1 and tuple(t.stem for t in tokens[i : i + length]) != alias.stems:
                    continue
                if length > 1 and any(
                    "\n\n" in document.text[a.end : b.start]
                    for a, b in zip(
                        tokens[i : i + length - 1], tokens[i + 1 : i + length], strict=True
                    )
                ):
                    continue
                if Mention(alias.concept, i, i + length) not in mentions[-3:]:
                    mentions.append(Mention(alias.concept, i, i + length))
                longest = length
            free = i + longest
        return mentions


@cache
def vocabulary() -> Vocabulary:
    text = (Path(__file__).parent / "vocabulary.txt").read_text(encoding="utf-8")
    return Vocabulary(iter(text.splitlines()))
