"""Between events and Kafka messages: bytes out, bytes in, and why some bytes are no event."""

from __future__ import annotations

import hashlib
import json
import re

from pydantic import ValidationError

from kafka_bridge.contract.events import EVENTS, Event
from resume_platform.ids import MAX_ID

_BY_PLACE: dict[tuple[str, str], type[Event]] = {(e.topic, e.key): e for e in EVENTS}


class Undecodable(Exception):
    """A message that is no event of the contract.

    `reason` is one of unknown_key, not_json, invalid; `detail` names places, never contents.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def encode(event: Event) -> bytes:
    """The event as the contract's JSON in UTF-8; extensions that hold nothing are left out."""
    value = event.model_dump(mode="json")
    for extension in ("run", "details", "resume_ids"):
        if not value.get(extension, True):
            del value[extension]
    if (response := value.get("response")) and response.get("details", True) is None:
        del response["details"]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def event_type(topic: str, key: bytes | None) -> type[Event]:
    """The model for a message at `topic` (the contract's name). Raises Undecodable."""
    try:
        return _BY_PLACE[topic, (key or b"").decode()]
    except (KeyError, UnicodeDecodeError):
        raise Undecodable("unknown_key", f"no event of {topic} has this key") from None


def decode(topic: str, key: bytes | None, value: bytes | None) -> Event:
    """Raises Undecodable; the error never quotes the message."""
    model = event_type(topic, key)
    if value is None:
        raise Undecodable("not_json", "the message has no value")
    try:
        return model.model_validate_json(bytes(value))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        if problems[0]["type"] == "json_invalid":
            raise Undecodable("not_json", "the value is not JSON in UTF-8") from None
        places = [f"{'.'.join(map(str, p['loc']))[:100]}: {p['type']}" for p in problems[:8]]
        raise Undecodable("invalid", "; ".join(places)) from None


_USER = re.compile(rb'"user_id"\s*:\s*"?([1-9][0-9]{0,18})(?![0-9])')


def user_of(value: bytes | None) -> int | None:
    """Whose message it is, as far as bytes tell that may be no event."""
    try:
        parsed = json.loads(value or b"")
    except (ValueError, RecursionError):
        found = _USER.search(value or b"")
        return _as_id(found[1]) if found else None
    for place in (parsed, parsed.get("response")) if isinstance(parsed, dict) else ():
        if isinstance(place, dict) and (user_id := _as_id(place.get("user_id"))):
            return user_id
    return None


def _as_id(raw: object) -> int | None:
    if isinstance(raw, bool | float) or not isinstance(raw, int | str | bytes):
        return None
    try:
        number = int(raw)
    except ValueError:
        return None
    return number if 1 <= number <= MAX_ID else None


def content_hash(value: bytes | None) -> bytes:
    """16 bytes that tell two messages at one offset apart and break ties between results."""
    return hashlib.blake2b(value or b"", digest_size=16).digest()
