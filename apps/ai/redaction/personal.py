"""Finds birth dates, age, sex and family: what must not weigh in a judgement.

Endings of Russian verbs tell a sex too; they stay, because the text could not be read without them.
"""

import re
from collections.abc import Iterator

from apps.ai.redaction.spans import Found

_MONTH = (
    r"(?:янв\w*|фев\w*|мар\w*|апр\w*|ма[йя]|июн\w*|июл\w*|авг\w*|сен\w*|окт\w*|ноя\w*|дек\w*|"
    r"jan\w*|feb\w*|mar\w*|apr\w*|may|jun\w*|jul\w*|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)"
)
_DATE = (
    rf"(?:\d{{1,2}}[./\-\s]\d{{1,2}}[./\-\s](?:\d{{4}}|\d{{2}})|\d{{4}}[./-]\d{{1,2}}[./-]\d{{1,2}}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}\.?,?\s+\d{{4}}|"
    rf"{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|(?:19|20)\d\d)"
    r"(?:\s*(?:г\.?\s?р\.?|года?(?:\s+рождения)?|г\.))?"
)

_WRITTEN: tuple[tuple[str, str], ...] = (
    (
        "birth_date",
        rf"\b(?:дат[аы]\s+рождения|д\.?\s?р\.?(?=\s*[:—–-])|родил(?:ся|ась)|год\s+рождения|"
        rf"рожд[её]н(?:а|ие)?|день\s+рождения|date\s+of\s+birth|birth\s*da(?:te|y)|d\.?o\.?b\.?|"
        rf"born(?:\s+on|\s+in)?|year\s+of\s+birth)\s*(?:[:—–=-]\s*)?(?P<hit>{_DATE})",
    ),
    (
        "birth_date",
        rf"\b(?P<hit>(?:19|20)\d\d\s*(?:г\.?\s?р\.|г\.р|года?\s+рождения)|"
        rf"{_DATE}\s*\(?(?:г\.?\s?р\.|года?\s+рождения))",
    ),
    (
        "age",
        r"\b(?:возраст|полных\s+лет|age|aged)\s*(?:[:—–=-]\s*)?"
        r"(?P<hit>(?:от\s+|до\s+|from\s+|under\s+|over\s+)?\d{2}(?:\s*[-–—]\s*\d{2}|\s+до\s+\d{2})?"
        r"(?:\s*(?:лет|года?|years?(?:\s+old)?))?)",
    ),
    (
        "age",
        r"(?P<hit>\b\d{2}[\s-]*(?:years?|yrs?|y\.?)[\s./-]*(?:old|o\.?\b)|"
        r"\b(?:мне|исполнилось)\s+(?:уже\s+)?\d{2}\s*(?:лет|года?)\b|"
        r"\b(?:в|моложе|старше)\s+\d{2}\s+(?:лет|года?)\b(?!\s+(?:опыт|стаж))|"
        r"\b\d{2}-летн(?:ий|яя|его|ей)\s+(?:мужчина|женщина|девушка|парень|специалист)\w*|"
        r"\b(?:пенсионер(?:ка)?|предпенсионн\w+\s+возраст\w*|пенсионн\w+\s+возраст\w*|"
        r"of\s+retirement\s+age|retiree))",
    ),
    (
        # "Анна Иванова, 32 года", a line of its own: "32 года"; never "опыт 12 лет".
        "age",
        r"(?:(?<=\n)|\A|(?<=[,;|•·]))[ \t]*(?P<hit>(?:1[89]|[2-7]\d)\s*(?:лет|года?|years)"
        r"(?!\s+(?:в\b|опыт|стаж|работ|коммерч|практик|in\b|of\b|experience|as\b|professional)))"
        r"(?=[ \t]*(?:[,;|•·(\n]|\.?\Z))",
    ),
    (
        "gender",
        r"\b(?:пол|gender|sex)\s*[:—–=-]\s*(?P<hit>мужской|женский|муж\.?|жен\.?|м\.?|ж\.?|"
        r"male|female|man|woman|non-?binary|m|f)(?![\w-])",
    ),
    (
        "gender",
        r"(?P<hit>\b(?:she\s?/\s?her(?:\s?/\s?hers)?|he\s?/\s?him(?:\s?/\s?his)?|"
        r"they\s?/\s?them(?:\s?/\s?theirs)?)\b|"
        r"\b(?:г-жа|г-н|госпожа|господин)\b(?=\s+[А-ЯЁ])|"
        r"\b(?:мужчин\w{1,3}|женщин\w{1,3}|девушк\w{1,2}|парен[ья]|парн[яеь]м?)\b|"
        r"\b(?:male|female)\b(?!\s+(?:connector|adapter|thread|screw))|"
        r"\b(?:I\s+am\s+a\s+(?:young\s+)?(?:wo)?man)\b|"
        r"\b(?:военнообязанн\w+|не\s+военнообязанн\w+))",
    ),
    ("gender", r"(?-i:(?P<hit>\b(?:Mr|Mrs|Ms|Miss|Mx)\b\.?)(?=\s+[A-Z]))"),
    (
        "family",
        r"(?P<hit>\b(?:семейное\s+положение|marital\s+status|family\s+status|дети|children)"
        r"\s*[:—–=-]\s*[^\n,;|]{1,40}|"
        r"\b(?:не\s*)?(?:замужем|женат(?:а|ый)?)\b|\bхолост(?:ой|а)?\b|\bразвед[её]н(?:а)?\b|"
        r"\b(?:happily\s+)?(?:married|divorced|widowed)\b"
        r"(?:\s*(?:,\s*)?(?:with\s+)?(?:\w+\s+)?(?:children|kids))?|"
        r"\b(?:single|unmarried)\b(?=[^\S\n]*[,;.|\n]\s*(?:no\s+children|\d|\Z))|"
        r"\b(?:мать|отец|мама|папа)\s+(?:\w+\s+){0,2}дет(?:ей|ишек)\b|"
        r"\b(?:mother|father|mom|dad|parent)\s+of\s+\w+|"
        r"\bв\s+декрет\w*(?:\s+отпуск\w*)?|\b(?:maternity|paternity)\s+leave\b|"
        r"\b(?:есть\s+|имею\s+|двое\s+|трое\s+|один\s+)(?:реб[её]н\w+|дет\w+)\b)",
    ),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WRITTEN)


def find_personal(text: str) -> Iterator[Found]:
    """May overlap: `spans.joined` puts it in order."""
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield Found(kind, *match.span("hit"))
