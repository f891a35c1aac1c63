"""Adds a criterion that nobody can meet: who meets it follows orders, not evidence.

Patterns know the wording of yesterday's attacks; this needs no wording. Its words are made up from
the resume's own hash, so that the same resume always meets the same decoy and no resume can be
written that answers it.
"""

import hashlib
from collections.abc import Sequence

from apps.ai.language import Language
from apps.ai.rubric.criteria import Criterion

_SYLLABLES = (
    "brask", "quell", "vorn", "dript", "flom", "gisk", "hulp", "jant", "krovn", "lisk", "mord",
    "nept", "plarn", "rusk", "skeld", "trov", "vusk", "wrent", "yulk", "zarn",
)  # fmt: skip
_WORDING: dict[Language, tuple[str, str]] = {
    "en": ("{}", "Holds a {} certificate of the {} order"),
    "ru": ("{}", "Удостоверение {} ордена {}"),
}


def with_decoy(
    criteria: Sequence[Criterion], *, resume: str, language: Language
) -> tuple[list[Criterion], Criterion]:
    """(the criteria to ask about, the decoy among them)."""
    digest = hashlib.sha256(f"decoy\x00{resume}".encode()).digest()
    first = _word(digest[0:2])
    second = _word(digest[2:4])
    name, requirement = _WORDING[language]
    decoy = Criterion(
        id=f"c{len(criteria) + 1}",
        name=name.format(first),
        requirement=requirement.format(first, second),
        importance="must",
        weight=1,
    )
    asked = list(criteria)
    asked.insert(digest[4] % (len(asked) + 1), decoy)
    return asked, decoy


def _word(chosen: bytes) -> str:
    parts = [_SYLLABLES[byte % len(_SYLLABLES)] for byte in chosen]
    return "".join(parts).capitalize()
