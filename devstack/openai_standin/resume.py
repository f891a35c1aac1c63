"""A resume as the matcher reads it: sections, jobs, and how strongly each concept is claimed."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import NamedTuple

from devstack.openai_standin.concepts import Mention, vocabulary
from devstack.openai_standin.facts import Period, periods
from devstack.openai_standin.text import Document

_SECTIONS = {
    "learning": r"образовани|курсы|сертификат|повышение квалификации|обучение|education|courses|"
    r"certificat|training|coursework|учебные проекты",
    "wish": r"^желаем|^цель\b|objective|desired position|^планы",
    "work": r"опыт|карьера|места работы|experience|employment|career|work history|projects",
    "skills": r"навыки|умения|стек|технологии|skills|technolog|tools",
    "other": r"языки|language|о себе|обо мне|дополнительн|about|summary|profile|interests|контакт|"
    r"contact",
}
_DENIED_BEFORE = re.compile(
    r"(?:\bне\b(?!\s+только)|\bнет\b|\bбез\b|\bотсутств\w+|\bникогда\b|\bno\b|\bnot\b(?!\s+only)|"
    r"\bwithout\b|\bnever\b|\black\b|n't\b|\bпланирую|\bхочу\b|\bхотел\w*|\bмечтаю|\bинтересно\b|"
    r"\bwant to\b|\bplan(?:ning)? to\b|\binterested in\b|\bwould like\b)[^.;\n]{0,45}$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"^[^.;,\n]{0,25}(?:\bне (?:работал|использовал|было|применял|был|вела|занимал)|\bнет\b|"
    r"отсутству|\bnot (?:used|yet|my)|: none)",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"базов|начальн|\bосновы\b|знаком|немного|поверхностн|учебн|студенческ|изуча[юл]|осваива|"
    r"читал|иногда|помогал|участвовал|под руководством|небольш|basic|beginner|familiar|"
    r"elementary|a little|exposure|coursework|student|learning|occasional|assisted|helped|limited|"
    r"pet[- ]project",
    re.IGNORECASE,
)
_TRAINEE = re.compile(r"\bintern(?:ship)?\b|стаж[её]р\b|стажировк|trainee|volunteer", re.I)
_STUDIES = re.compile(
    r"университет|институт|академи|колледж|техникум|бакалавр|магистр|university|college|"
    r"bachelor|b\.?sc|m\.?sc|degree",
    re.IGNORECASE,
)


class Occurrence(NamedTuple):
    """`strength` is 1 for what was practised on a job, less for what was studied or touched."""

    strength: float
    start: int
    end: int


@dataclass(frozen=True)
class Job:
    period: Period
    start: int
    end: int
    is_trainee: bool


@dataclass(frozen=True, eq=False)
class Resume:
    document: Document
    today: date

    @cached_property
    def is_russian(self) -> bool:
        text = self.document.text
        return 3 * len(re.findall("[а-яё]", text, re.I)) > len(re.findall("[a-z]", text, re.I))

    @cached_property
    def sections(self) -> list[tuple[int, str]]:
        """(offset, name) of each section's beginning, from the top."""
        found, offset = [(0, "other")], 0
        for line in self.document.text.splitlines(keepends=True):
            title, colon, _ = line.partition(":")
            title = title.strip(" \t\r\n•|-–—*#")
            is_title = len(title) <= 45 and len(title.split()) <= 5 and not re.search(r"\d", title)
            if title and is_title and (colon or title[0].isupper()):
                names = (n for n, p in _SECTIONS.items() if re.search(p, title, re.IGNORECASE))
                found += [(offset, name) for name in list(names)[:1]]
            offset += len(line)
        return found

    def section_at(self, offset: int) -> str:
        return next(name for start, name in reversed(self.sections) if start <= offset)

    @cached_property
    def jobs(self) -> list[Job]:
        """Each from the line above its dates to the next job or section."""
        text = self.document.text
        found = [period for period in periods(text, self.today) if not self._is_study(period)]
        starts = [self._line_above(period.start) for period in found]
        jobs = []
        for i, (period, start) in enumerate(zip(found, starts, strict=True)):
            following = starts[i + 1] if i + 1 < len(starts) else len(text)
            sections = (o for o, name in self.sections if o > period.end and name != "work")
            end = max(min(following, next(sections, len(text))), period.end)
            is_trainee = bool(_TRAINEE.search(text[start : min(end, period.end + 120)]))
            jobs.append(Job(period, start, end, is_trainee))
        return jobs

    def _is_study(self, period: Period) -> bool:
        text = self.document.text
        line = text[text.rfind("\n", 0, period.start) + 1 :].split("\n", 1)[0]
        return self.section_at(period.start) == "learning" or bool(_STUDIES.search(line))

    def _line_above(self, offset: int) -> int:
        """The line of the dates, with a short line above it that names company or post."""
        text = self.document.text
        line = text.rfind("\n", 0, offset) + 1
        above = text.rfind("\n", 0, max(0, line - 1)) + 1
        title = text[above:line].strip()
        is_title = 0 < len(title) < 90 and title[0] not in "-–—•*·▪" and title[-1] not in ".;"
        return above if is_title else line

    @cached_property
    def _mentions(self) -> dict[str, list[Mention]]:
        found: dict[str, list[Mention]] = defaultdict(list)
        for mention in vocabulary().mentions(self.document):
            for concept in vocabulary().implied(mention.concept):
                found[concept].append(mention)
        return found

    def occurrences(self, concept: str) -> list[Occurrence]:
        """Where it is claimed, also by what implies it; denials are left out."""
        tokens = self.document.tokens
        spans = [
            (tokens[mention.first].start, tokens[mention.last - 1].end)
            for mention in self._mentions.get(concept, ())
        ]
        found = [Occurrence(self.strength(start, end), start, end) for start, end in spans]
        return [occurrence for occurrence in found if occurrence.strength]

    def strength(self, start: int, end: int) -> float:
        text = self.document.text
        segment = self.document.segments[self.document.segment_at(start)]
        before = text[min(segment.start, start) : start]
        after = text[end : max(segment.end, end)]
        if _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after):
            return 0.0
        # "Docker, основы Kubernetes": what weakens one does not weaken all before it.
        near = before.rsplit(",", 1)[-1][-70:] + text[start:end] + re.split("[,;(]", after)[0][:40]
        section = self.section_at(start)
        strength = {"learning": 0.55, "wish": 0.4}.get(section, 0.9)
        job = next((job for job in self.jobs if job.start <= start < job.end), None)
        if job and strength == 0.9:
            strength = 0.6 if job.is_trainee else 1.0
        return strength * (0.5 if _WEAK.search(near) else 1.0)

    def same_word(self, stem: str) -> list[str]:
        """The resume's stems of this word's family: разработк ~ разработчик, manag ~ management."""
        length = max(5, round(0.75 * len(stem)))
        return [
            known
            for known in self.document.positions
            if known == stem or (len(stem) >= 5 and known[:length] == stem[:length])
        ]

    @cached_property
    def learning_text(self) -> tuple[int, str]:
        """(offset, text) of the part about education, or of everything."""
        text = self.document.text
        bounds = [*(offset for offset, _ in self.sections), len(text)]
        for (start, name), end in zip(self.sections, bounds[1:], strict=True):
            if name == "learning" and re.search("образован|educat", text[start : start + 60], re.I):
                return start, text[start:end]
        return 0, text


@lru_cache(maxsize=512)
def read_resume(text: str, today: date) -> Resume:
    return Resume(Document(text), today)
