"""A resume as the matcher reads it: sections, jobs, and how strongly each concept is claimed."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import NamedTuple

from devstack.openai_standin.concepts import Mention, vocabulary
from devstack.openai_standin.facts import Period, periods, stated_years
from devstack.openai_standin.text import Document

_SECTIONS = (
    ("learning", 
        r"образовани|курсы|сертификат|повышение квалификации|обучение|education|"
        r"courses|certificat|training|academic|coursework|учебные проекты"),
    ("wish", r"^желаем|^цель\b|objective|desired position|ищу работу|^карьерные цели|^планы"),
    ("work", 
        r"опыт|карьера|места работы|трудовая|experience|employment|career|work "
        r"history|проекты|projects|internship|стажировк"),
    ("skills", 
        r"навыки|умения|стек|технологии|компетенции|skills|technolog|tools|stack|"
        r"инструменты|expertise"),
    ("languages", r"языки|language"),
    ("about", 
        r"о себе|обо мне|профиль|дополнительн|личные качества|интересы|хобби|about|"
        r"summary|profile|interests|hobbies|personal|достижения|volunteer|контакт|"
        r"contact|рекомендаци|references"),
)  # fmt: skip
_NEGATION = re.compile(
    r"(?:\bне\s+(?!только)\w+|\bнет\b|\bбез\b|\bотсутств\w+|\bникогда\b|"
    r"\bне\b(?!\s+только)|\bno\b|\bnot\b(?!\s+only)|\bwithout\b|\bnever\b|"
    r"\black\b|n't\b|\bпланирую|\bхочу\b|"
    r"\bхотел\w*|\bмечтаю|\bинтересно\b|\bwant to\b|\bplan(?:ning)? to\b|\beager "
    r"to\b|\binterested in\b|\bhoping to\b|\bwish to\b|\bwould like\b|\bnext on "
    r"my list)"
    r"[^.;\n]{0,45}$",
    re.IGNORECASE,
)
_NEGATION_REACH = 90
_NEGATION_AFTER = re.compile(
    r"^[^.;,\n]{0,25}(?:\bне (?:работал|использовал|было|применял|был[аи]?|"
    r"вед[уё]|вела|приходилось|занимал)|\bнет\b|отсутству|\bnot (?:used|yet|my)|— "
    r"нет|: нет|: none)",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"базов|начальн|\bосновы\b|знаком(?:ство|а|ы|лен|люсь)?\b|слышал|немного|"
    r"поверхностн|учебн|студенческ|дипломн|самостоятельно изуч|изуча[юл]|осваива|"
    r"читал|иногда|эпизодическ|помогал|ассистировал|участвовал|под руководством|"
    r"как пользователь|небольш|basic|beginner|familiar|elementary|introductory|"
    r"\ba little\b|"
    r"some exposure|exposure to|coursework|course project|student|learning|"
    r"self-taught|occasional|assisted|helped|supervised|shadow|limited|small "
    r"scripts?|toy project|pet[- ]project|пет-проект|class project",
    re.IGNORECASE,
)
_STARTED = re.compile(r"\n\s*\n")


class Occurrence(NamedTuple):
    concept: str
    strength: float  # 1 practised on a job … 0.2 hardly
    start: int
    end: int


@dataclass(frozen=True)
class Job:
    period: Period
    start: int
    end: int

    @property
    def months(self) -> int:
        return self.period.last - self.period.first


@dataclass(frozen=True, eq=False)
class Resume:
    document: Document
    today: date

    @cached_property
    def is_russian(self) -> bool:
        text = self.document.text
        return 3 * len(re.findall("[а-яё]", text, re.IGNORECASE)) > len(
            re.findall("[a-z]", text, re.IGNORECASE)
        )

    @cached_property
    def sections(self) -> list[tuple[int, str]]:
        """(offset, name) of each section's beginning, from the top."""
        found, offset = [(0, "about")], 0
        for line in self.document.text.splitlines(keepends=True):
            title = line.strip(" \t\r\n:•|-–—*#")
            before, colon, _ = line.partition(":")
            if colon and len(before) < 40:
                title = before.strip(" \t•|-–—*#")
            if (
                title
                and len(title) <= 45
                and len(title.split()) <= 5
                and not re.search(r"\d{4}|[.;]$", title)
            ):
                for name, pattern in _SECTIONS:
                    # A title alone on its line, or one before a colon and its text.
                    if re.search(pattern, title, re.IGNORECASE) and (colon or title[0].isupper()):
                        found.append((offset, name))
                        break
            offset += len(line)
        return found

    def section_at(self, offset: int) -> str:
        name = "about"
        for start, section in self.sections:
            if start > offset:
                break
            name = section
        return name

    @cached_property
    def jobs(self) -> list[Job]:
        text = self.document.text
        found = [p for p in periods(text, self.today) if not self._is_study(p)]
        starts = [self._job_start(p.start) for p in found]
        jobs = []
        for i, period in enumerate(found):
            end = starts[i + 1] if i + 1 < len(found) else len(text)
            limit = next(
                (
                    o
                    for o, name in self.sections
                    if o > period.end and name in ("learning", "languages", "skills", "about")
                ),
                len(text),
            )
            jobs.append(Job(period, starts[i], max(min(end, limit), period.end)))
        return jobs

    def _is_study(self, period: Period) -> bool:
        text = self.document.text
        line_start = text.rfind("\n", 0, period.start) + 1
        line_end = text.find("\n", period.end)
        line = text[line_start : line_end if line_end >= 0 else len(text)]
        studies = (
            r"университет|институт(?!\w*\s+развития)|академи|колледж|техникум|"
            r"бакалавр|магистр|university|college|bachelor|b\.?sc|m\.?sc|degree|"
            r"факультет|школа №|гимнази"
        )
        works = (
            r"преподава|учитель|ассистент|инженер|лаборант|teacher|lecturer|engineer|"
            r"analyst|developer|бухгалтер|менеджер|manager"
        )
        if self.section_at(period.start) == "learning":
            return True
        return bool(re.search(studies, line, re.IGNORECASE)) and not re.search(
            works, line, re.IGNORECASE
        )

    def _job_start(self, offset: int) -> int:
        """The line of the dates, with the short line above it that names company or post."""
        text = self.document.text
        line_start = text.rfind("\n", 0, offset) + 1
        above_start = text.rfind("\n", 0, max(0, line_start - 1)) + 1
        above = text[above_start : max(above_start, line_start - 1)]
        is_title = (
            above.strip()
            and len(above) < 90
            and not re.match(r"\s*[-–—•*·▪]", above)
            and not above.rstrip().endswith((".", ";"))
        )
        return above_start if is_title and above_start < line_start else line_start

    def job_at(self, offset: int) -> Job | None:
        return next((job for job in self.jobs if job.start <= offset < job.end), None)

    @cached_property
    def trainee_jobs(self) -> set[Job]:
        """Internships: what was practised there was practised under guidance."""
        title = r"\bintern(?:ship)?\b|стаж[её]р\b|стажировк|практикант|trainee|volunteer|волонт"
        return {
            job
            for job in self.jobs
            if re.search(
                title,
                self.document.text[job.start : min(job.end, job.period.end + 120)],
                re.IGNORECASE,
            )
        }

    @cached_property
    def _mentions(self) -> dict[str, list[Mention]]:
        """concept -> where it is named, or what implies it."""
        words = vocabulary()
        found: dict[str, list[Mention]] = defaultdict(list)
        for mention in words.mentions(self.document):
            for concept in words.implied(mention.concept):
                found[concept].append(mention)
        return dict(found)

    def occurrences(self, concept: str) -> list[Occurrence]:
        """Where it is claimed, also by what implies it; denials are left out."""
        if (known := self._occurrences.get(concept)) is not None:
            return known
        tokens, is_post = self.document.tokens, concept in vocabulary().posts
        found = self._occurrences[concept] = []
        for mention in self._mentions.get(concept, ()):
            start, end = tokens[mention.first].start, tokens[mention.last - 1].end
            if (strength := self.strength(start, end)) > 0:
                share = 0.3 if is_post and not self._held(start) else 1.0
                found.append(Occurrence(concept, strength * share, start, end))
        return found

    @cached_property
    def _occurrences(self) -> dict[str, list[Occurrence]]:
        return {}

    def _held(self, start: int) -> bool:
        """One's own post begins its line or follows "worked as"; else it is another's."""
        segment = self.document.segments[self.document.segment_at(start)]
        before = self.document.text[min(segment.start, start) : start]
        if re.search(
            r"зам\w*|помощ\w+|ассистент\w*|подчин\w+|проверк\w+|сверк\w+|вместе с|"
            r"deputy|assist\w+|report\w* to",
            before,
            re.IGNORECASE,
        ):
            return False
        return len(before) < 25 or bool(
            re.search(
                r"работ\w+|должност\w+|опыт\w*|стаж\w*|\bas an?|[|·,—–]",
                before[-30:],
                re.IGNORECASE,
            )
        )

    def strength(self, start: int, end: int) -> float:
        """How much a mention here counts: denied 0, studied or weak about half, on a job 1."""
        text = self.document.text
        segment = self.document.segments[self.document.segment_at(start)]
        before = text[min(segment.start, start) : start]
        after = text[end : max(segment.end, end)]
        if _is_denied(before[-_NEGATION_REACH:], after[:_NEGATION_REACH]):
            return 0.0
        near = before[-70:] + text[start:end] + re.split(r"[,;(]", after, maxsplit=1)[0][:40]
        if (
            "," in before
        ):  # "Docker, основы Kubernetes": what weakens one does not weaken all before it
            near = before.rsplit(",", 1)[1] + text[start:end] + after.split(",", 1)[0][:40]
        section = self.section_at(start)
        strength = {"learning": 0.55, "wish": 0.4, "skills": 0.9, "about": 0.9}.get(section, 0.9)
        if section not in ("learning", "wish") and (job := self.job_at(start)):
            strength = 0.6 if job in self.trainee_jobs else 1.0
        return strength * (0.5 if _is_weak(near) else 1.0)

    @cached_property
    def stated_years(self) -> list[tuple[float, int, int]]:
        """Years of experience the text itself states: a summary's "7 лет опыта"."""
        text = self.document.text
        kept = []
        for number, start, end in stated_years(text):
            segment = self.document.segments[self.document.segment_at(start)]
            around = text[max(segment.start, start - 60) : min(segment.end, end + 60)]
            if re.search(
                r"опыт|стаж|experience|работаю|in\b|в продаж|в профессии|разработ|"
                r"as an?\b|занимаюсь|бухгалт|career",
                around,
                re.IGNORECASE,
            ):
                kept.append((number, start, end))
        return kept

    @cached_property
    def stems_by_prefix(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = defaultdict(list)
        for known in self.document.positions:
            index[known[:5]].append(known)
        return dict(index)

    def same_word(self, stem: str) -> list[str]:
        """The resume's stems of this word's family: разработк ~ разработчик, manag ~ management."""
        if stem in self.document.positions and len(stem) < 5:
            return [stem]
        return [
            known
            for known in self.stems_by_prefix.get(stem[:5], ())
            if known == stem
            or _common_prefix(known, stem) >= max(5, 0.75 * min(len(known), len(stem)))
        ]

    @cached_property
    def learning_text(self) -> tuple[int, str]:
        """(offset, text) of the part about education."""
        text = self.document.text
        bounds = [*self.sections, (len(text), "")]
        zones = [
            (start, bounds[i + 1][0])
            for i, (start, name) in enumerate(self.sections)
            if name == "learning"
            and re.search(r"образован|educat|academic", text[start : start + 60], re.IGNORECASE)
        ]
        return (zones[0][0], text[zones[0][0] : zones[0][1]]) if zones else (0, text)


# Phrases come again, in one resume and in many of a load test.
@lru_cache(maxsize=20_000)
def _is_denied(before: str, after: str) -> bool:
    return bool(_NEGATION.search(before) or _NEGATION_AFTER.match(after))


@lru_cache(maxsize=20_000)
def _is_weak(near: str) -> bool:
    return bool(_WEAK.search(near))


def _common_prefix(a: str, b: str) -> int:
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


@lru_cache(maxsize=512)
def read_resume(text: str, today: date) -> Resume:
    return Resume(Document(text), today)
