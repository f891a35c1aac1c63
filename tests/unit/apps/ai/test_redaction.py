"""Personal data does not leave; what a judgement needs does, and quotes find their way back."""

import os
import subprocess
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from apps.ai.evidence.quotes import FoldedText, Span
from apps.ai.redaction import Found, leave_out, redact
from apps.ai.redaction.outgoing import prepare, prepare_requirements
from tests.unit.apps.ai.snippets import SNIPPETS


def sent(text: str) -> str:
    return leave_out(text, redact(text)).text


def leaked(label: str, text: str) -> bool:
    """Whether a word of the label is still readable."""
    words = [word.strip(".,()") for word in label.split()]
    left = sent(text)
    return any(word in left for word in words if len(word) > 1) or label in left


def test_no_contact_data_leaves():
    labelled = [(text, contact) for text, _, contacts, _ in SNIPPETS for contact in contacts]
    assert len(SNIPPETS) >= 60
    assert len(labelled) >= 60
    assert [(text, contact) for text, contact in labelled if contact in sent(text)] == []


def test_nine_names_of_ten_do_not_leave():
    labelled = [(text, name) for text, names, _, _ in SNIPPETS for name in names]
    assert len(labelled) >= 45
    missed = [(text, name) for text, name in labelled if leaked(name, text)]
    assert 1 - len(missed) / len(labelled) >= 0.9, missed


def test_what_a_judgement_needs_stays():
    lost = [
        (kept, sent(text))
        for text, _, _, keep in SNIPPETS
        for kept in keep
        if kept not in sent(text)
    ]
    assert lost == []


def test_examples_keep_their_techniques_firms_and_dates(example_resumes):
    for text in example_resumes.values():
        kinds = {text[f.start : f.end]: f.kind for f in redact(text)}
        assert list(kinds.values()).count("email") == 1
        names = [name for name, kind in kinds.items() if kind == "name"]
        assert 1 <= len(names) <= 3, names


def test_a_requirements_text_loses_contacts_and_keeps_its_first_line():
    text = "Northfield Grocers\nData Analyst\nContact: Anna Lee, jobs@example.com"
    assert prepare_requirements(text, is_redacting=True) == (
        "Northfield Grocers\nData Analyst\nContact: [NAME], [EMAIL]"
    )
    assert prepare_requirements(text, is_redacting=False) == text


def test_a_quote_with_placeholders_maps_back_to_the_upload():
    resume = "Анна Орлова, тел. +7 916 123-45-67\nПисала на Python с Петром Волковым пять лет"
    outgoing = prepare(resume, is_redacting=True)
    quote = "Писала на Python с [NAME] пять лет"
    span = FoldedText(outgoing.sent.text).find(quote)
    assert span is not None
    back = outgoing.sent.original(span)
    assert resume[back.start : back.end] == "Писала на Python с Петром Волковым пять лет"
    # A quote that begins or ends with what was taken out has all of it.
    span = FoldedText(outgoing.sent.text).find("[NAME], тел. [PHONE]")
    assert span is not None
    back = outgoing.sent.original(span)
    assert resume[back.start : back.end] == "Анна Орлова, тел. +7 916 123-45-67"


@given(st.text("аб 1", max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9))))
def test_every_span_that_was_kept_maps_back_to_itself(text, cuts):
    redacted = leave_out(
        text, [Found("name", at, min(len(text), at + n)) for at, n in cuts if at < len(text)]
    )
    for at, char in enumerate(redacted.text):
        inside = any(r.sent_start <= at < r.sent_end for r in redacted.redactions)
        if not inside:
            back = redacted.original(Span(at, at + 1))
            assert text[back.start : back.end] == char


def test_a_setting_turns_it_off_and_only_counts_are_logged():
    text = "Иван Тайный\nivan@secret.example\nPython"
    with structlog.testing.capture_logs() as lines:
        assert prepare(text, is_redacting=False).sent.text == text
        assert prepare(text, is_redacting=True).sent.counts == {"email": 1, "name": 1}
        prepare_requirements(text, is_redacting=True)
    assert [line["redacted"] for line in lines] == [{"email": 1, "name": 1}]
    assert "Тайный" not in repr(lines)
    assert "secret" not in repr(lines)


def test_a_process_that_judges_nothing_loads_no_dictionary():
    code = (
        "import django, sys; django.setup()\n"
        "import apps.ai.tasks, apps.ai.admin\n"
        "assert not {'pymorphy3', 'faker'} & set(sys.modules), 'loaded'"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "resume_platform.settings"},
    )


@pytest.mark.parametrize("kind", ["Название: Ромашка", "Работа: инженер", ""])
def test_plain_lines_stay_as_they_are(kind):
    assert sent(kind) == kind
