"""Finds instructions to the judge inside a resume by patterns; they are never evidence.

Three nets: wording that speaks to the judge (Russian and English, also encoded, spaced out, in
look-alike letters or in characters that cannot be seen), text marked up as a message of the
system, and characters that hide text. What slips through all of them meets the decoy criterion
(`decoy.py`).
"""

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import unquote

INSTRUCTION = "instruction"
FAKE_SYSTEM = "fake_system_message"
ENCODED = "encoded_instruction"
INVISIBLE = "invisible_characters"


@dataclass(frozen=True)
class Flag:
    """text[start:end] is no evidence."""

    kind: str
    start: int
    end: int


_I = re.IGNORECASE
# Each pattern takes time that grows linearly with the text: see `redaction/contacts.py`.
_WORDING = re.compile(
    "|".join(
        line
        for line in files("apps.ai.injection")
        .joinpath("patterns.txt")
        .read_text("utf-8")
        .split("\n")
        if line and not line.startswith("#")
    ),
    _I,
)
_GAP = r"[^\S\n]{0,20}"  # white space within a line
_ROLE_MARK = re.compile(
    r"<\|?/?\s{0,9}(?:system|im_start|im_end|user|assistant|developer|instructions?|admin|endoftext|"
    r"resume|criteria|requirements|judge|s|inst)[\w\s|=\"'-]{0,200}\|?>|"
    r"\[/?(?:INST|SYSTEM|ADMIN|ASSISTANT)\]|<<\s{0,9}/?SYS\s{0,9}>>|"
    rf"^{_GAP}(?:(?:#{{1,6}}|[-=*_]{{2,40}}){_GAP})?"
    r"(?:system|assistant|developer|система|ассистент|system\s{1,9}message|system\s{1,9}prompt|"
    r"instructions?\s{1,9}for\s{1,9}(?:the\s{1,9})?(?:ai|model)|системное\s{1,9}сообщение)"
    rf"{_GAP}(?:[-=*_#]{{2,40}}{_GAP})?[:>\]](?!{_GAP}(?:linux|windows|analysis|administ))",
    _I | re.MULTILINE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|/\*.*?(?:\*/|\Z)|\{#.{0,300}?#\}", re.DOTALL)
_JSON_ANSWER = re.compile(
    r"[{\[][^{}\n]{0,80}[\"'](?:assessments|criterion_id|status|score|verdict|quotes)[\"']\s*:.*",
    _I,
)

_BASE64 = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=])")
_HEX = re.compile(r"(?<![\w])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,]?){16,}(?!\w)")
_ESCAPED = re.compile(r"(?:(?:\\u[0-9a-fA-F]{4}|&#x?[0-9a-fA-F]{2,6};|%[0-9a-fA-F]{2})\s?){8,}")
_SPACED = re.compile(r"(?:(?<=\s)|^)(?:\w[ .\-_*|·]){9,400}\w\b", re.MULTILINE)

# Joiners have honest uses between letters of other scripts and in emoji: single ones are no flag.
_HIDDEN = re.compile(
    r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\u00ad\u180e\ufeff\U000e0000-\U000e007f"
    r"\ufe00-\ufe0d\U000e0100-\U000e01ef]"
)
_SMUGGLED = re.compile(
    r"[\U000e0000-\U000e007f]+|[\u200b-\u200d\u2060-\u2064\ufeff]{4,}"
    r"|[\u202a-\u202e\u2066-\u2069]|[\U000e0100-\U000e01ef]{2,}"
)
_LOOKALIKES = str.maketrans("АВЕКМНОРСТХУаеорсухікіјѕԁɡո", "ABEKMHOPCTXYaeopcyxikijsdgn")
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)")
_BLANK_LINE = re.compile(r"\n[ \t]{0,200}\n")


def find_flags(text: str) -> list[Flag]:
    """In the text's order; may overlap."""
    flags = [*_wording(text), *_marked_up(text), *_encoded(text), *_unseen(text)]
    return sorted(flags, key=lambda flag: (flag.start, flag.end))


def _wording(text: str) -> Iterator[Flag]:
    for readable, offsets in _readings(text):
        start = 0
        while start < len(readable):
            end = _line_end(readable, start)
            if match := _WORDING.search(readable, start, end):
                flag = _sentence_of(INSTRUCTION, readable, match.start(), match.end())
                if offsets:
                    flag = Flag(flag.kind, offsets[flag.start], offsets[flag.end - 1] + 1)
                yield flag
            start = end + 1


def _readings(text: str) -> Iterator[tuple[str, list[int] | None]]:
    """The text as it is, and with its tricks undone where it has any; offsets where they differ."""
    yield text, None
    if text.isascii():
        return
    if not unicodedata.is_normalized("NFKC", text):
        yield "".join(_one(unicodedata.normalize("NFKC", char)) for char in text), None
    if not _HIDDEN.search(text) and not _mixes_scripts(text):
        return
    kept = [(char, at) for at, char in enumerate(text) if not _HIDDEN.match(char)]
    plain, offsets = "".join(char for char, _ in kept), [at for _, at in kept]
    if plain != text:
        yield plain, offsets
    latin = plain.translate(_LOOKALIKES)
    if latin != plain:
        yield latin, offsets


def _one(chars: str) -> str:
    return chars if len(chars) == 1 else "?"


_MIXED = re.compile(
    r"[a-z][а-яёіјѕԁ][a-z]|\b[а-яёіјѕ][a-z]{2,}|\b[a-z]{1,30}[аеорсухі][a-z]{0,30}\b", _I
)


def _mixes_scripts(text: str) -> bool:
    return _MIXED.search(text) is not None


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _sentence_of(kind: str, text: str, start: int, end: int) -> Flag:
    """The sentence around an instruction; to the end of its line, where it goes on speaking."""
    line_start = text.rfind("\n", 0, start) + 1
    before = [m.end() for m in _SENTENCE_END.finditer(text, line_start, start)]
    begin = before[-1] if before else line_start
    while begin < start and text[begin].isspace():
        begin += 1
    return Flag(kind, begin, _line_end(text, end))


def _marked_up(text: str) -> Iterator[Flag]:
    """A fake message goes on to the end of its paragraph."""
    end = 0
    for match in _ROLE_MARK.finditer(text):
        if match.start() >= end:
            blank = _BLANK_LINE.search(text, match.end())
            end = blank.start() if blank else len(text)
            yield Flag(FAKE_SYSTEM, match.start(), end)
    for match in _COMMENT.finditer(text):
        if len(match.group()) > 12:
            yield Flag(INSTRUCTION, *match.span())
    for match in _JSON_ANSWER.finditer(text):
        yield Flag(FAKE_SYSTEM, *match.span())


def _encoded(text: str) -> Iterator[Flag]:
    """One flag for each line that holds something encoded, for each way to encode it."""
    for found in (_decoded(text), _spaced_out(text), _turned(text), _mirrored(text)):
        end = 0
        for start, stop in found:
            if start >= end:
                flag = _sentence_of(ENCODED, text, start, stop)
                end = flag.end
                yield flag


def _decoded(text: str) -> Iterator[tuple[int, int]]:
    for pattern, decode in _ENCODINGS:
        for match in pattern.finditer(text):
            if _is_readable(decode(match.group())):
                yield match.span()


def _spaced_out(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _SPACED.finditer(text) if len(match.group()) > 40)


def _turned(text: str) -> Iterator[tuple[int, int]]:
    """By 13 letters of the alphabet."""
    return (match.span() for match in _STRONG_LATIN.finditer(codecs.encode(text, "rot13")))


def _mirrored(text: str) -> Iterator[tuple[int, int]]:
    spans = [match.span() for match in _STRONG.finditer(text[::-1])]
    return ((len(text) - end, len(text) - start) for start, end in reversed(spans))


_LATIN_ORDER = (
    r"\b(?:ignore|disregard|forget)\s+(?:all|the|any|previous|every)"
    r"|\ball\s+(?:criteria|requirements)\b|previous\s+instructions"
)
_STRONG_LATIN = re.compile(_LATIN_ORDER, _I)
_STRONG = re.compile(
    _LATIN_ORDER
    + r"|\b(?:игнорируй|забудь|отметь|оцени)\s|все\s+(?:критерии|требования|инструкции)",
    _I,
)


def _is_readable(decoded: str) -> bool:
    """Words, not noise: a hash or a key decodes to nothing one could read."""
    letters = sum(char.isalpha() or char.isspace() for char in decoded)
    return len(decoded) >= 12 and letters >= 0.8 * len(decoded) and decoded.count(" ") >= 2


def _from_base64(written: str) -> str:
    body = written.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def _from_hex(written: str) -> str:
    try:
        return bytes.fromhex(re.sub(r"0x|\\x|[\s,]", "", written)).decode()
    except ValueError:
        return ""


def _from_escapes(written: str) -> str:
    try:
        plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), written)
        plain = re.sub(r"&#x([0-9a-fA-F]+);", lambda m: chr(int(m[1], 16)), plain)
        plain = re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), plain)
        return unquote(plain, errors="strict")
    except ValueError:
        return ""


_ENCODINGS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_BASE64, _from_base64),
    (_HEX, _from_hex),
    (_ESCAPED, _from_escapes),
)


def _unseen(text: str) -> Iterator[Flag]:
    for match in _SMUGGLED.finditer(text):
        yield Flag(INVISIBLE, *match.span())
