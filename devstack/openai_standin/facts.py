"""Facts with a scale, read from a text: years of experience, education, levels of languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

_MONTHS = {
    "янв": 1,
    "фев": 2,
    "мар": 3,
    "апр": 4,
    "май": 5,
    "мая": 5,
    "мае": 5,
    "июн": 6,
    "июл": 7,
    "авг": 8,
    "сен": 9,
    "окт": 10,
    "ноя": 11,
    "дек": 12,
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_MONTH = (
    r"(?:янв|фев|мар|апр|ма[йяе]|июн|июл|авг|сен|окт|ноя|дек|jan|feb|mar|apr|may|jun|"
    r"jul|aug|sep|oct|nov|dec)[а-яa-z]*\.?,?"
)
_POINT = (
    rf"(?:({_MONTH})\s*|(\d{{1,2}})[./]\s?)?((?:19|20)\d\d)(?:[./-](0[1-9]|"
    rf"1[0-2])(?!\d))?(?:\s*(?:г\.|года|год|г)(?!\w))?"
)
_NOW = (
    r"(?:по\s+)?(?:настоящ\w+(?:\s+врем\w+)?|н\.?\s?в\.?|сейчас|сегодня|"
    r"текущ\w+\s+\w+|present|now|current(?:ly)?|today|to date|ongoing)"
)
_RANGE = re.compile(
    rf"(?:\b[сc]\s+)?{_POINT}\s*(?:[-–—−]+|\bпо\b|\bдо\b|\bto\b|\btill\b|"
    rf"\buntil\b)\s*(?:({_NOW})|{_POINT})",
    re.IGNORECASE,
)
_SINCE = re.compile(
    rf"(?:\bс|\bsince|\bfrom)\s+{_POINT}(?!\s*(?:[-–—−]|по\b|до\b|to\b))", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_BEFORE_YEAR = frozenset(" \t\r\n\f\v\u00a0\u2009\u202f.,/")
_NUMBER_WORDS = {
    "один": 1,
    "одного": 1,
    "два": 2,
    "двух": 2,
    "три": 3,
    "трех": 3,
    "трёх": 3,
    "четыре": 4,
    "четырех": 4,
    "четырёх": 4,
    "пять": 5,
    "пяти": 5,
    "шести": 6,
    "шесть": 6,
    "семи": 7,
    "семь": 7,
    "восьми": 8,
    "восемь": 8,
    "девять": 9,
    "десять": 10,
    "десяти": 10,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_NUMBER = rf"(\d{{1,2}}(?:[.,]5)?|{'|'.join(_NUMBER_WORDS)})"
_YEARS = re.compile(
    rf"(?<![\w.,/-]){_NUMBER}\s*(?:\([^)]{{1,12}}\)\s*)?(?:\+|[-–—]\s?(?:х|ти|"
    rf"и)\b)?\s*(?:[-–—]\s*\d{{1,2}}\s*)?(?:-?\s*(?:летн\w+|лет\b|года?\b)|"
    rf"\s*(?:years?|yrs?)\b|-year)",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"возраст|\bage\b|years? old|родил|born|гаранти|с \d+ до \d+|полных", re.IGNORECASE
)


@dataclass(frozen=True)
class Period:
    """A stretch of work in months since year 0, named by text[start:end]."""

    first: int
    last: int  # exclusive
    start: int
    end: int


def required_years(text: str) -> float | None:
    """The years a demand asks for; of "3-5 лет" the lower."""
    found = [number for number, _, _ in stated_years(text)]
    return max(found) if found else None


def stated_years(text: str) -> list[tuple[float, int, int]]:
    """(years, start, end) of each "5+ лет", "three years"; not ages."""
    found: list[tuple[float, int, int]] = []
    small = text.lower()
    if not any(word in small for word in ("лет", "год", "year", "yr")):
        return found
    for m in _YEARS.finditer(text):
        around = text[max(0, m.start() - 25) : m.end() + 8]
        if _AGE.search(around):
            continue
        word = m.group(1).lower()
        number = _NUMBER_WORDS.get(word) or float(word.replace(",", "."))
        if 0 < number <= 45:
            found.append((float(number), m.start(), m.end()))
    return found


def periods(text: str, today: date) -> list[Period]:
    """Date ranges in a resume's text: "март 2019 — по н. в.", "2017-2020", "с 2021 года"."""
    found = []
    now = today.year * 12 + today.month
    for m in _with_years(_RANGE, text):
        first = _month(m.group(1), m.group(2) or m.group(4), m.group(3), default=1)
        last = (
            now
            if m.group(5)
            else _month(
                m.group(6), m.group(7) or m.group(9), m.group(8), default=None, start=m.group(3)
            )
            + 1
        )
        if first < last <= now + 1:
            found.append(Period(first, min(last, now), m.start(), m.end()))
    taken = [(p.start, p.end) for p in found]
    for m in _with_years(_SINCE, text):
        if not any(start < m.end() and m.start() < end for start, end in taken):
            first = _month(m.group(1), m.group(2) or m.group(4), m.group(3), default=1)
            if first < now:
                found.append(Period(first, now, m.start(), m.end()))
    return sorted(found, key=lambda p: p.start)


def _with_years(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What `pattern.finditer` finds, looked for only around years: letters alone stand before."""
    at = 0
    while year := _YEAR.search(text, at):
        begin = year.start()
        while begin > at and (text[begin - 1].isalnum() or text[begin - 1] in _BEFORE_YEAR):
            begin -= 1
        found = pattern.search(text, begin)
        if found is None:
            return
        yield found
        at = found.end()


def _month(
    name: str | None, number: str | None, year: str, *, default: int | None, start: str = ""
) -> int:
    month = (
        _MONTHS.get(name[:3].lower())
        if name
        else int(number)
        if number and 1 <= int(number) <= 12
        else None
    )
    if month is None:  # a bare year ends in its middle, so that 2019-2020 is a year and a half
        month = default or (12 if year == start else 6)
    return int(year) * 12 + month


def total_months(found: list[Period]) -> int:
    """The union: two jobs at once count once."""
    total, reached = 0, 0
    for period in sorted(found, key=lambda p: p.first):
        total += max(0, period.last - max(period.first, reached))
        reached = max(reached, period.last)
    return total


# --- education: 0 none, 1 school or courses, 2 vocational, 3 higher, 4 doctorate
_EDUCATION = (
    (4, r"кандидат \w+ наук|доктор \w+ наук|ph\.?\s?d|doctorate|аспирантур"),
    (
        3,
        r"высш\w+|бакалавр|магистр|специалитет|университет|институт|академи[яи]|"
        r"(?-i:\b(?:[А-Я]*ГУ|МГТУ|НИУ|ВШЭ|МФТИ|МИФИ|ИТМО|СПбГУ|МГУ|РЭУ|"
        r"РАНХиГС)\b)|"
        r"bachelor|master'?s|\bb\.?sc\b|\bm\.?sc\b|\bb\.?a\.\b|\bmba\b|university|"
        r"degree in|higher education|\bdegree\b",
    ),
    (
        2,
        r"средн\w+[- ](?:специальн|профессиональн|техническ)\w+|колледж|техникум|"
        r"училищ|college|vocational|diploma in",
    ),
)


def education_level(text: str) -> tuple[int, re.Match[str] | None]:
    for level, pattern in _EDUCATION:
        if m := re.search(pattern, text, re.IGNORECASE):
            return level, m
    return 0, None


def is_education_demand(text: str) -> bool:
    return bool(
        re.search(
            r"образовани|диплом|degree|bachelor|master'?s|education|университет|university|\bвуз",
            text,
            re.IGNORECASE,
        )
    )


# --- languages on the CEFR scale: 1 = A1 … 6 = C2
LANGUAGES = {
    "english": r"английск\w*|english",
    "german": r"немецк\w*|german\b|deutsch",
    "french": r"французск\w*|french",
    "spanish": r"испанск\w*|spanish",
    "chinese": r"китайск\w*|chinese|mandarin",
    "russian": r"русск\w*|russian",
    "italian": r"итальянск\w*|italian",
    "polish": r"польск\w*|polish",
    "turkish": r"турецк\w*|turkish",
    "japanese": r"японск\w*|japanese",
    "arabic": r"арабск\w*|arabic",
    "dutch": r"нидерландск\w*|голландск\w*|dutch",
    "portuguese": r"португальск\w*|portuguese",
    "korean": r"корейск\w*|korean",
    "kazakh": r"казахск\w*|kazakh",
}
_LEVELS = (
    (6, r"\bc2\b|родной|носитель|native|mother tongue|bilingual|билингв"),
    (5, r"\bc1\b|свободн\w+|fluent|advanced|proficient|full professional|в совершенстве|excellent"),
    (
        4,
        r"\bb2\b|upper[- ]?intermediate|выше среднего|professional working|"
        r"разговорн\w+ и письменн\w+|business level|уверенн\w+|working "
        r"proficiency|strong|good command|деловой",
    ),
    (
        3,
        r"\bb1\b|intermediate|средн\w+|разговорн\w+|conversational|working "
        r"knowledge|limited working|good",
    ),
    (
        2,
        r"\ba2\b|pre[- ]?intermediate|elementary|базов\w+|basic|чтени\w+|читаю|со "
        r"словар\w+|техническ\w+|reading",
    ),
    (1, r"\ba1\b|beginner|начальн\w+"),
)


_ANY_LANGUAGE = re.compile("|".join(LANGUAGES.values()), re.IGNORECASE)


@cache
def _others(language: str) -> str:
    return "|".join(p for name, p in LANGUAGES.items() if name != language)


def language_levels(text: str, language: str) -> list[tuple[int, int, int]]:
    """(level, start, end) for every mention of the language; 0 where no level stands beside it."""
    found = []
    others = _others(language)
    for m in re.finditer(LANGUAGES[language], text, re.IGNORECASE):
        line_start = text.rfind("\n", 0, m.start()) + 1
        after = re.split(
            rf"\n\s*\n|{others}", text[m.end() : m.end() + 60], maxsplit=1, flags=re.IGNORECASE
        )[0]
        before = re.split(
            rf"{others}|[,;.|]",
            text[max(line_start, m.start() - 25) : m.start()],
            flags=re.IGNORECASE,
        )[-1]
        level, end = 0, m.end()
        for where, offset in ((after, m.end()), (before, None)):
            pieces = [
                (value, hit)
                for value, pattern in _LEVELS
                if (hit := re.search(pattern, where, re.IGNORECASE))
            ]
            if pieces:
                # An explicit CEFR letter beats words: "B1 (Intermediate), свободно читаю".
                pieces.sort(
                    key=lambda piece: (
                        not re.fullmatch(r"[abc][12]", piece[1].group().lower()),
                        -piece[0],
                    )
                )
                level = pieces[0][0]
                end = offset + pieces[0][1].end() if offset is not None else m.end()
                break
        found.append((level, m.start(), end))
    return found


@lru_cache(maxsize=4096)
def demanded_language(text: str) -> tuple[str, int] | None:
    """(language, level) where the demand is about a language; B1 where it names no level."""
    if not _ANY_LANGUAGE.search(text):
        return None
    for name in LANGUAGES:
        if levels := language_levels(text, name):
            return name, max(level for level, _, _ in levels) or 3
    return None
