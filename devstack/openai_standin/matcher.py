"""One criterion against one resume: met, partial, missing or unclear, and the proof."""

import re
from collections.abc import Callable, Iterable
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
_LONG_PRACTICE = 12  # months
_STRONG = re.compile(
    r"уверенн|глубок|отличн|продвинут|эксперт|strong|deep|solid|expert|advanced|proficien",
    re.IGNORECASE,
)
_FILLER = stems(
    word
    for line in (Path(__file__).parent / "filler.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)
_OR = re.compile(
    r"^[\s,)]*(?:\(?\s*(?:и/или|или|либо|or|and/or)\b.*|/\s*|\|\s*)$", re.IGNORECASE | re.DOTALL
)
_COMMA = re.compile(r"^\s*,\s*$")
_EXAMPLES = re.compile(
    r"^[^()]{0,20}\(\s*(?:например|напр\.?|e\.?g\.?|such as|like|for example|"
    r"любой из|любая из|один из|any of)?\s*[,:]?\s*$",
    re.IGNORECASE,
)
_SUCH_AS = re.compile(r"\b(?:such as|like|например|типа|вроде|e\.g\.)\s*:?\s*$", re.IGNORECASE)
_FIELDS = (
    r"техническ|информати|вычислит|computer|software|engineer|инженер|математ|"
    r"физик|программ|кибернет|радио|электрон|technical|\bit\b|\bстем\b|\bstem\b|"
    r"прикладн",
    r"экономи|финанс|бухгалт|уч[её]т|econom|financ|account|business|commerc|менеджмент|management",
    r"quantitative|математ|статист|mathem|statist|econom|эконом|physics|физик|"
    r"engineer|computer|информатик|data science",
    r"медицин|medic|врач|лечебн|фарма|nurs",
    r"юрид|\bправ[оа]\b|юриспруд|\blaw\b|legal",
    r"педагог|pedagog|teaching|лингв|филол",
    r"дизайн|design|\barts?\b|художеств",
    r"логист|logist|транспорт|supply",
    r"маркетинг|market|реклам|журналист|communication|\bpr\b",
    r"психолог|psycholog|управлени\w+ персонал|human resources",
    r"строит|construct|архитект|civil",
)


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
        concepts = {c for group in self.groups for c in group}
        return bool(concepts) and all(c.startswith(SOFT) or c in AVAILABILITY for c in concepts)


@lru_cache(maxsize=4096)
def read_demand(text: str) -> Demand:
    document = Document(text)
    mentions = vocabulary().mentions(document)
    named = {i for mention in mentions for i in range(mention.first, mention.last)}
    words = tuple(
        dict.fromkeys(
            token.stem
            for i, token in enumerate(document.tokens)
            if i not in named
            and len(token.stem) > 2
            and token.stem not in _FILLER
            and not token.raw.isdigit()
            and not re.search(r"\d", token.raw)
        )
    )
    return Demand(text, tuple(_alternatives(document, mentions)), words, facts.required_years(text))


def _alternatives(document: Document, mentions: list[Mention]) -> Iterable[frozenset[str]]:
    """Join what stands beside "или", a slash, or in brackets as examples."""
    groups: list[set[str]] = []
    listed = False  # inside brackets of examples
    words = vocabulary()
    for i, mention in enumerate(mentions):
        if any(mention.concept in group for group in groups):
            continue
        if not groups:
            groups.append({mention.concept})
            continue
        previous = mentions[i - 1]
        between = document.text[
            document.tokens[previous.last - 1].end : document.tokens[mention.first].start
        ]
        same_place = mention.first == previous.first
        kin = mention.concept in words.related(previous.concept) or any(
            previous_concept in words.implied(mention.concept) for previous_concept in groups[-1]
        )
        if ")" in between:
            listed = False
        opens = bool(_EXAMPLES.match(between) and kin) or bool(_SUCH_AS.search(between))
        if same_place or _OR.match(between) or opens or (listed and ")" not in between):
            # "A, B or C": the comma before belonged to the same choice.
            if _OR.match(between) and "/" not in between and len(groups) > 1 and i >= 2:
                earlier = document.text[
                    document.tokens[mentions[i - 2].last - 1].end : document.tokens[
                        previous.first
                    ].start
                ]
                if _COMMA.match(earlier) and words.related(previous.concept) & groups[-2]:
                    last = groups.pop()
                    groups[-1] |= last
            groups[-1].add(mention.concept)
            listed = listed or opens
        else:
            groups.append({mention.concept})
    return [frozenset(group) for group in groups]


class Judge:
    def __init__(self, resume_text: str, today: date) -> None:
        self.resume: Resume = read_resume(resume_text, today)

    def judge(self, requirement: str) -> Verdict:
        """By language or education where the demand is about one, else by skills, words, years."""
        demand = read_demand(requirement)
        language = facts.demanded_language(requirement)
        if (
            language
            and len([g for g in demand.groups if not all(c.startswith(SOFT) for c in g)]) <= 1
            and demand.years is None
        ):
            return self._language(*language)
        if facts.is_education_demand(requirement) and demand.years is None:
            return self._education(requirement)
        return self._work(demand)

    # --- skills, words, years

    def _work(self, demand: Demand) -> Verdict:
        covered, quotes = self._coverage(demand)
        if demand.years is not None:
            years = self._years(demand)
            if years is None:
                return (
                    Verdict("unclear", quotes)
                    if covered >= _MET
                    else self._verdict(covered * 0.6, quotes)
                )
            number, evidence = years
            enough = number / demand.years
            credit = 1.0 if enough >= 0.95 else enough * 0.8
            has_domain = bool(demand.groups or demand.words)
            total = (
                credit
                if not has_domain
                else (0.65 * credit + 0.35 * covered) * (1 if covered else 0)
            )
            return self._verdict(min(total, credit + 0.1), (*evidence, *quotes))
        if demand.is_personal and covered < _PARTIAL:
            return Verdict("unclear", ())
        if (
            _STRONG.search(demand.text)
            and demand.groups
            and self._practised_months(demand) < _LONG_PRACTICE
        ):
            covered *= 0.65
        return self._verdict(covered, quotes)

    def _practised_months(self, demand: Demand) -> int:
        jobs = [
            job
            for job in self.resume.jobs
            if self._job_share(list(demand.groups), demand.words, job.start, job.end) >= _PARTIAL
        ]
        # Who lists a skill without saying where it was used is taken to have used it all along.
        return facts.total_months([job.period for job in jobs or self.resume.jobs])

    def _verdict(self, credit: float, quotes: Iterable[str]) -> Verdict:
        kept = tuple(dict.fromkeys(q for q in quotes if q))[:_QUOTES]
        if credit < _PARTIAL:
            return Verdict("missing", ())
        if not kept:
            return Verdict("unclear", ())
        return Verdict("met" if credit >= _MET else "partial", kept)

    def _coverage(self, demand: Demand) -> tuple[float, tuple[str, ...]]:
        """The share of what is demanded that the resume claims, and the lines that claim it."""
        quotes: list[str] = []
        credits: list[tuple[float, float]] = []  # (weight, credit)
        for group in demand.groups:
            credit, quote = self._group(group)
            credits.append((1.0, credit))
            if credit:
                quotes.append(quote)
        if demand.words and (not demand.groups or self._same_language(demand.text)):
            credit, found = self._words(demand.words)
            weight = 1.0 if not demand.groups else min(1.0, 0.25 * len(demand.words))
            credits.append((weight, credit))
            if credit >= 0.4 and (not demand.groups or not quotes):
                quotes.extend(found)
        total = sum(weight for weight, _ in credits)
        return (sum(w * c for w, c in credits) / total if total else 0.0), tuple(quotes)

    def _same_language(self, text: str) -> bool:
        """Plain words are compared within one alphabet; across two only the concepts are."""
        return bool(re.search("[а-яё]", text, re.IGNORECASE)) == self.resume.is_russian

    def _group(
        self, group: frozenset[str], within: Callable[[int], bool] = lambda offset: True
    ) -> tuple[float, str]:
        best: tuple[float, int, int] = (0.0, 0, 0)
        kin = frozenset().union(*(vocabulary().related(c) for c in group)) - group
        for concepts, factor in ((group, 1.0), (kin, _RELATED)):
            for concept in sorted(concepts):
                for seen in self.resume.occurrences(concept):
                    if seen.strength * factor > best[0] and within(seen.start):
                        best = (seen.strength * factor, seen.start, seen.end)
        credit, start, end = best
        return credit, self.resume.document.quote(start, end) if credit else ""

    def _words(self, words: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
        """Half by words found anywhere, half by the best single segment."""
        document, resume = self.resume.document, self.resume
        anywhere: dict[str, float] = {}
        by_segment: dict[int, set[str]] = {}
        for word in words:
            for known in resume.same_word(word):
                for position in document.positions[known]:
                    token = document.tokens[position]
                    strength = resume.strength(token.start, token.end)
                    anywhere[word] = max(anywhere.get(word, 0.0), strength)
                    if strength > 0.5:
                        by_segment.setdefault(document.segment_at(token.start), set()).add(word)
        if not by_segment:
            return sum(anywhere.values()) / len(words) / 2, ()
        best = sorted(by_segment, key=lambda i: (-len(by_segment[i]), i))
        spread = sum(anywhere.values()) / len(words)
        together = len(by_segment[best[0]]) / len(words)
        quotes = tuple(
            document.quote(document.segments[i].start, document.segments[i].start + 1)
            for i in best[:2]
        )
        return 0.5 * spread + 0.5 * together, quotes

    def _years(self, demand: Demand) -> tuple[float, tuple[str, ...]] | None:
        """(years in the demanded field, lines that show them); None where there are no dates."""
        document, jobs = self.resume.document, self.resume.jobs
        domain = [g for g in demand.groups if not all(c.startswith(SOFT) for c in g)]
        quotes: list[str] = []
        counted: list[tuple[float, facts.Period]] = []
        for job in jobs:
            share = self._job_share(domain, demand.words, job.start, job.end)
            if share >= 0.3:
                counted.append((share, job.period))
                quotes.append(document.quote(job.period.start, job.period.end))
        worked = facts.total_months([period for _, period in counted])
        raw = sum(period.last - period.first for _, period in counted)
        weighted = sum(share * (period.last - period.first) for share, period in counted)
        years = weighted * (worked / raw) / 12 if raw else 0.0
        for number, start, end in self.resume.stated_years:
            segment = document.segments[document.segment_at(start)]
            share = self._job_share(domain, demand.words, segment.start, segment.end)
            if number * share > years:
                years, quotes = number * share, [document.quote(start, end), *quotes]
        if not jobs and not self.resume.stated_years:
            return None
        return years, tuple(quotes[:2])

    def _job_share(
        self, domain: list[frozenset[str]], words: tuple[str, ...], start: int, end: int
    ) -> float:
        """How much this stretch of text is about the demanded field, 0..1."""
        if not domain and not words:
            return 1.0
        document = self.resume.document
        if domain:
            return sum(
                self._group(g, lambda offset: start <= offset < end)[0] for g in domain
            ) / len(domain)
        first, last = document.segment_at(start), document.segment_at(max(start, end - 1))
        here = (
            set().union(*document.stems_by_segment[first : last + 1])
            if document.segments
            else set()
        )
        share = sum(
            any(known in here for known in self.resume.same_word(word)) for word in words
        ) / len(words)
        return 1.0 if share >= 0.5 else share

    # --- education and languages

    def _education(self, requirement: str) -> Verdict:
        offset, text = self.resume.learning_text
        level, hit = facts.education_level(text)
        if hit is None:
            return Verdict("unclear", ())
        quote = self.resume.document.quote(offset + hit.start(), offset + hit.end())
        needed = (
            3
            if re.search(
                r"высш|degree|bachelor|master|university|университет|\bвуз",
                requirement,
                re.IGNORECASE,
            )
            else 2
        )
        unfinished = re.search(
            r"неоконч|незаконч|неполн|студент\w*\b|expected|in progress|\d курс",
            text,
            re.IGNORECASE,
        )
        fields = [pattern for pattern in _FIELDS if re.search(pattern, requirement, re.IGNORECASE)]
        fits = not fields or any(re.search(pattern, text, re.IGNORECASE) for pattern in fields)
        credit = 1.0 if level >= needed else 0.4 if level == needed - 1 else 0.0
        credit *= (1.0 if fits else 0.5) * (0.6 if unfinished else 1.0)
        return self._verdict(credit, (quote,))

    def _language(self, language: str, needed: int) -> Verdict:
        text = self.resume.document.text
        found = facts.language_levels(text, language)
        if found:
            level, start, end = max(found)
            level = level or 3
            credit = 1.0 if level >= needed else 0.5 if level == needed - 1 else 0.2
            return self._verdict(credit, (self.resume.document.quote(start, end, limit=90),))
        latin, cyrillic = (
            len(re.findall(r"[a-z]", text, re.IGNORECASE)),
            len(re.findall(r"[а-яё]", text, re.IGNORECASE)),
        )
        writes = "english" if latin > 4 * cyrillic else "russian" if cyrillic > latin else ""
        if language == writes and self.resume.document.segments:
            longest = max(self.resume.document.segments, key=lambda s: s.end - s.start)
            return self._verdict(
                1.0, (self.resume.document.quote(longest.start, longest.start + 1),)
            )
        return Verdict("missing", ())
