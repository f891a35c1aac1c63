"""Instructions to the judge inside a resume: found by pattern, never evidence, shown to staff.

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

from apps.ai.signs import Signed, folded

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
_PATTERNS = files("apps.ai").joinpath("injection_patterns.txt").read_text("utf-8")
_WORDING = re.compile(
    "|".join(
        line
        for line in files("apps.ai")
        .joinpath("injection_patterns.txt")
        .read_text("utf-8")
        .split("\n")
        if line and not line.startswith("#")
    ),
    _I,
)
_TRIGGERS = (
    "instruct", "prompt", "rule", "rubric", "guideline", "criteri", "requirement", "above",
    "previous", "prior", "earlier", "everything", "told", "context", "polic", "direction", "met",
    "100", "10/10", "10 /", "maxim", "highest", "perfect", "full", "fulfil", "satisf", "suitable",
    "match", "passed", "excellent", "candidate", "applicant", "resume", "verdict", "score", "hire",
    "evidence", "quot", "proof", "system", " ai", "ai ", "ai:", "llm", "gpt", "assistant", "model",
    "evaluator", "reviewer", "judge", "grader", "parser", "ats", "you are now", "from now on",
    "developer mode", "admin", "jailbreak", "injection", "must", "should", "mention", "reveal",
    "инструкц", "указан", "правил", "промпт", "требован", "критер", "выше", "предыдущ", "все",
    "всё", "ранее", "внимани", "рубрик", "контекст", "выполнен", "подход", "максим", "балл",
    "соответств", "высш", "10 из", "10 из 10", "статус", "идеальн", "цитат", "кандидат", "оценк",
    "вердикт", "доказательств", "подтвержд", "обоснован", "ии", "нейросет", "модел", "ассистент",
    "бот", "судь", "оценщик", "проверяющ", "теперь ты", "момента", "систем", "режим", "конец",
    "служебн", "долж", "обязан", "следует", "необходимо", "недостат", "пробел", "сообщен",
    "anweisung", "instruc", "istruzion", "instruk", "vorherig", "anterior", "précédent",
    "precedent", "poprzedni", "попередн", "інструкц", "指", "说明", "要求", "التعليمات", "الأوامر",
    "지시",
)  # fmt: skip
_ROLE_MARK = Signed(
    r"(?:<\|?/?\s*(?:system|im_start|im_end|user|assistant|developer|instructions?|admin|endoftext|resume|criteria|requirements|judge|s|inst)[\w\s|=\"'-]*\|?>|\[/?(?:INST|SYSTEM|ADMIN|ASSISTANT)\]|<<\s*/?SYS\s*>>|"
    r"^\s*(?:#{1,6}|[-=*_]{2,})?\s*(?:system|assistant|developer|система|ассистент|system\s+message|system\s+prompt|instructions?\s+for\s+(?:the\s+)?(?:ai|model)|системное\s+сообщение)\s*(?:[-=*_#]{2,})?\s*[:>\]](?!\s*(?:linux|windows|analysis|administ)))",
    *("<", "[", "system", "assistant", "developer", "систем", "ассистент", "instruction"),
    flags=_I | re.MULTILINE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|/\*.*?(?:\*/|\Z)|\{#.*?#\}", re.DOTALL)
_JSON_ANSWER = re.compile(
    r"[{\[][^{}\n]{0,80}[\"'](?:assessments|criterion_id|status|score|verdict|quotes)[\"']\s*:.*",
    _I,
)

# What a pattern needs of a text, seen at the speed of bytes: so many characters of its classes on
# end. Characters beyond Latin 1 become question marks.
_BYTES = [chr(code) for code in range(256)]
_IS_BASE64 = bytes(
    ord("b") if (char.isascii() and char.isalnum()) or char in "+/_-" else ord(".")
    for char in _BYTES
)
_IS_HEX = bytes(ord("h") if char in "0123456789abcdefABCDEF" else ord(".") for char in _BYTES)
_NOT_HEX = "".join(char for char in _BYTES if char.isspace() or char in ",x\\?").encode("latin-1")
_IS_SPACED = bytes(
    ord("s") if char in " .-*|·" else ord("w") if char.isalnum() or char == "?" else ord(".")
    for char in _BYTES
)
_BASE64 = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=])")
_HEX = re.compile(r"(?<![\w])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,]?){16,}(?!\w)")
_ESCAPED = re.compile(r"(?:(?:\\u[0-9a-fA-F]{4}|&#x?[0-9a-fA-F]{2,6};|%[0-9a-fA-F]{2})\s?){8,}")
_SPACED = re.compile(r"(?:(?<=\s)|^)(?:\w[ .\-_*|·]){9,}\w\b", re.MULTILINE)

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


def find_flags(text: str) -> list[Flag]:
    """In the text's order; may overlap."""
    small = folded(text)
    flags = [*_wording(text), *_marked_up(text, small), *_encoded(text, small), *_unseen(text)]
    return sorted(flags, key=lambda flag: (flag.start, flag.end))


def _wording(text: str) -> Iterator[Flag]:
    for readable, offsets in _readings(text):
        for start, end in _suspicious_lines(readable):
            match = _WORDING.search(readable, start, end)
            if match is None:
                continue
            start, end = _line_of(readable, match.start(), match.end())
            if offsets:
                start, end = offsets[start], offsets[end - 1] + 1
            yield Flag(INSTRUCTION, start, end)


def _suspicious_lines(text: str) -> Iterator[tuple[int, int]]:
    """Lines with a word that every pattern needs one of: patterns are slow, most lines honest."""
    start = 0
    lowered = text.lower() if len(text.lower()) == len(text) else text
    triggers = [word for word in _TRIGGERS if word in lowered]
    while start < len(text):
        end = lowered.find("\n", start)
        end = len(text) if end < 0 else end
        line = lowered[start:end]
        if any(word in line for word in triggers):
            yield start, end
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


def _line_of(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence around an instruction; to the end of its line, where it goes on speaking."""
    line_start = text.rfind("\n", 0, start) + 1
    before = [m.end() for m in _SENTENCE_END.finditer(text, line_start, start)]
    line_end = text.find("\n", end)
    begin = before[-1] if before else line_start
    while begin < start and text[begin].isspace():
        begin += 1
    return begin, len(text) if line_end < 0 else line_end


def _marked_up(text: str, small: str) -> Iterator[Flag]:
    """A fake message goes on to the end of its paragraph."""
    for match in _ROLE_MARK.finditer(text, small):
        blank = re.compile(r"\n[ \t]*\n").search(text, match.end())
        yield Flag(FAKE_SYSTEM, match.start(), blank.start() if blank else len(text))
    for match in _COMMENT.finditer(text):
        if len(match.group()) > 12:
            yield Flag(INSTRUCTION, *match.span())
    for match in _JSON_ANSWER.finditer(text):
        yield Flag(FAKE_SYSTEM, *match.span())


def _encoded(text: str, small: str) -> Iterator[Flag]:
    for pattern, decode in _encodings(text):
        for match in pattern.finditer(text):
            decoded = decode(match.group())
            if decoded and _is_readable(decoded):
                yield Flag(ENCODED, *_line_of(text, *match.span()))
    for match in _SPACED.finditer(text) if _may_be_spaced(text) else ():
        if len(match.group()) > 40:
            yield Flag(ENCODED, *_line_of(text, *match.span()))
    # Letters that equal i and s where case is ignored, but not in lower case.
    is_odd = any(letter in text for letter in "İıſ")
    if is_odd or any(word in small for word in _TURNED_WORDS):
        for match in _STRONG_LATIN.finditer(codecs.encode(text, "rot13")):
            yield Flag(ENCODED, *_line_of(text, *match.span()))
    if is_odd or any(word in small for word in _MIRRORED_WORDS):
        for match in _STRONG.finditer(text[::-1]):
            yield Flag(ENCODED, *_line_of(text, len(text) - match.end(), len(text) - match.start()))


def _encodings(text: str) -> Iterator[tuple[re.Pattern[str], Callable[[str], str]]]:
    """Those that may be in the text."""
    seen = text.encode("latin-1", "replace")
    if b"b" * 24 in seen.translate(_IS_BASE64):
        yield _BASE64, _from_base64
    if b"h" * 32 in seen.translate(_IS_HEX, _NOT_HEX):
        yield _HEX, _from_hex
    if "\\u" in text or "&#" in text or "%" in text:
        yield _ESCAPED, _from_escapes


def _may_be_spaced(text: str) -> bool:
    # An underscore is both a letter and what stands between letters.
    shape = text.encode("latin-1", "replace").translate(_IS_SPACED)
    return "_" in text or b"ws" * 9 + b"w" in shape


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

# One of them stands in all that the two find.
_LATIN_ORDER_WORDS = ("ignore", "disregard", "forget", "criteria", "requirements", "instructions")
_ORDER_WORDS = (
    *_LATIN_ORDER_WORDS,
    *("игнорируй", "забудь", "отметь", "оцени", "критерии", "требования", "инструкции"),
)
_TURNED_WORDS = tuple(codecs.encode(word, "rot13") for word in _LATIN_ORDER_WORDS)
_MIRRORED_WORDS = tuple(word[::-1] for word in _ORDER_WORDS)


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


def _unseen(text: str) -> Iterator[Flag]:
    if text.isascii() or not _HIDDEN.search(text):
        return
    for match in _SMUGGLED.finditer(text):
        yield Flag(INVISIBLE, *match.span())
