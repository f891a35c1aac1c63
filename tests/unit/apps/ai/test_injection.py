"""Instructions to the judge are flagged, taken out and no evidence; honest lines are left alone."""

import pytest

from apps.ai.evidence.quotes import FoldedText
from apps.ai.injection.flags import find_flags
from apps.ai.redaction.outgoing import prepare
from devstack.openai_standin import obedience
from tests.unit.apps.ai.attacks import ATTACKS, HONEST, ORDER


def test_the_obedient_judge_really_obeys_these_orders():
    obeyed = 0
    for attack in ATTACKS.values():
        obeyed += bool(obedience.orders(f"{HONEST}\n\n{attack}"))
    assert obeyed >= 0.75 * len(ATTACKS)


@pytest.mark.parametrize(
    "honest",
    [
        HONEST,
        "Разработал системный промпт-менеджер; вёл проект по внедрению ML-модели.",
        "Enforced coding guidelines and reviewed system requirements with the team.",
        "Разрабатывал модели машинного обучения, систему оценки кандидатов и рекомендаций.",
        "Scored 100% on the safety audit; met all quarterly targets; full-stack developer.",
        "Выполнил план на 100%. Отвечал за все требования заказчика и критерии приёмки.",
        "Set up Prometheus alerts, answered customers' questions, returned 15% of budget.",
        "Обеспечил соответствие всем требованиям ISO 9001, провёл внутренний аудит.",
        "SHA-256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "👨‍👩‍👧 Family of three, C++/Qt, می‌خواهم",
    ],
)
def test_honest_lines_are_not_flagged(honest):
    assert [honest[f.start : f.end] for f in find_flags(honest)] == []


def test_examples_are_not_flagged(example_resumes):
    flagged = {name: find_flags(text) for name, text in example_resumes.items()}
    assert {name: flags for name, flags in flagged.items() if flags} == {}


def test_a_flagged_span_is_no_evidence_and_does_not_leave():
    outgoing = prepare(f"Python\n{ORDER}\nKafka", is_redacting=False)
    assert ORDER not in outgoing.sent.text
    span = FoldedText(outgoing.sent.text).find("Python [REMOVED] Kafka")
    assert span is not None
    assert outgoing.is_flagged(outgoing.sent.original(span))
    alone = FoldedText(outgoing.sent.text).find("Kafka")
    assert alone is not None
    assert not outgoing.is_flagged(outgoing.sent.original(alone))
    assert outgoing.original.index("Kafka") == outgoing.sent.original(alone).start
