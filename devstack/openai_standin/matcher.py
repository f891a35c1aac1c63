"""One criterion against one resume: met, partial, missing or unclear, with quotes that show it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from devstack.openai_standin import facts
from devstack.openai_standin.concepts import AVAILABILITY, SOFT, Mention, vocabulary
from devstack.openai_standin.resume import Resume, read_resume
from devstack.openai_standin.text import Document, stems

_MET, _PARTIAL = 0.7, 0.3
_RELATED = 0.35
_QUOTES = 3
_FILLER = stems(
    word
    for line in (Path(__file__).parent / "filler.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)
# What stands between two alternatives: "A или B", "A/B", "A (например, B", "such as B".
_OR = re.compile(
    r"[\s,)]*\(?\s*(?:и/или|или|либо|or|and/or)\b.*|[\s,)]*[/|]\s*|"
    r".{0,20}\(\s*(?:например|напр\.|e\.g\.|such as|like|один из|any of)?[,:\s]*",
    re.IGNORECASE | re.DOTALL,
)
_UNFINISHED = re.compile(r"неоконч|незаконч|неполн|студент|expected|in progress|\d курс", re.I)


@dataclass(frozen=True)
class Verdict:
    status: str  # met | partial | missing | unclear
    quotes: tuple[str, ...]


@dataclass(frozen=True)
class Demand:
    """What a criterion asks for: each group is alternatives, each word is demanded for itself."""

    text: str
    groups: tuple[frozenset[str], ...]
    words: tuple[str, ...]
    years: float | None

    @property
    def is_personal(self) -> bool:
        """Qualities and readiness, on which a resume's silence says nothing."""
        concepts = [concept for group in self.groups for concept in group]
        return bool(concepts) and all(c.startswith(SOFT) or c in AVAILABILITY for c in concepts)


@lru_cache(maxsize=4096)
def read_demand(text: str) -> Demand:
    document = Document(text)
    mentions = vocabulary().mentions(document)
    named = {i for mention in mentions for i in range(mention.first, mention.last)}
    words = dict.fromkeys(
        token.stem
        for i, token in enumerate(document.tokens)
        if i not in named
        and len(token.stem) > 2
        and token.stem not in _FILLER
        and not re.search(r"\d", token.raw)
    )
    groups = _alternatives(document, mentions)
    return Demand(text, groups, tuple(words), facts.required_years(text))


def _alternatives(document: Document, mentions: list[Mention]) -> tuple[frozenset[str], ...]:
    groups: list[set[str]] = []
    end = 0
    for mention in mentions:
        between = document.text[end : document.tokens[mention.first].start]
        if groups and (not between.strip() or _OR.fullmatch(between)):
            groups[-1].add(mention.concept)
        elif not any(mention.concept in group for group in groups):
            groups.append({mention.concept})
        end = document.tokens[mention.last - 1].end
    return tuple(frozenset(group) for group in groups)


class Judge:
    def __init__(self, resume_text: str, today: date) -> None:
        self.resume: Resume = read_resume(resume_text, today)

    def judge(self, requirement: str) -> Verdict:
        """By language or education where the demand is about one, else by skills, words, years."""
        demand = read_demand(requirement)
        if demand.years is not None:
            return self._years(demand, demand.years)
        if language := facts.demanded_language(requirement):
            return self._language(*language)
        if facts.is_education_demand(requirement):
            return self._education()
        covered, quotes = self._coverage(demand)
        if demand.is_personal and covered < _PARTIAL:
            return Verdict("unclear", ())
        return _verdict(covered, quotes)

    def _coverage(
        self, demand: Demand, start: int = 0, end: int | None = None
    ) -> tuple[float, list[str]]:
        """The share of what is demanded that this stretch of the resume claims, with quotes."""
        stop = len(self.resume.document.text) if end is None else end
        concepts = [self._concept(group, start, stop) for group in demand.groups]
        words: list[tuple[float, str]] = []
        if not concepts or _is_russian(demand.text) == self.resume.is_russian:
            words = [self._word(word, start, stop) for word in demand.words]
        # Beside named concepts, four plain words weigh as much as one.
        weight = 0.25 if concepts else 1.0
        total = len(concepts) + weight * len(words)
        claimed = sum(s for s, _ in concepts) + weight * sum(s for s, _ in words)
        quotes = [quote for strength, quote in concepts or words if strength]
        return (claimed / total if total else 0.0), quotes

    def _concept(self, group: frozenset[str], start: int, end: int) -> tuple[float, str]:
        """The strongest claim of one of the alternatives, or less for one of their kind."""
        kin = frozenset().union(*(vocabulary().related(c) for c in group)) - group
        claims = [
            (seen.strength * factor, -seen.start, seen.end)
            for concepts, factor in ((group, 1.0), (kin, _RELATED))
            for concept in concepts
            for seen in self.resume.occurrences(concept)
            if start <= seen.start < end
        ]
        return self._best(claims)

    def _word(self, word: str, start: int, end: int) -> tuple[float, str]:
        document = self.resume.document
        tokens = [
            document.tokens[position]
            for known in self.resume.same_word(word)
            for position in document.positions[known]
        ]
        return self._best(
            [
                (self.resume.strength(token.start, token.end), -token.start, token.end)
                for token in tokens
                if start <= token.start < end
            ]
        )

    def _best(self, claims: list[tuple[float, int, int]]) -> tuple[float, str]:
        strength, start, end = max(claims, default=(0.0, 0, 0))
        return strength, self.resume.document.quote(-start, end) if strength else ""

    def _years(self, demand: Demand, needed: float) -> Verdict:
        """Years of the jobs in the demanded field, or those that the resume states."""
        document = self.resume.document
        is_about_all = not demand.groups and not demand.words
        counted, quotes = [], []
        for job in self.resume.jobs:
            if is_about_all or self._coverage(demand, job.start, job.end)[0] >= _PARTIAL:
                counted.append(job.period)
                quotes.append(document.quote(job.period.start, job.period.end))
        years = facts.total_months(counted) / 12
        stated = facts.stated_years(document.text)
        for number, start, end in stated:
            segment = document.segments[document.segment_at(start)]
            share = 1.0 if is_about_all else self._coverage(demand, segment.start, segment.end)[0]
            if number * share > years:
                years, quotes = number * share, [document.quote(start, end), *quotes]
        covered, others = self._coverage(demand)
        if not self.resume.jobs and not stated:
            return Verdict("unclear", ()) if covered >= _MET else _verdict(covered * 0.6, others)
        enough = years / needed
        credit = 1.0 if enough >= 0.95 else enough * 0.8
        if not is_about_all:
            credit = min(credit + 0.1, 0.65 * credit + 0.35 * covered) if covered else 0.0
        return _verdict(credit, [*quotes[:2], *others])

    def _education(self) -> Verdict:
        offset, text = self.resume.learning_text
        credit, hit = facts.education(text)
        if hit is None:
            return Verdict("unclear", ())
        quote = self.resume.document.quote(offset + hit.start(), offset + hit.end())
        return _verdict(credit * (0.6 if _UNFINISHED.search(text) else 1.0), [quote])

    def _language(self, language: str, needed: int) -> Verdict:
        document = self.resume.document
        if found := facts.language_levels(document.text, language):
            level, start, end = max(found)
            lacking = needed - (level or 3)
            credit = 1.0 if lacking <= 0 else 0.5 if lacking == 1 else 0.2
            return _verdict(credit, [document.quote(start, end, limit=90)])
        if document.segments and language == ("russian" if self.resume.is_russian else "english"):
            longest = max(document.segments, key=lambda s: s.end - s.start)
            return _verdict(1.0, [document.quote(longest.start, longest.start + 1)])
        return Verdict("missing", ())


def _is_russian(text: str) -> bool:
    return bool(re.search("[а-яё]", text, re.IGNORECASE))


def _verdict(credit: float, quotes: Iterable[str]) -> Verdict:
    kept = tuple(dict.fromkeys(quote for quote in quotes if quote))[:_QUOTES]
    if credit < _PARTIAL:
        return Verdict("missing", ())
    if not kept:
        return Verdict("unclear", ())
    return Verdict("met" if credit >= _MET else "partial", kept)
