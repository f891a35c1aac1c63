"""The cheap look before a slow pattern: most patterns have a word that most texts lack."""

import re
from collections.abc import Iterator

# Letters that equal one of these where case is ignored, but not in lower case.
_ODD = {ord(odd): plain for odd, plain in zip("İıſᲀᲁᲂᲃᲄᲅᲆ", "iisвдосттъ", strict=True)}
_HAS_ODD = re.compile(f"[{''.join(map(chr, _ODD))}]")


def folded(text: str) -> str:
    """Small letters, as patterns that ignore case compare them; each at its place in the text."""
    if not text.isascii() and _HAS_ODD.search(text):
        text = text.translate(_ODD)
    return text.lower()


class Signed:
    """A pattern that is tried only where a sign of it stands in the text.

    A sign is a word in small letters, or a pattern of small letters that is quick because it begins
    with a letter, a class or a choice of letters: `re` then jumps to where one stands. Every match
    must have at least one of the signs.
    """

    def __init__(
        self, pattern: str, *words: str, sign: str = "", flags: re.RegexFlag = re.IGNORECASE
    ) -> None:
        self.pattern = re.compile(pattern, flags)
        self._words = words
        self._sign = re.compile(sign) if sign else None

    def finditer(self, text: str, small: str) -> Iterator[re.Match[str]]:
        """`small` is the folded text."""
        if not self.is_likely(small):
            return iter(())
        return self.pattern.finditer(text)

    def is_likely(self, small: str) -> bool:
        for word in self._words:
            if word in small:
                return True
        return self._sign is not None and self._sign.search(small) is not None
