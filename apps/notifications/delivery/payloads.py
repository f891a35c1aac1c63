"""The bodies that a client's callback receives. Knows no Django.

A body is a function of the event and its timestamp, so it is the same bytes at every attempt.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kafka_bridge.contract.events import ResultEvent, SendingResponse

ERROR_HEADER = "X-Error-Notification"
_SERVICE = "ai_processor"
_UNKNOWN_ERROR = "The processing failed."
_RATE_LIMIT = "Too many request"


@dataclass(frozen=True)
class Payload:
    """`webhook_id` follows from processing, run and content; the body's timestamp is not in it."""

    body: bytes
    webhook_id: str
    headers: dict[str, str] = field(default_factory=dict)


def build(outcome: ResultEvent, occurred_at: datetime) -> Payload:
    """The callback of an outcome that happened at `occurred_at`."""
    if outcome.success:
        return Payload(_encode(_success(outcome)), _webhook_id(outcome))
    return Payload(
        _encode(_failure(outcome, occurred_at)), _webhook_id(outcome), {ERROR_HEADER: "true"}
    )


def _success(outcome: ResultEvent) -> dict[str, Any]:
    response = _response(outcome.response)
    body: dict[str, Any] = {
        "success": True,
        "response": response,
        "message_error": outcome.message_error,
        "wait_seconds": outcome.wait_seconds,
    }
    return body | ({"run": outcome.run} if outcome.run else {})


def _failure(outcome: ResultEvent, occurred_at: datetime) -> dict[str, Any]:
    message = outcome.message_error or _UNKNOWN_ERROR
    limited = outcome.wait_seconds is not None
    details: dict[str, Any] = {"reason": _RATE_LIMIT if limited else message, "service": _SERVICE}
    if limited:
        details["wait_seconds"] = outcome.wait_seconds
    return {
        "status": "error",
        "timestamp": occurred_at.astimezone(UTC).isoformat(),
        "error": {
            "type": _RATE_LIMIT if limited else "processing_error",
            "code": 429 if limited else 500,
            "message": message,
            "details": details,
        },
        "processing_id": outcome.response.processing_id,
    }


def _response(response: SendingResponse) -> dict[str, Any]:
    optional = {"details"} if response.details is None else set()
    return response.model_dump(mode="json", exclude={"callback_url"} | optional)


def _webhook_id(outcome: ResultEvent) -> str:
    content = outcome.model_dump(mode="json", exclude={"response": {"callback_url"}})
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"msg_{outcome.response.processing_id}_{outcome.run}_{digest[:24]}"


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
