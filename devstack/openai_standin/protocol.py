"""The OpenAI API's objects: prompts out of requests, answers and errors into responses."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

MODEL_NAME = "standin-rule-based"


class BadRequest(Exception):
    """A 400 in OpenAI's shape."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


@dataclass(frozen=True)
class Asked:
    model: str
    prompt: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Answered:
    text: str
    refusal: str = ""
    is_truncated: bool = False


def asked_of_responses(body: dict[str, Any]) -> Asked:
    """POST /v1/responses: `instructions`, `input` as a string or as messages, `text.format`."""
    parts = [body.get("instructions") or ""]
    given = body.get("input")
    if isinstance(given, str):
        parts.append(given)
    elif isinstance(given, list):
        parts += [_content(item) for item in given]
    else:
        raise BadRequest("Missing required parameter: 'input'.", "input")
    return Asked(
        _model(body), "\n".join(parts), _schema(_get(body, "text", "format"), "text.format")
    )


def asked_of_chat(body: dict[str, Any]) -> Asked:
    """POST /v1/chat/completions: `messages`, `response_format`."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("Missing required parameter: 'messages'.", "messages")
    form = body.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        inner = form.get("json_schema")
        form = {"type": "json_schema", **inner} if isinstance(inner, dict) else form
    return Asked(
        _model(body), "\n".join(_content(m) for m in messages), _schema(form, "response_format")
    )


def _model(body: dict[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model parameter", "model")
    return model


def _get(body: dict[str, Any], *names: str) -> Any:
    value: Any = body
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _content(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            p["text"] for p in content if isinstance(p, dict) and isinstance(p.get("text"), str)
        )
    raise BadRequest("Invalid type for a message's content.", "input")


def _schema(form: Any, param: str) -> dict[str, Any]:
    if form is None or (isinstance(form, dict) and form.get("type") == "text"):
        return {}
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        raise BadRequest(
            f"Invalid value for '{param}.type': only 'json_schema' is answered here.", param
        )
    if not isinstance(form.get("name"), str):
        raise BadRequest(f"Missing required parameter: '{param}.name'.", f"{param}.name")
    if not isinstance(form.get("schema"), dict):
        raise BadRequest(f"Missing required parameter: '{param}.schema'.", f"{param}.schema")
    schema: dict[str, Any] = form["schema"]
    return schema


def _tokens(text: str) -> int:
    """A rough count: a token is about four Latin or two and a half Cyrillic letters."""
    return max(1, len(text.encode()) // 4)


def response_object(asked: Asked, answered: Answered) -> dict[str, Any]:
    """An object of the Responses API."""
    used, made = _tokens(asked.prompt), _tokens(answered.text or answered.refusal)
    content: dict[str, Any] = {
        "type": "output_text",
        "text": answered.text,
        "annotations": [],
        "logprobs": [],
    }
    if answered.refusal:
        content = {"type": "refusal", "refusal": answered.refusal}
    status = "incomplete" if answered.is_truncated else "completed"
    now = int(time.time())
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": now,
        "completed_at": now,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if answered.is_truncated else None,
        "instructions": None,
        "max_output_tokens": None,
        "model": f"{MODEL_NAME} (asked for {asked.model})",
        "output": [
            {
                "id": f"msg_{uuid.uuid4().hex}",
                "type": "message",
                "role": "assistant",
                "status": status,
                "content": [content],
            }
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": used,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": used + made,
        },
        "metadata": {},
    }


def completion_object(asked: Asked, answered: Answered) -> dict[str, Any]:
    """An object of the Chat Completions API."""
    used, made = _tokens(asked.prompt), _tokens(answered.text or answered.refusal)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": f"{MODEL_NAME} (asked for {asked.model})",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None if answered.refusal else answered.text,
                    "refusal": answered.refusal or None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "length" if answered.is_truncated else "stop",
            }
        ],
        "usage": {"prompt_tokens": used, "completion_tokens": made, "total_tokens": used + made},
        "system_fingerprint": MODEL_NAME,
    }


def error_object(
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def models_object() -> dict[str, Any]:
    model = {"id": MODEL_NAME, "object": "model", "created": 0, "owned_by": "devstack"}
    return {"object": "list", "data": [model]}
