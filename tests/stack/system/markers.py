"""Words that occur nowhere by chance, and the search for them in whatever a system says."""

import base64
import random
import re
import string
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")


@dataclass
class Markers:
    """`markers["resume"]` is always the same word of its own; `also` are secrets made by others."""

    words: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.words.setdefault(
            name, "mrk" + "".join(random.choices(string.ascii_lowercase, k=28))
        )

    def also(self, name: str, secret: str) -> None:
        assert len(secret) >= 8, f"{name} is too short to be searched for"
        self.words[name] = secret

    def found_in(self, said: str) -> dict[str, str]:
        """Those that occur, in plain or encoded: where, by name."""
        readable = readings(said)
        places = {name: readable.find(word) for name, word in self.words.items()}
        return {name: readable[max(0, at - 80) : at] for name, at in places.items() if at >= 0}


def readings(said: str) -> str:
    """The text with what it holds as percent-encoding or base64 (Celery's bodies, headers)."""
    said += "\n" + urllib.parse.unquote(said)
    return "\n".join([said, *_decoded(_BASE64.findall(said))])


def _decoded(candidates: Iterable[str]) -> Iterable[str]:
    for candidate in set(candidates):
        # A token's part may begin anywhere in what looks like one word.
        padded = candidate.rstrip("=").translate(str.maketrans("-_", "+/"))
        for start in range(4):
            piece = padded[start:]
            piece += "=" * (-len(piece) % 4)
            try:
                yield base64.b64decode(piece).decode("utf-8", "replace")
            except ValueError:
                continue
