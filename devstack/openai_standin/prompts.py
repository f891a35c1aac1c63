"""What a request asks for, read from its prompt and its JSON schema alone."""

import json
import re
from dataclasses import dataclass
from typing import Any

# <resume-3fa9c2…> … </resume-3fa9c2…>, or the same without a suffix.
_BLOCK = re.compile(r"<([a-z_]+)((?:-[0-9a-z]+)?)>\n?(.*?)\n?</\1\2>", re.DOTALL)


class Unanswerable(Exception):
    """The request is fine, but asks for something that rules cannot answer."""


@dataclass(frozen=True)
class RubricRequest:
    requirements: str


@dataclass(frozen=True)
class JudgementRequest:
    criteria: list[dict[str, Any]]
    resume: str


def read(prompt: str, schema: dict[str, Any]) -> RubricRequest | JudgementRequest:
    """A schema with "criteria" asks for a rubric, one with "assessments" for a judgement."""
    properties = schema.get("properties")
    wanted = set(properties) if isinstance(properties, dict) else set()
    blocks: dict[str, str] = {}
    for m in _BLOCK.finditer(prompt):
        blocks.setdefault(m.group(1), m.group(3))
    if "criteria" in wanted and "requirements" in blocks:
        return RubricRequest(blocks["requirements"])
    if "assessments" in wanted and {"criteria", "resume"} <= set(blocks):
        try:
            criteria = json.loads(blocks["criteria"])
            if all(
                isinstance(c["id"], str) and isinstance(c["requirement"], str) for c in criteria
            ):
                return JudgementRequest(criteria, blocks["resume"])
        except (ValueError, TypeError, KeyError):
            pass
    raise Unanswerable(
        "This stand-in follows rules. It answers two questions: a schema with "
        "`criteria` and a <requirements> block, "
        "or one with `assessments` and blocks <criteria> (JSON) and <resume>."
    )
