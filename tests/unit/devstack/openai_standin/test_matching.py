"""What the rules make of vacancies and resumes that they never saw."""

from datetime import date

import pytest

from devstack.openai_standin.criteria import extract_criteria
from devstack.openai_standin.matcher import Judge

TODAY = date(2026, 6, 15)

VACANCY = """Вакансия: Менеджер по продажам B2B

О компании
Поставляем упаковку с 2005 года, 120 сотрудников.

Чем предстоит заниматься:
- поиск клиентов и холодные звонки;
- подготовка коммерческих предложений.

Требования:
- опыт активных продаж B2B от 2 лет;
- уверенное владение CRM (Битрикс24 или amoCRM);
- навыки переговоров и работы
  с возражениями;
- английский язык не ниже B1;
- высшее образование.

Будет плюсом:
- опыт участия в тендерах;
- водительские права категории B.

Условия:
- оклад и процент, ДМС.
"""

ENGLISH_SELLER = """Jane Roe
Sales manager, 6 years in B2B sales

Experience
Mar 2021 - present, PackRight, Key Account Manager
Cold calling and lead generation for corporate clients, quota reached 8 quarters out of 9.
Negotiated annual contracts, handled objections of procurement departments, won two public tenders.
Moved the team's pipeline from spreadsheets to amoCRM.
Jun 2019 - Feb 2021, Boxline, Sales Representative
B2B sales of packaging, prospecting.

Education
2015 - 2019 State University, Bachelor of Economics

Languages: English (fluent), Russian (native)
"""

COOK = """Иван Повар
Опыт работы
2018 — настоящее время, ресторан «Берег», повар горячего цеха.
Готовил банкеты, следил за остатками на складе. Не работал с CRM.
Образование: колледж общественного питания, 2017.
"""


def statuses(resume: str, vacancy: str = VACANCY) -> dict[str, str]:
    judge = Judge(resume, TODAY)
    return {c.requirement: judge.judge(c.requirement).status for c in extract_criteria(vacancy)}


def test_only_demands_become_criteria_and_wishes_are_marked():
    criteria = extract_criteria(VACANCY)
    assert [(c.importance, c.requirement) for c in criteria] == [
        ("must", "опыт активных продаж B2B от 2 лет"),
        ("must", "уверенное владение CRM (Битрикс24 или amoCRM)"),
        ("must", "навыки переговоров и работы с возражениями"),
        ("must", "английский язык не ниже B1"),
        ("must", "высшее образование"),
        ("nice", "опыт участия в тендерах"),
        ("nice", "водительские права категории B"),
    ]


def test_a_paragraph_is_split_where_there_are_no_lists():
    criteria = extract_criteria(
        "We are looking for a nurse with at least 3 years of experience in a hospital. "
        "Fluent English is required. Driving license is a plus."
    )
    assert [c.importance for c in criteria] == ["must", "must", "nice"]


def test_never_more_than_twelve_and_nothing_demanded_is_lost():
    skills = [f"знание системы Алгоритм{chr(1040 + n)}" for n in range(20)]
    criteria = extract_criteria("Требования:\n" + "\n".join(f"- {skill}" for skill in skills))
    assert len(criteria) == 12
    together = " ".join(c.requirement for c in criteria)
    assert all(skill in together for skill in skills)


@pytest.mark.parametrize("text", ["", "   \n", "—", "123 456", "!!!"])
def test_a_text_without_words_demands_nothing(text):
    assert extract_criteria(text) == []


def test_an_english_resume_is_understood_against_a_russian_vacancy():
    assert statuses(ENGLISH_SELLER) == {
        "опыт активных продаж B2B от 2 лет": "met",
        "уверенное владение CRM (Битрикс24 или amoCRM)": "met",
        "навыки переговоров и работы с возражениями": "met",
        "английский язык не ниже B1": "met",
        "высшее образование": "met",
        "опыт участия в тендерах": "met",
        "водительские права категории B": "unclear",
    }


def test_another_profession_meets_next_to_nothing():
    found = statuses(COOK)
    assert "met" not in found.values()
    assert found["уверенное владение CRM (Битрикс24 или amoCRM)"] == "missing"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("2020 — 2025 Писал сервисы на Python, Kafka, Docker", "met"),
        ("2020 — 2025 Поддерживал обмен через RabbitMQ", "partial"),
        ("2020 — 2025 Не работал с Kafka", "missing"),
        ("2020 — 2025 Хочу изучить Kafka", "missing"),
        ("2020 — 2025 Вёл склад", "missing"),
        ("Учебный проект: немного Kafka", "partial"),
    ],
)
def test_practice_kinship_study_and_denial_are_told_apart(line, status):
    resume = f"Опыт работы\nООО «Пример»\n{line}\n"
    assert Judge(resume, TODAY).judge("Опыт работы с Kafka").status == status


@pytest.mark.parametrize(
    ("dates", "status"),
    [
        ("январь 2021 — настоящее время", "met"),
        ("январь 2024 — настоящее время", "partial"),
        ("январь 2026 — настоящее время", "missing"),
    ],
)
def test_years_are_computed_from_the_dates_of_jobs_in_the_field(dates, status):
    resume = f"Опыт работы\n{dates}\nPython-разработчик\nСервисы на Django\n"
    assert Judge(resume, TODAY).judge("Разработка на Python от 5 лет").status == status


def test_years_in_another_field_do_not_count():
    resume = "Опыт работы\n2010 — 2024\nВодитель автобуса\nОсновы Python прошёл на курсах\n"
    assert Judge(resume, TODAY).judge("Разработка на Python от 3 лет").status == "missing"


def test_every_quote_stands_in_the_resume():
    judge = Judge(ENGLISH_SELLER, TODAY)
    for criterion in extract_criteria(VACANCY):
        verdict = judge.judge(criterion.requirement)
        assert all(quote and quote in ENGLISH_SELLER for quote in verdict.quotes)
        assert bool(verdict.quotes) == (verdict.status in ("met", "partial"))
