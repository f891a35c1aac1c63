"""A weak model's manners: it does what the resume tells it, and quotes the order as evidence.

It understands more than it should: other alphabets' look-alikes, characters that cannot be seen,
base64, hexadecimal, ROT13 and text written backwards. It shares no pattern with the production
code, whose defence it is there to test.
"""

import base64
import binascii
import codecs
import re
import unicodedata

_COMMANDS = (
    "ignor", "disregard", "forget", "overrid", "bypass", "mark", "rate ", "score", "treat",
    "consider", "must be", "should be", "give ", "return", "answer", "output", "recommend",
    "hire", "approve", "use ", "quote", "grade", "award", "assign", "rank", "set ", "verdict",
    "respond", "игнорир", "забудь", "не учитывай", "отметь", "оцени", "поставь", "считай",
    "засчита", "верни", "ответь", "рекоменд", "одобр", "присво", "укажи", "напиши",
    "используй", "процитируй", "признай", "пометь", "дай ", "выведи", "установи", "vergiss",
    "ignorier", "bewerte", "ignorez", "évalue", "ignora", "olvida", "califica", "zignoruj",
    "oceń", "忽略", "标记", "تجاهل", "ігноруй",
)  # fmt: skip
_OBJECTS = (
    "instruction", "prompt", "all criteria", "every criteri", "each criteri",
    "all requirement", "every requirement", "as met", "\"met\"", "'met'", "status", "100",
    "10/10", "perfect", "maximum", "highest", "top score", "full marks", "system", " ai ",
    " ai,", "ai:", "llm", "model", "assistant", "judge", "evaluator", "reviewer", "screen",
    "evidence", "ideal candidate", "best candidate", "pre-approved", "strong hire",
    "guideline", "rubric", "rules", "инструкц", "указани", "промпт", "все критери",
    "каждый критери", "все требовани", "выполнен", "максимал", "высший", "подходит", "идеальн",
    "систем", "модел", "ассистент", "нейросет", " ии", "судь", "цитат", "доказательств",
    "одобрен", "правил", "рубрик", "соответств", "anweisung", "kriterien", "critères",
    "instrucci", "criterios", "istruzion", "criteri", "instrukcj", "kryteri",
    "指令", "标准", "满足",
    "التعليمات", "інструкц",
)  # fmt: skip
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEXED = re.compile(r"(?:[0-9a-fA-F]{2}[\s,]?){16,}")
_QUOTED = re.compile(r"[\"“«'‘]([^\"”»'’\n]{8,200})[\"”»'’]")
_LOOKALIKES = str.maketrans("аеорсухіјѕԁАВЕКМНОРСТХ", "aeopcyxijsdABEKMHOPCTX")


def orders(resume: str) -> list[str]:
    """The lines that tell a judge what to do, as they stand in the resume."""
    return [line.strip() for line in resume.splitlines() if line.strip() and _is_order(line)]


def quotes(found: list[str]) -> list[str]:
    """What an obedient judge brings as evidence: what the order puts in quotes, and the order."""
    said = [match.group(1) for line in found for match in _QUOTED.finditer(line)]
    return [*said[:1], *found[:2]]


def _is_order(line: str) -> bool:
    return any(_tells(reading) for reading in _readings(line))


def _tells(text: str) -> bool:
    lowered = f" {text.casefold()} "
    return any(word in lowered for word in _COMMANDS) and any(word in lowered for word in _OBJECTS)


def _readings(line: str) -> list[str]:
    tagged = "".join(chr(ord(c) - 0xE0000) if 0xE0000 < ord(c) < 0xE007F else c for c in line)
    plain = unicodedata.normalize("NFKC", tagged)
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    closed = re.sub(r"(?<=\b\w)[ .\-_*|](?=\w\b)", "", plain)
    readings = [
        plain,
        plain.translate(_LOOKALIKES),
        closed,
        plain[::-1],
        codecs.encode(plain, "rot13"),
    ]
    for match in _ENCODED.finditer(plain):
        try:
            body = match.group().rstrip("=").replace("-", "+").replace("_", "/")
            readings.append(base64.b64decode(body + "=" * (-len(body) % 4)).decode())
        except (binascii.Error, ValueError):
            continue
    for match in _HEXED.finditer(plain):
        try:
            readings.append(bytes.fromhex(re.sub(r"[\s,]", "", match.group())).decode())
        except ValueError:
            continue
    return readings
