"""A quote is evidence only where it stands in the text, however it is typed."""

import pytest

from apps.ai.evidence.quotes import FoldedText
from resume_platform.text import canonical

RESUME = canonical(
    "Иван\u00a0Петров — Python‑разработчик\n"
    "Опыт:  5\u2009лет (2019 – 2024), «Яндекс.Еда»; учёт, JavaScript\n"
    "Вёл проект\u200b миграции; ﬁnance reports; Straße",
    200,
)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Python-разработчик", "Python‑разработчик"),
        ("PYTHON - РАЗРАБОТЧИК", "Python‑разработчик"),
        ("Опыт: 5 лет", "Опыт: 5 лет"),
        ("5 лет (2019-2024)", "5 лет (2019 – 2024)"),
        ('"Яндекс.Еда"', "«Яндекс.Еда»"),
        ("учет", "учёт"),
        ("вел проект миграции", "Вёл проект миграции"),
        ("finance reports", "ﬁnance reports"),
        ("STRASSE", "Straße"),
        ("…учёт, JavaScript…", "учёт, JavaScript"),
        ("JavaScript\nВёл", "JavaScript\nВёл"),
    ],
)
def test_a_quote_is_found_and_maps_back_to_the_text_as_sent(quote, found):
    span = FoldedText(RESUME).find(quote)
    assert span is not None
    assert RESUME[span.start : span.end] == found


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "…",
        "---",
        "Java",  # a part of a word
        "разработчика",
        "6 лет",
        "Опыт 5 лет",  # a character less
        "Python ... JavaScript",  # spliced
        "Senior Python-разработчик",
    ],
)
def test_what_does_not_stand_there_is_not_found(quote):
    assert FoldedText(RESUME).find(quote) is None


def test_a_quote_may_be_spelled_in_other_code_points_and_hold_what_nobody_sees():
    span = FoldedText("Рабочий язык").find("рабо\u200bчии\u0306")
    assert span is not None
    assert (span.start, span.end) == (0, 7)
