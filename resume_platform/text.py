"""The one form that users' texts have behind every entrance: JSON, files, Kafka."""

import re
import unicodedata
from typing import NewType

Text = NewType("Text", str)
"""What `canonical` returned, also when it comes back from a column."""

# A text may be so many times longer before its white space and invisible characters are dropped.
SLACK = 4
# Of the Stream-Safe Text Format (UAX #15); NFC is quadratic in the length of a run.
MAX_MARKS = 30

_LINE_ENDS = frozenset("\n\r\v\f\x85\u2028\u2029")
_SPACES = re.compile(" {2,}")
_BLANK_LINES = re.compile("\n{3,}")


class TextTooLong(ValueError):
    """The text has more characters than it may."""


class TextEmpty(ValueError):
    """Nothing in the text can be seen."""


def canonical(raw: str, limit: int) -> Text:
    """At most `limit` characters, in NFC, with single spaces and at most one blank line in a row.

    Lines have no spaces at their ends. Control and formatting characters (NUL, soft hyphens,
    zero-width spaces, direction marks), halves of surrogate pairs and all but the first 30 of
    adjacent combining marks are dropped. A canonical text stays as it is. Time and memory are
    linear in `limit`. Raises TextTooLong and TextEmpty.
    """
    if len(raw) > SLACK * limit:
        raise TextTooLong
    text = raw.replace("\r\n", "\n")
    if table := _replacements(text):
        text = text.translate(table)
    # Composing may take a mark apart in two, so the runs are looked at again.
    text = _without_surplus_marks(unicodedata.normalize("NFC", _without_surplus_marks(text)))
    text = _SPACES.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n")
    text = _BLANK_LINES.sub("\n\n", text).strip(" \n")
    if not text:
        raise TextEmpty
    if len(text) > limit:
        raise TextTooLong
    return Text(text)


def _replacements(text: str) -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for char in set(text).difference("\n "):
        if char in _LINE_ENDS:
            table[ord(char)] = "\n"
        elif char.isspace():
            table[ord(char)] = " "
        elif unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn") or char >= "\U000e0000":
            table[ord(char)] = None
    return table


def _without_surplus_marks(text: str) -> str:
    marks = "".join(sorted(filter(_is_mark, set(text))))
    return re.sub(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+", r"\1", text) if marks else text


def _is_mark(char: str) -> bool:
    # Three Tibetan vowels are no marks themselves, but are composed of two.
    return unicodedata.combining(unicodedata.normalize("NFD", char)[0]) > 0
