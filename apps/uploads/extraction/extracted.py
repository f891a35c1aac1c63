"""What comes out of a file: its visible text, and how much in it nobody was meant to see."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# The kinds of hidden text.
WHITE = "white_text"
TINY = "tiny_text"
OFF_PAGE = "off_page_text"
INVISIBLE = "invisible_text"
COVERED = "covered_text"
CHARACTERS = "invisible_characters"
UNCHECKED = "hidden_text_unchecked"


@dataclass(frozen=True)
class Extracted:
    """What a reader found. `hidden`: how many characters of each kind were left out of `text`."""

    text: str
    hidden: Mapping[str, int] = field(default_factory=dict)
