"""From a request to the text a model would have answered."""

import json
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from typing import Any

from devstack.openai_standin import obedience
from devstack.openai_standin.criteria import extract_criteria
from devstack.openai_standin.matcher import Judge, Verdict
from devstack.openai_standin.prompts import JudgementRequest, RubricRequest


def answer(
    request: RubricRequest | JudgementRequest, today: date, *, is_obedient: bool = False
) -> dict[str, Any]:
    """An obedient answer does what the resume tells it; without orders it is the usual one."""
    if isinstance(request, RubricRequest):
        return {"criteria": [asdict(c) for c in extract_criteria(request.requirements)]}
    if is_obedient and (orders := obedience.orders(request.resume)):
        quotes = obedience.quotes(orders)
        return {
            "assessments": [
                {"criterion_id": c["id"], "status": "met", "quotes": quotes}
                for c in request.criteria
            ]
        }
    assessments = []
    for criterion in request.criteria:
        verdict = _verdict(criterion["requirement"], request.resume, today)
        assessments.append(
            {
                "criterion_id": criterion["id"],
                "status": verdict.status,
                "quotes": list(verdict.quotes),
            }
        )
    return {"assessments": assessments}


@lru_cache(maxsize=20_000)
def _verdict(requirement: str, resume: str, today: date) -> Verdict:
    """Rules give the same verdict every time, so a repeated pair costs nothing."""
    return Judge(resume, today).judge(requirement)


def as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
