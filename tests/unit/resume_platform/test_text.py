"""One canonical text: the same for every spelling, idempotent, in linear time."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resume_platform.text import MAX_MARKS, SLACK, TextEmpty, TextTooLong, canonical

ODD = (
    "aй \n\r\t\v\f\x00\x07\x1c\x85\u00a0\u00ad\u0301\u0306\u0315\u0327\u0344\u0f71\u0f72\u0f73"
    "\u0f81\u034f\u09be\u09c7\u0958\u1100\u1161\u11a8\u180e\u2000\u200b\u200d\u2028\u202e\ufb2c\ufe0f\ufeff"
    "\ud800\U0001d160\U000e0041\U0001f600"
)
TEXTS = st.text(st.sampled_from(ODD) | st.characters(), max_size=200) | st.builds(
    "".join, st.lists(st.builds(lambda c, n: c * n, st.sampled_from(ODD), st.integers(1, 80)))
)


@given(TEXTS)
@example("a" + "\u0344" * 31)
@example("a" + "\u0f73" * 31 + "\u0301")
@example("\r\u200b\n \u0301 \u200b b")
def test_a_canonical_text_is_composed_bounded_and_stays_as_it_is(raw: str) -> None:
    try:
        text = canonical(raw, 20_000)
    except TextEmpty:
        return
    assert canonical(text, len(text)) == text
    assert unicodedata.is_normalized("NFC", text)
    assert text.encode()
    assert not {"  ", " \n", "\n ", "\n\n\n", "\x00", "\u200b"} & {text[i : i + n]
        for n in (1, 2, 3) for i in range(len(text))}  # fmt: skip
    run = longest = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        longest = max(longest, run)
    assert longest <= MAX_MARKS


@pytest.mark.parametrize(
    ("raw", "right"),
    [
        ("  Иванов\n\tPython 😀 ", "Иванов\nPython 😀"),
        ("и\u0306 e\u0301", "й é"),
        ("a\u00a0\u2003b\r\n\r\n\r\n\r\nc", "a b\n\nc"),
        ("pass\u00adword\u200b a\x00b \ufeff", "password ab"),
        ("z" + "\u0301" * 40 + "!", "ź" + "\u0301" * 29 + "!"),
        ("a \u200b b", "a b"),
    ],
)
def test_spellings_of_one_text_become_one(raw: str, right: str) -> None:
    assert canonical(raw, 50) == right


@pytest.mark.parametrize("raw", ["", " \n\t", "\u200b", "\x00", "\ud800", "\ufeff\u00ad\U000e0041"])
def test_a_text_that_shows_nothing_is_refused(raw: str) -> None:
    with pytest.raises(TextEmpty):
        canonical(raw, 10)


def test_a_text_is_too_long_by_what_it_shows_and_hopeless_ones_are_not_looked_at() -> None:
    assert canonical("a" + " " * 30 + "b", 10) == "a b"
    for raw in ("x" * 11, "\u0958" * 6, "a" + " " * (10 * SLACK)):  # U+0958 is two in NFC
        with pytest.raises(TextTooLong):
            canonical(raw, 10)
    started = time.process_time()
    with pytest.raises(TextTooLong):
        canonical("\u0301" * 5_000_000, 15_000)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "part",
    ["\u0301", "\u0315\u0301", "\u0344", "\u0f73", "a\u0301", " ", "\n", " \n", "\u00a0\t",
     "\u200b", "a\u200b", "\u1100\u1161", "\U0001d160", "ы "],
    ids=ascii,
)  # fmt: skip
def test_a_text_twice_as_long_takes_twice_as_long(part: str) -> None:
    def seconds(chars: int) -> float:
        raw = "a" + part * (chars // len(part))

        def once() -> float:
            started = time.process_time()
            canonical(raw, 3 * len(raw) + 100)
            return time.process_time() - started

        return min(once() for _ in range(3))

    # A floor for what is too fast to be compared.
    assert seconds(400_000) <= 2.5 * max(seconds(200_000), 0.03)
