"""Facts with a scale, read from a text: years of experience, education, levels of languages."""

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = (
    *("янв|jan", "фев|feb", "мар|mar", "апр|apr", "ма[йяе]|may", "июн|jun"),
    *("июл|jul", "авг|aug", "сен|sep", "окт|oct", "ноя|nov", "дек|dec"),
)
_POINT = (
    rf"(?:({'|'.join(_MONTHS)})[а-яa-z]*\.?,?\s*|(\d{{1,2}})[./]\s?)?"
    r"((?:19|20)\d\d)(?:[./-](0[1-9]|1[0-2])(?!\d))?(?:\s*(?:г\.|года|год|г)(?!\w))?"
)
_NOW = (
    r"(?:по\s+)?(?:настоящ\w+(?:\s+врем\w+)?|н\.?\s?в\.?|сейчас|сегодня|present|now|current|today)"
)
_RANGE = re.compile(
    rf"{_POINT}\s*(?:[-–—−]|по\b|до\b|to\b|until\b)\s*(?:({_NOW})|{_POINT})", re.IGNORECASE
)
_SINCE = re.compile(rf"(?:\bс|\bsince|\bfrom)\s+{_POINT}", re.IGNORECASE)
_NUMBERS = (
    *("один|одного|one", "два|двух|two", "три|тр[её]х|three", "четыре|четыр[её]х|four"),
    *("пять|пяти|five", "шесть|шести|six", "семь|семи|seven", "восемь|восьми|eight"),
    *("девять|девяти|nine", "десять|десяти|ten"),
)
_YEARS = re.compile(
    rf"(?<![\w.,/-])(\d{{1,2}}(?:[.,]5)?|{'|'.join(_NUMBERS)})\s*(?:\([^)]{{1,12}}\)\s*)?\+?"
    r"(?:\s*[-–—]\s*\d{1,2})?\s*-?\s*(?:летн|лет\b|года?\b|years?\b|yrs?\b)",
    re.IGNORECASE,
)
_AGE = re.compile(r"возраст|\bage\b|years? old|родил|born|гаранти", re.IGNORECASE)


@dataclass(frozen=True)
class Period:
    """Months since year 0, `last` excluded, named by text[start:end]."""

    first: int
    last: int
    start: int
    end: int


def required_years(text: str) -> float | None:
    """The years a demand asks for; of "3-5 лет" the lower."""
    return max((number for number, _, _ in stated_years(text)), default=None)


def stated_years(text: str) -> list[tuple[float, int, int]]:
    """(years, start, end) of each "5+ лет", "three years"; not ages."""
    found = []
    for m in _YEARS.finditer(text):
        if not _AGE.search(text[max(0, m.start() - 25) : m.end() + 8]):
            number = _index(_NUMBERS, m[1]) or float(m[1].replace(",", "."))
            if 0 < number <= 45:
                found.append((number, *m.span()))
    return found


def periods(text: str, today: date) -> list[Period]:
    """Date ranges in a resume's text: "март 2019 — по н. в.", "2017-2020", "с 2021 года"."""
    now = today.year * 12 + today.month
    found = []
    for m in _RANGE.finditer(text):
        first = _month(m[1], m[2] or m[4], m[3], default=1)
        # A bare year ends in its middle, so that 2019-2020 is a year and a half.
        middle = 12 if m[8] == m[3] else 6
        last = now if m[5] else _month(m[6], m[7] or m[9], m[8], default=middle) + 1
        if first < last <= now + 1:
            found.append(Period(first, min(last, now), *m.span()))
    for m in _SINCE.finditer(text):
        first = _month(m[1], m[2] or m[4], m[3], default=1)
        if first < now and not any(p.start < m.end() and m.start() < p.end for p in found):
            found.append(Period(first, now, *m.span()))
    return sorted(found, key=lambda period: period.start)


def _month(name: str | None, number: str | None, year: str, *, default: int) -> int:
    month = _index(_MONTHS, name[:3]) if name else int(number or 0)
    return int(year) * 12 + (month if 1 <= month <= 12 else default)


def _index(alternatives: tuple[str, ...], word: str) -> int:
    """From 1; 0 where none is the word."""
    for number, pattern in enumerate(alternatives, start=1):
        if re.fullmatch(pattern, word, re.IGNORECASE):
            return number
    return 0


def total_months(found: list[Period]) -> int:
    """The union: two jobs at once count once."""
    total, reached = 0, 0
    for period in sorted(found, key=lambda p: p.first):
        total += max(0, period.last - max(period.first, reached))
        reached = max(reached, period.last)
    return total


_HIGHER = re.compile(
    r"высш\w+|бакалавр|магистр|университет|институт|академи[яи]|кандидат \w+ наук|аспирантур|"
    r"bachelor|master'?s|\b[bm]\.?sc\b|\bmba\b|ph\.?d|university|degree|(?-i:\b[А-Я]*ГУ\b|НИУ|ВШЭ)",
    re.IGNORECASE,
)
_VOCATIONAL = re.compile(r"колледж|техникум|училищ|средн\w+[- ]\w+|college|vocational", re.I)
_EDUCATION_DEMAND = re.compile(
    r"образовани|диплом|degree|bachelor|master'?s|education|университет|university", re.I
)


def education(text: str) -> tuple[float, re.Match[str] | None]:
    """1 for higher education, 0.4 for vocational, with the words that show it."""
    if higher := _HIGHER.search(text):
        return 1.0, higher
    vocational = _VOCATIONAL.search(text)
    return (0.4 if vocational else 0.0), vocational


def is_education_demand(text: str) -> bool:
    return bool(_EDUCATION_DEMAND.search(text))


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
}
_LEVELS = (  # 1 = A1 ... 6 = C2; a letter beats words: "B1 (Intermediate), свободно читаю"
    *(
        (level, rf"\b{name}\b")
        for level, name in enumerate(("a1", "a2", "b1", "b2", "c1", "c2"), 1)
    ),
    (6, r"родной|носитель|native|bilingual"),
    (5, r"свободн\w+|fluent|advanced|proficient|excellent|в совершенстве"),
    (4, r"upper[- ]?intermediate|выше среднего|professional|business|уверенн\w+|strong|good"),
    (2, r"pre[- ]?intermediate|elementary|базов\w+|basic|чита\w+|словар\w+|техническ\w+|reading"),
    (3, r"intermediate|средн\w+|разговорн\w+|conversational|working"),
    (1, r"beginner|начальн\w+"),
)


def language_levels(text: str, language: str) -> list[tuple[int, int, int]]:
    """(level, start, end) for every mention of the language; 0 where no level stands beside it."""
    others = "|".join(pattern for name, pattern in LANGUAGES.items() if name != language)
    found = []
    for m in re.finditer(LANGUAGES[language], text, re.IGNORECASE):
        after = re.split(rf"\n\s*\n|{others}", text[m.end() : m.end() + 60], flags=re.I)[0]
        line = text.rfind("\n", 0, m.start()) + 1
        before = re.split(
            rf"{others}|[,;.|]", text[max(line, m.start() - 25) : m.start()], flags=re.I
        )[-1]
        level, length = _level(after)
        found.append((level or _level(before)[0], m.start(), m.end() + length))
    return found


def _level(text: str) -> tuple[int, int]:
    for level, pattern in _LEVELS:
        if m := re.search(pattern, text, re.IGNORECASE):
            return level, m.end()
    return 0, 0


def demanded_language(text: str) -> tuple[str, int] | None:
    """(language, level) where the demand is about a language; B1 where it names no level."""
    for name in LANGUAGES:
        if levels := language_levels(text, name):
            return name, max(level for level, _, _ in levels) or 3
    return None
