"""Nobody's text makes the search for personal data and instructions slow: time grows linearly."""

import re
import time
from collections.abc import Callable

import pytest

from apps.ai.injection import flags
from apps.ai.injection.flags import find_flags
from apps.ai.redaction import contacts, people, personal, redact
from apps.ai.redaction.outgoing import prepare_requirements

# How a text begins, and what it repeats up to its length.
TEXTS = [
    ("[x", "\n"), ("тел", " "), ("", "1"), ("", "1 "), ("", "."), ("", " "), ("", "a-"),
    ("married", " "), ("single", "\n"), ("{#", "{#"), ("", "%41%41%41%20" * 4 + "x "),
    ("", "a b\tc\n\u00a0. 1-тел: @"),
]  # fmt: skip
MORE = [
    ("[x", "\n "), ("<system", " "), ("# ", " \n"), ("[x", "[x"), ("тел. ", "1 "), ("", "_ "),
    ("telegram", " "), ("a", ".a"), ("a", " a"), ("", "1."), ("", "-"), ("", "!"), ("", "@"),
    ("", "a@"), ("", "a.com-"), ("", "A-A"), ("Aa", "-AA"), ("born", " "), ("возраст", " "),
    ("", "12 "), ("", "т  "), ("", "m" + " " * 39 + "1234567 "), ("", "%41"), ("", "ab,"),
    ("", "ignore "), ("", "mark all "), ("", "system:\n"), ("", "system: "), ("", "Иван "),
    ("", "<!--"), ("", "\u200b"), ("", "data:image/"), ("", "1 янв "), ("", "mother of "),
    ("", "rnsr nyy pevgrevn vtaber nyy "), ("", "lla erongi "), ("", "aaa" * 40 + " "),
]  # fmt: skip
FLOOR = 0.01  # seconds; below it the clock says little
PATTERNS = {
    f"{module.__name__}.{name}": value
    for module in (contacts, personal, people, flags)
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern)
} | {f"personal.{number}": pattern for number, (_, pattern) in enumerate(personal._PATTERNS)}


def text_of(head: str, part: str, chars: int) -> str:
    return (head + part * chars)[:chars]


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def assert_linear(work: Callable[[int], object], chars: int) -> None:
    """A text twice as long takes less than three times as long, and `chars` less than a second."""
    once, doubled = seconds(lambda: work(chars)), seconds(lambda: work(2 * chars))
    assert once < 1
    if doubled >= 3 * max(once, FLOOR):  # measured anew, because the machine may be busy
        once = min(seconds(lambda: work(chars)) for _ in range(3))
        doubled = min(seconds(lambda: work(2 * chars)) for _ in range(3))
    assert doubled < 3 * max(once, FLOOR)


@pytest.mark.parametrize(("head", "part"), TEXTS)
def test_a_text_twice_as_long_takes_twice_as_long(head, part):
    def search(chars: int) -> None:
        text = text_of(head, part, chars)
        find_flags(text)
        redact(text)
        prepare_requirements(text, is_redacting=True)

    assert_linear(search, 15_000)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
def test_every_pattern_takes_time_that_grows_linearly(pattern):
    for head, part in TEXTS + MORE:

        def search(chars: int, head: str = head, part: str = part) -> int:
            return sum(1 for _ in pattern.finditer(text_of(head, part, chars)))

        assert_linear(search, 2_500)
