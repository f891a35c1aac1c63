"""Contact data: e-mail addresses, phone numbers, links, messengers, photos."""

import re
from collections.abc import Iterator

from apps.ai.redaction.spans import Found
from apps.ai.signs import Signed

_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
_AT = r"\s?(?:@|＠|\(at\)|\[at\]|\{at\}|\(собака\)|\[собака\])\s?"
_DOMAIN = r"[\w-]{1,63}(?:(?:\.|\s?(?:\(dot\)|\[dot\]|\(точка\)|\[точка\])\s?)[\w-]{1,63}){1,8}"
_EMAIL = Signed(
    rf"(?:mailto:)?(?<![\w.]){_LOCAL}{_AT}{_DOMAIN}",
    *("@", "＠", "at)", "at]", "at}", "собака)", "собака]"),
)
_EMAIL_IN_WORDS = Signed(
    r"\b[\w.-]+\s+(?:at|собака)\s+[\w-]+\s+(?:dot|точка)\s+(?:com|ru|org|net|io|ру|ком)\b",
    *("dot", "точка"),
)

_URL = Signed(
    r"\b(?:https?|ftp|tg|skype|callto|tel)\s?:\s?/{0,2}[^\s<>«»\"]{3,}|\bwww\.[^\s<>«»\"]+",
    *("http", "ftp", "tg", "skype", "callto", "tel", "www."),
)
# A path makes it a link; without one a domain must end in what personal sites and profiles end in.
_TLD = (
    r"(?:com|ru|org|net|io|dev|me|info|pro|su|рф|by|kz|ua|uk|co|de|fr|it|es|pl|eu|us|ca|in|app|"
    r"tech|site|online|page|work|blog|ai|biz|name|xyz|link|bio|club|space|live|cv|work|in)"
)
_HOST = rf"(?:[a-zа-яё0-9][\w-]{{0,62}}\.){{1,8}}{_TLD}"
_BARE_LINK = Signed(
    rf"(?<![\w@.])(?P<host>{_HOST})(?P<path>(?::\d+)?/[^\s<>«»\",;)]*)?(?![\w.]*\w)",
    sign=rf"\.{_TLD}",
)
_TECHNOLOGIES = frozenset({"asp.net", "ado.net", "vb.net", "ml.net", "socket.io", "draw.io"})
_HANDLE = Signed(
    r"\b(?:telegram|телеграм+|тг|tg|skype|скайп|whats\s?app|ватсап|вотсап|viber|вайбер|discord|"
    r"instagram|инстаграм|facebook|linkedin|github|gitlab|twitter|вконтакте|vk|вк|icq|аська|"
    r"wechat|zoom|signal|slack|max)"
    r"(?:\s*(?:id|account|profile|handle|username|ник|аккаунт))?"
    r"\s*[:—–=]\s*(?P<handle>(?:live:)?@?[\w.+\-]{3,})",
    *("telegra", "телегра", "тг", "tg", "skype", "скайп", "whats", "ватсап", "вотсап", "viber"),
    *("вайбер", "discord", "instagra", "инстагра", "facebook", "linkedin", "github", "gitlab"),
    *("twitter", "вконтакте", "vk", "вк", "icq", "аська", "wechat", "zoom", "signal", "slack"),
    "max",
)
_AT_HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z][\w.]{2,}")
_DATA_URI = Signed(r"data:image/[a-z+.-]+;base64,[A-Za-z0-9+/=\s]+", "data:")
_PICTURE = Signed(
    r"(?:\b(?:фото(?:графия)?|photo|picture|portrait|портрет)\s*[:—–-]\s*)?"
    r"(?<![\w/])[\w-]{1,80}\.(?:jpe?g|png|gif|webp|heic|bmp|tiff?)\b",
    *(".jp", ".png", ".gif", ".webp", ".heic", ".bmp", ".tif"),
)

# Looks back at what stands before from its first character on: `re` finds that one quickly.
_DIGITS = re.compile(
    r"[+(\d](?<![\w.,/].)(?:(?<=[+(])\d|(?<=0)0\d|(?<=\d))"
    r"(?:[ \u00a0\u2009\u202f\t.()/\-‐‑‒–—−]{0,3}\d){5,14}(?![\w%])"
)
_PHONE_LABEL = re.compile(
    r"\b(?:тел(?:ефон\w*)?|моб(?:ильный|\.)?|сот(?:овый|\.)?|phone|mobile|cell|tel|call|звонит[еь]|"
    r"whats\s?app|ватсап|вотсап|viber|вайбер|telegram|телеграм+|fax|факс|ph|т|m|t|p)\.?"
    r"\s*(?:№|no\.?|number|номер)?\s*[:.)—–-]?\s*$",
    re.IGNORECASE,
)
_LABELLED_PHONE = Signed(
    r"(?:\bтел(?:ефон\w*)?|\bмоб(?:ильный)?|\bphone|\bmobile|\bcell|\btel|\bфакс|\bfax)\b\.?"
    r"\s*(?:№|no\.?)?\s*[:—–-]?\s*"
    r"(?P<number>[+(]?\d[\d\s().\-‐‑–—]{3,18}\d)",
    *("тел", "моб", "phone", "mobile", "cell", "tel", "факс", "fax"),
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE_LIKE = re.compile(
    r"^(?:\d{1,2}[./-])?(?:\d{1,2}[./-])?(?:19|20)\d\d(?:\s*[-–—−/]+\s*|\s+|$)"
    r"(?:(?:\d{1,2}[./-])?(?:\d{1,2}[./-])?(?:19|20)\d\d)?$"
)
_AMOUNT = r"\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+"
_AMOUNTS = re.compile(rf"\(?{_AMOUNT}(?:\s*[-–—]\s*{_AMOUNT})?")
_LOCAL_NUMBER = re.compile(r"\(?\d{3}\)?[ -]\d{2}-\d{2}|\d{3}-\d{4}")
_EXTENSION = re.compile(r"[,\s]*(?:доб|ext|x|вн)\.?\s*\d{1,6}", re.IGNORECASE)


def find_contacts(text: str, small: str) -> Iterator[Found]:
    """`small` is the folded text. May overlap: `spans.joined` puts it in order."""
    for pattern, kind in ((_DATA_URI, "photo"), (_EMAIL, "email"), (_EMAIL_IN_WORDS, "email")):
        for match in pattern.finditer(text, small):
            yield Found(kind, *match.span())
    for match in _URL.finditer(text, small):
        trimmed = match.group().rstrip(".,;:!?)]»'")
        yield Found("link", match.start(), match.start() + len(trimmed))
    for match in _BARE_LINK.finditer(text, small):
        if match["path"] or match["host"].lower() not in _TECHNOLOGIES:
            end = match.start() + len(match.group().rstrip(".,;:!?)"))
            yield Found("link", match.start(), end)
    for match in _HANDLE.finditer(text, small):
        yield Found("link", *match.span("handle"))
    for match in _AT_HANDLE.finditer(text) if "@" in text else ():
        yield Found("link", match.start(), match.start() + len(match.group().rstrip(".")))
    for match in _PICTURE.finditer(text, small):
        yield Found("photo", *match.span())
    yield from _phones(text, small)


def _phones(text: str, small: str) -> Iterator[Found]:
    for match in _LABELLED_PHONE.finditer(text, small):
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
