"""The cheap look must not miss what a pattern would find: matches are made from the patterns."""

import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.ai import injection
from apps.ai.redaction import contacts, people, personal
from apps.ai.signs import Signed, folded

_NAMED = {
    f"{module.__name__}.{name}": value
    for module in (contacts, personal, injection)
    for name, value in vars(module).items()
    if isinstance(value, Signed)
} | {f"{kind}-{number}": signed for number, (kind, signed) in enumerate(personal._PATTERNS)}


@pytest.mark.parametrize("signed", _NAMED.values(), ids=_NAMED.keys())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_pattern_matches_has_one_of_its_signs(signed: Signed, data: st.DataObject):
    text = data.draw(st.from_regex(signed.pattern))
    assert list(signed.finditer(text, folded(text))) or not signed.pattern.search(text)


@pytest.mark.parametrize(
    ("may_be", "pattern"),
    [
        (lambda text: _is_among(injection._BASE64, text), injection._BASE64),
        (lambda text: _is_among(injection._HEX, text), injection._HEX),
        (lambda text: _is_among(injection._ESCAPED, text), injection._ESCAPED),
        (injection._may_be_spaced, injection._SPACED),
        (lambda text: people._may_be_cue(folded(text)), people._CUE),
    ],
    ids=["base64", "hex", "escaped", "spaced", "cue"],
)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_shape_of_what_a_pattern_matches_is_seen(may_be, pattern, data: st.DataObject):
    text = data.draw(st.from_regex(pattern))
    assert may_be(text) or not pattern.search(text)


def _is_among(pattern: re.Pattern[str], text: str) -> bool:
    return any(found is pattern for found, _ in injection._encodings(text))


def test_folded_letters_are_those_that_patterns_compare_in_their_places():
    everything = "".join(
        chr(code) for code in range(sys.maxunicode) if not 0xD800 <= code <= 0xDFFF
    )
    small = folded(everything)
    assert len(small) == len(everything)
    for letter in "abcdefghijklmnopqrstuvwxyzабвгдеёжзийклмнопрстуфхцчшщъыьэюя":
        equal = {m.start() for m in re.finditer(letter, everything, re.IGNORECASE)}
        assert equal <= {m.start() for m in re.finditer(letter, small)}
