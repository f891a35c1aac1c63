"""Nobody's text makes a process slow: each pattern and the AI's text work take linear time."""

import re
from functools import partial
from typing import Any

import pytest

from apps.ai import content_hash, language
from apps.ai.injection.flags import find_flags
from apps.ai.redaction import redact
from apps.ai.redaction.lexicon import warm_up
from apps.ai.redaction.outgoing import prepare, prepare_requirements
from resume_platform.text import canonical
from tests.unit.linear_time.growth import (
    MAX_GROWTH,
    RUNS,
    alternatives,
    growth,
    repeated,
    seconds,
    texts_against,
)
from tests.unit.linear_time.patterns import find_patterns

RESUME, REQUIREMENTS = 15_000, 5_000
# Where each was quadratic or cubic once, or nearly: how a text begins, and what it repeats.
ADVERSARIAL = [("", run) for run in RUNS] + [
    ("[x", "\n"), ("тел", " "), ("married", " "), ("single", "\n"), ("<system", " "), ("born", " "),
    ("score", " "), ("", "системн"), ("", "ignore "), ("", "Иван "), ("", "data:image/"),
]  # fmt: skip


def find_all(pattern: re.Pattern[Any], head: str, part: str, size: int) -> None:
    text = repeated(head, part, size)
    for _ in pattern.finditer(text.encode() if isinstance(pattern.pattern, bytes) else text):
        pass


@pytest.mark.slow
def test_every_pattern_of_the_packages_takes_linear_time():
    slow = []
    for whole, module in find_patterns().items():
        for pattern in alternatives(whole):
            for head, part in texts_against(pattern):
                if growth(partial(find_all, pattern, head, part)) >= MAX_GROWTH:
                    slow.append((module, str(pattern.pattern)[:60], head, part))
                    break
    assert not slow


FUNCTIONS = {
    "flags": find_flags,
    "redaction": redact,
    "language": language.detect,
    "hash": content_hash.text_hash,
    "canonical": lambda text: canonical(f"x{text}", 2 * RESUME),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_a_text_twice_as_long_takes_twice_as_long(function):
    warm_up()
    for head, part in ADVERSARIAL:
        work = lambda size, head=head, part=part: function(repeated(head, part, size))  # noqa: E731
        assert growth(work, (256, 2_048, 8_192)) < MAX_GROWTH, (head, part)


@pytest.mark.slow
def test_no_text_costs_the_ai_a_second(capsys):
    """60 texts, as a resume and as requirements of the longest sizes."""
    warm_up()

    def work(size: int) -> None:
        prepare(text, is_redacting=True)
        prepare_requirements(text[:REQUIREMENTS], is_redacting=True)

    table = {}
    for head, part in ADVERSARIAL[:60]:
        text = repeated(head, part, RESUME)
        table[head, part[:20]] = min(seconds(work, 0) for _ in range(2))
    with capsys.disabled():
        for (head, part), cost in sorted(table.items(), key=lambda row: -row[1]):
            print(f"{1000 * cost:8.1f} ms  {head + part!r}")  # noqa: T201
    assert len(table) >= 60
    assert max(table.values()) < 1
