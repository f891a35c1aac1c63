"""Makes the white space of an extracted text plain, and drops what nobody can see."""

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")

# What carries a message past the eye: zero-width characters, direction overrides, tags and
# variation selectors. Soft hyphens and a mark at the beginning are typography.
_SMUGGLING = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u206f\U000e0000-\U000e01ef]|(?<=.)\ufeff", re.DOTALL
)


def count_invisible(text: str) -> int:
    return len(_SMUGGLING.findall(text))


def normalise(text: str) -> str:
    """Lines without spaces at their ends, single spaces, at most one blank line between two.

    Control and formatting characters (NUL, soft hyphens, zero-width spaces, direction marks) and
    halves of surrogate pairs go; the text is composed (NFC).
    """
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text))
    text = _SPACES.sub(" ", text)
    text = "".join(char for char in text if char == "\n" or _visible(char))
    text = "\n".join(line.strip(" ") for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def _visible(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn") and char < "\U000e0000"
