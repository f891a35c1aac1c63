"""Replaces parts of a text by placeholders, and maps offsets back to the text as it was given."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from apps.ai.evidence.quotes import Span
from apps.ai.redaction.contacts import find_contacts
from apps.ai.redaction.people import find_people
from apps.ai.redaction.personal import find_personal
from apps.ai.redaction.spans import Found, joined

# English in any text: a model reads them, and no vacancy demands one of these words in brackets.
PLACEHOLDERS = {
    "name": "[NAME]",
    "email": "[EMAIL]",
    "phone": "[PHONE]",
    "link": "[LINK]",
    "photo": "[PHOTO]",
    "birth_date": "[BIRTH DATE]",
    "age": "[AGE]",
    "gender": "[GENDER]",
    "family": "[FAMILY]",
    "instruction": "[REMOVED]",
    "invisible": "",
}


@dataclass(frozen=True)
class Redaction:
    """One replacement: `sent_start` is where its placeholder stands in the text that is sent."""

    found: Found
    sent_start: int
    sent_end: int


@dataclass(frozen=True)
class Redacted:
    """`text` may leave; `redactions` are in its order."""

    text: str
    redactions: tuple[Redaction, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind: all that may be logged."""
        return dict(sorted(Counter(r.found.kind for r in self.redactions).items()))

    def original(self, span: Span) -> Span:
        """Where a span of the sent text stood; a placeholder it touches stands for all it hides."""
        return Span(self._at(span.start, is_end=False), self._at(span.end, is_end=True))

    def _at(self, offset: int, *, is_end: bool) -> int:
        before = bisect_right(self.redactions, offset, key=lambda r: r.sent_start) - 1
        if is_end and before >= 0 and self.redactions[before].sent_start == offset:
            before -= 1  # an end is exclusive: it does not touch what begins there
        if before < 0:
            return offset
        last = self.redactions[before]
        if offset < last.sent_end or (is_end and offset == last.sent_end):
            return last.found.end if is_end else last.found.start
        return last.found.end + offset - last.sent_end


def redact(text: str, *, is_resume: bool = True) -> list[Found]:
    """Names, contact data, birth dates, age and gender hints, photos; in order, none overlapping.

    A resume opens with its owner's name; the first line of anything else is no name by itself.
    """
    found = [*find_contacts(text), *find_personal(text), *find_people(text, is_resume=is_resume)]
    return joined(found)


def leave_out(text: str, found: Sequence[Found]) -> Redacted:
    """The text with placeholders where something was found."""
    parts: list[str] = []
    redactions: list[Redaction] = []
    at = length = 0
    for item in joined(found):
        kept = text[at : item.start]
        placeholder = PLACEHOLDERS[item.kind]
        parts += [kept, placeholder]
        start = length + len(kept)
        length = start + len(placeholder)
        redactions.append(Redaction(item, start, length))
        at = item.end
    parts.append(text[at:])
    return Redacted("".join(parts), tuple(redactions))
