"""Plain text: finds the encoding by its mark, by strict UTF-8, then by the frequency of letters."""

import codecs
import math

from apps.uploads.extraction.answers import answering
from apps.uploads.extraction.errors import CorruptFile, UnsupportedFormat
from apps.uploads.extraction.extracted import Extracted

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EIGHT_BIT = ("cp1251", "koi8-r", "cp866", "cp1252")
_SAMPLE_BYTES = 20_000

# Letters per thousand in Russian prose: National Corpus of the Russian Language.
_PER_THOUSAND = {
    "о": 109.7, "е": 84.5, "а": 80.1, "и": 73.5, "н": 67.0, "т": 62.6, "с": 54.7, "р": 47.3,
    "в": 45.4, "л": 44.0, "к": 34.9, "м": 32.1, "д": 29.8, "п": 28.1, "у": 26.2, "я": 20.1,
    "ы": 19.0, "ь": 17.4, "г": 17.0, "з": 16.5, "б": 15.9, "ч": 14.4, "й": 12.1, "х": 9.7,
    "ж": 9.4, "ш": 7.3, "ю": 6.4, "ц": 4.8, "щ": 3.6, "э": 3.2, "ф": 2.6, "ъ": 0.4, "ё": 0.4,
}  # fmt: skip
_RUSSIAN = {letter: math.log(share / 1000) for letter, share in _PER_THOUSAND.items()}
_TYPOGRAPHY = set("«»—–„“”’№…•·°§©®™€\u00a0")
_WESTERN = set("àâäåáãæçèéêëìíîïñòóôöõøùúûüýÿßœ")
_ODD = -11.0


def read(content: bytes) -> Extracted:
    return Extracted(_decoded(content))


def _decoded(content: bytes) -> str:
    """Raises CorruptFile when a mark lies, UnsupportedFormat for bytes that are no text."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content, encoding)
    if utf16 := _unmarked_utf16(content):
        return _decode(content, utf16)
    if _binary(content):
        raise UnsupportedFormat
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    readings = [
        content[:_SAMPLE_BYTES].decode(encoding, errors="replace") for encoding in _EIGHT_BIT
    ]
    likeliest = max(zip(map(plausibility, readings), _EIGHT_BIT, strict=True))[1]
    return content.decode(likeliest, errors="replace")


def plausibility(text: str) -> float:
    """How likely Russian (or, failing that, Western) letters stand where this text has them.

    A sum of logarithms over the characters beyond ASCII, on which alone the encodings differ.
    """
    total = 0.0
    before = " "
    for char in text:
        if char > "\x7f":
            total += _weight(before, char)
        elif before.lower() in _RUSSIAN and char.isalpha():
            total += _ODD  # one word in two alphabets
        before = char
    return total


def _weight(before: str, char: str) -> float:
    lower = char.lower()
    if lower in _RUSSIAN:
        within_word = before.isalpha()
        capital_within = char != lower and within_word and before == before.lower()
        two_alphabets = before.isascii() and within_word
        return _RUSSIAN[lower] + (_ODD if capital_within or two_alphabets else 0.0)
    if char in _TYPOGRAPHY:
        return -4.0
    if lower in _WESTERN:
        return -6.0
    return _ODD


def _unmarked_utf16(content: bytes) -> str | None:
    """UTF-16 without a mark has its zeros on one side of the byte pairs."""
    sample = content[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(content) % 2 or even + odd < len(sample) / 10:
        return None
    if odd > 10 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 10 * odd else None


def _binary(content: bytes) -> bool:
    sample = content[:_SAMPLE_BYTES]
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\v\x1a\x1b" for byte in sample)
    return controls > len(sample) / 50


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise CorruptFile from error


answer = answering(read)
