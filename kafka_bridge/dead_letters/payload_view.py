"""A dead letter's payload for people's eyes: its shape for all, its texts for the permitted."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# The numbers of a payload that anybody may see who sees dead letters. Every string counts as text,
# but for a time and for the host of the callback's URL: who wrote the message may mean anything.
OPEN_FIELDS = frozenset(
    {
        "user_id",
        "resume_id",
        "requirements_id",
        "processing_id",
        "processing_ids",
        "processings_ids",
        "requirements_ids",
        "resume_ids",
        "score",
        "run",
        "success",
        "wait_seconds",
        "weight",
        "id",
        "start",
        "end",
    }
)
OPEN_HEADERS = frozenset({"event_id", "traceparent", "tracestate", "content-type"})
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.+Z-]*")
HEX_BYTES = 512
MAX_CHARS = 100_000


@dataclass(frozen=True)
class Shown:
    """`text` is laid out for reading; `is_masked` says that something was left out of it."""

    text: str
    is_masked: bool


def payload(value: bytes | None, *, with_texts: bool) -> Shown:
    """JSON with or without its texts; of what is none, the first bytes in hexadecimal or none."""
    if value is None:
        return Shown(_("There is none."), False)
    try:
        content = json.loads(value.decode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError):
        return _unreadable(value, with_texts=with_texts)
    masked = content if with_texts else _masked(content)
    text = json.dumps(masked, ensure_ascii=False, indent=2)
    return Shown(text[:MAX_CHARS], masked != content)


def ids(value: bytes | None) -> dict[str, int]:
    """The ids that the payload names, so that its user and its processing can be found."""
    try:
        content = json.loads((value or b"").decode("utf-8"))
        found = {**content, **(content.get("response") or {})}
    except (ValueError, RecursionError, AttributeError, TypeError):
        return {}
    wanted = ("processing_id", "user_id", "resume_id", "requirements_id")
    return {name: found[name] for name in wanted if type(found.get(name)) is int}


def key(raw: bytes | None, *, known: Iterable[str], with_texts: bool) -> str:
    """An event's name as it is; anything else may be a text."""
    text = (raw or b"").decode("utf-8", "backslashreplace")
    return text if with_texts or text in known or not text else _mask(text)


def headers(pairs: Sequence[Sequence[str]], *, with_texts: bool) -> list[tuple[str, str]]:
    """Names with decoded values."""
    shown = []
    for name, encoded in pairs:
        try:
            content = base64.b64decode(encoded).decode("utf-8", "backslashreplace")
        except binascii.Error:
            content = encoded
        shown.append((name, content if with_texts or name in OPEN_HEADERS else _mask(content)))
    return shown


def _masked(part: Any, name: str = "") -> Any:
    if isinstance(part, dict):
        return {_safe_name(key): _masked(value, key) for key, value in part.items()}
    if isinstance(part, list):
        return [_masked(one, name) for one in part]
    if part is None or isinstance(part, bool):
        return part
    if isinstance(part, int | float):
        return part if name in OPEN_FIELDS else _mask(str(part))
    if name == "callback_url":
        return _host_alone(part)
    return part if _TIME.fullmatch(part) else _mask(part)


def _safe_name(name: str) -> str:
    """Field names are the contract's, short and plain; a text could hide in any other."""
    return name if name.isascii() and name.isidentifier() and len(name) <= 40 else _mask(name)


def _host_alone(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    return f"{parts.scheme}://{host}/…" if host else _mask(url)


def _mask(text: str) -> str:
    count = len(text)
    return "▒ " + ngettext("%(count)d character", "%(count)d characters", count) % {"count": count}


def _unreadable(value: bytes, *, with_texts: bool) -> Shown:
    size = ngettext("%(count)d byte", "%(count)d bytes", len(value)) % {"count": len(value)}
    if not with_texts:
        return Shown(f"▒ {size}", bool(value))
    head = value[:HEX_BYTES]
    lines = [
        f"{place:04x}  {row.hex(' '):<47}  {_printable(row)}"
        for place in range(0, len(head), 16)
        if (row := head[place : place + 16])
    ]
    more = ["…"] if len(value) > HEX_BYTES else []
    return Shown("\n".join([size, *lines, *more]), False)


def _printable(part: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
