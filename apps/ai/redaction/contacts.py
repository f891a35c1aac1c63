"""Finds contact data: e-mail addresses, phone numbers, links, messengers, photos.

Every pattern takes time that grows linearly with the text: what may repeat is bounded or stands
behind a letter that it cannot match itself, and two optional repetitions are never adjacent.
"""

import re
from collections.abc import Iterator

from apps.ai.redaction.spans import Found

_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
_AT = r"\s?(?:@|＠|\(at\)|\[at\]|\{at\}|\(собака\)|\[собака\])\s?"
_DOMAIN = r"[\w-]{1,63}(?:(?:\.|\s?(?:\(dot\)|\[dot\]|\(точка\)|\[точка\])\s?)[\w-]{1,63}){1,8}"
_EMAIL = re.compile(rf"(?:mailto:)?(?<![\w.]){_LOCAL}{_AT}{_DOMAIN}", re.IGNORECASE)
_EMAIL_IN_WORDS = re.compile(
    r"\b[\w.-]{1,64}\s{1,9}(?:at|собака)\s{1,9}[\w-]{1,63}\s{1,9}(?:dot|точка)\s{1,9}"
    r"(?:com|ru|org|net|io|ру|ком)\b",
    re.IGNORECASE,
)

_URL = re.compile(
    r"\b(?:https?|ftp|tg|skype|callto|tel)\s?:\s?/{0,2}[^\s<>«»\"]{3,}|\bwww\.[^\s<>«»\"]+",
    re.IGNORECASE,
)
# A path makes it a link; without one a domain must end in what personal sites and profiles end in.
_TLD = (
    r"(?:com|ru|org|net|io|dev|me|info|pro|su|рф|by|kz|ua|uk|co|de|fr|it|es|pl|eu|us|ca|in|app|"
    r"tech|site|online|page|work|blog|ai|biz|name|xyz|link|bio|club|space|live|cv|work|in)"
)
_HOST = rf"(?:[a-zа-яё0-9][\w-]{{0,62}}\.){{1,8}}{_TLD}"
_BARE_LINK = re.compile(
    rf"(?<![\w@.])(?P<host>{_HOST})(?P<path>(?::\d{{1,5}})?/[^\s<>«»\",;)]*)?(?!\.{{0,9}}\w)",
    re.IGNORECASE,
)
_TECHNOLOGIES = frozenset({"asp.net", "ado.net", "vb.net", "ml.net", "socket.io", "draw.io"})
_HANDLE = re.compile(
    r"\b(?:telegram|телеграм+|тг|tg|skype|скайп|whats\s?app|ватсап|вотсап|viber|вайбер|discord|"
    r"instagram|инстаграм|facebook|linkedin|github|gitlab|twitter|вконтакте|vk|вк|icq|аська|"
    r"wechat|zoom|signal|slack|max)"
    r"(?:\s{0,9}(?:id|account|profile|handle|username|ник|аккаунт))?"
    r"\s{0,9}[:—–=]\s{0,9}(?P<handle>(?:live:)?@?[\w.+\-]{3,})",
    re.IGNORECASE,
)
_AT_HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z][\w.]{2,}")
_DATA_URI = re.compile(r"data:image/[a-z+.-]{1,40};base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_PICTURE = re.compile(
    r"(?:\b(?:фото(?:графия)?|photo|picture|portrait|портрет)\s{0,9}[:—–-]\s{0,9})?"
    r"(?<![\w/])[\w-]{1,80}\.(?:jpe?g|png|gif|webp|heic|bmp|tiff?)\b",
    re.IGNORECASE,
)

# Looks back at what stands before from its first character on: `re` finds that one quickly.
_DIGITS = re.compile(
    r"[+(\d](?<![\w.,/].)(?:(?<=[+(])\d|(?<=0)0\d|(?<=\d))"
    r"(?:[ \u00a0\u2009\u202f\t.()/\-‐‑‒–—−]{0,3}\d){5,14}(?![\w%])"
)
_PHONE_LABEL = re.compile(
    r"\b(?:тел(?:ефон\w*)?|моб(?:ильный|\.)?|сот(?:овый|\.)?|phone|mobile|cell|tel|call|звонит[еь]|"
    r"whats\s?app|ватсап|вотсап|viber|вайбер|telegram|телеграм+|fax|факс|ph|т|m|t|p)\.?"
    r"\s*(?:(?:№|no\.?|number|номер)\s*)?(?:[:.)—–-]\s*)?$",
    re.IGNORECASE,
)
_LABELLED_PHONE = re.compile(
    r"(?:\bтел(?:ефон\w*)?|\bмоб(?:ильный)?|\bphone|\bmobile|\bcell|\btel|\bфакс|\bfax)\b\.?"
    r"\s*(?:(?:№|no\.?)\s*)?(?:[:—–-]\s*)?(?P<number>[+(]?\d[\d\s().\-‐‑–—]{3,18}\d)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE_LIKE = re.compile(
    r"^(?:\d{1,2}[./-])?(?:\d{1,2}[./-])?(?:19|20)\d\d(?:\s*[-–—−/]+\s*|\s+|$)"
    r"(?:(?:\d{1,2}[./-])?(?:\d{1,2}[./-])?(?:19|20)\d\d)?$"
)
_AMOUNT = r"\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+"
_AMOUNTS = re.compile(rf"\(?{_AMOUNT}(?:\s*[-–—]\s*{_AMOUNT})?")
_LOCAL_NUMBER = re.compile(r"\(?\d{3}\)?[ -]\d{2}-\d{2}|\d{3}-\d{4}")
_EXTENSION = re.compile(r"[,\s]{0,20}(?:доб|ext|x|вн)\.?\s*\d{1,6}", re.IGNORECASE)


def find_contacts(text: str) -> Iterator[Found]:
    """May overlap: `spans.joined` puts it in order."""
    for pattern, kind in (
        (_DATA_URI, "photo"),
        (_PICTURE, "photo"),
        (_EMAIL, "email"),
        (_EMAIL_IN_WORDS, "email"),
    ):
        for match in pattern.finditer(text):
            yield Found(kind, *match.span())
    for match in _URL.finditer(text):
        yield _link(match, ".,;:!?)]»'")
    for match in _BARE_LINK.finditer(text):
        if match["path"] or match["host"].lower() not in _TECHNOLOGIES:
            yield _link(match, ".,;:!?)")
    for match in _AT_HANDLE.finditer(text):
        yield _link(match, ".")
    for match in _HANDLE.finditer(text):
        yield Found("link", *match.span("handle"))
    yield from _phones(text)


def _link(match: re.Match[str], closing: str) -> Found:
    """A link without the punctuation that closes its sentence."""
    return Found("link", match.start(), match.start() + len(match.group().rstrip(closing)))


def _phones(text: str) -> Iterator[Found]:
    for match in _LABELLED_PHONE.finditer(text):
        yield Found("phone", *match.span("number"))
    for match in _DIGITS.finditer(text):
        if _is_phone(match.group()) or _is_labelled(text, match.start()):
            extension = _EXTENSION.match(text, match.end())
            yield Found("phone", match.start(), extension.end() if extension else match.end())


def _is_labelled(text: str, start: int) -> bool:
    line = text[max(0, start - 40) : start].rpartition("\n")[2]
    return _PHONE_LABEL.search(line) is not None


def _is_phone(written: str) -> bool:
    """Recall before precision: a long number that is no phone is no loss to a judgement."""
    digits = "".join(char for char in written if char.isdigit())
    if _DATE_LIKE.match(written.strip("( ")) or len(_YEAR.findall(written)) >= 2:
        return False
    if _AMOUNTS.fullmatch(written) and not written.startswith(("+", "8 ")):
        return False
    if written.startswith(("+", "00")) or len(digits) >= 10:
        return len(digits) >= 7
    return bool(_LOCAL_NUMBER.fullmatch(written.strip()))
