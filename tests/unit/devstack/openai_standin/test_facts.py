"""Years, dates, degrees and levels, read from Russian and English."""

from datetime import date

import pytest

from devstack.openai_standin import facts

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("Март 2019 — настоящее время", 87),
        ("03.2019 – 06.2021", 28),
        ("2015/04 - 2018/01", 34),
        ("с 2017 по 2020 г.", 42),
        ("Jan 2020 – Present", 77),
        ("June 2018 to August 2020", 27),
        ("август 2016 г. — май 2018 г.", 22),
        ("since 2024", 29),
        ("2020 — н. в.", 77),
        ("01.2019 — 12.2019, 06.2019 — 06.2020", 18),  # overlapping jobs count once
        ("тел. 8 900 2019-20-21", 0),
        ("проект на 2018 строк", 0),
    ],
)
def test_months_of_work(text, months):
    assert facts.total_months(facts.periods(text, TODAY)) == months


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("опыт от 3 лет", 3),
        ("5+ years of Python", 5),
        ("не менее пяти лет", 5),
        ("3-5 лет", 3),
        ("at least three (3) years", 3),
        ("5-летний опыт", 5),
        ("от 1,5 лет", 1.5),
        ("возраст 35 лет", None),
        ("релиз 2024 года", None),
        ("Python 3", None),
    ],
)
def test_years_demanded(text, years):
    assert facts.required_years(text) == years


@pytest.mark.parametrize(
    ("text", "language", "level"),
    [
        ("Английский — Upper-Intermediate (B2)", "english", 4),
        ("русский — родной, английский — C1", "english", 5),
        ("Fluent English is required; German is a plus", "german", 0),
        ("English (fluent), German (A2)", "german", 2),
        ("Языки: английский (читаю документацию)", "english", 2),
    ],
)
def test_levels_of_languages(text, language, level):
    assert max(facts.language_levels(text, language))[0] == level
