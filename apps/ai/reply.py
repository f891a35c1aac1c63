"""What of a response's body is of use to us, whoever speaks the provider's API."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider counted them; the cached ones are among those of the input."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True)
class Reply:
    """A response of the provider; `status`, `error` and `incomplete` are its own words or empty."""

    status: str
    error: str
    incomplete: str
    is_refused: bool
    text: str
    model: str
    usage: Usage


def read_reply(body: bytes) -> Reply | None:
    """None where the body is no response.

    By hand: the SDK's model of a response has hundreds of classes, and building it costs more than
    sending the question.
    """
    try:
        return _read(json.loads(body))
    except Exception:  # noqa: BLE001  a body that is no response fails anywhere in there
        return None


def _read(response: Any) -> Reply:
    """Raises whatever a value of another shape raises."""
    contents = [
        content
        for item in response["output"] or ()
        if item.get("type") == "message"
        for content in item["content"] or ()
    ]
    usage = response.get("usage") or {}
    return Reply(
        status=response.get("status") or "",
        error=(response.get("error") or {}).get("code") or "",
        incomplete=(response.get("incomplete_details") or {}).get("reason") or "",
        is_refused=any(content.get("type") == "refusal" for content in contents),
        text="".join(c["text"] or "" for c in contents if c.get("type") == "output_text"),
        model=str(response.get("model")),
        usage=Usage(
            int(usage.get("input_tokens") or 0),
            int(usage.get("output_tokens") or 0),
            int((usage.get("input_tokens_details") or {}).get("cached_tokens") or 0),
        ),
    )
