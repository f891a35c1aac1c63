"""From a request to the text a model would have answered."""

import json
from dataclasses import asdict
from datetime import date
from typing import Any

from devstack.openai_standin.criteria import extract_criteria
from devstack.openai_standin.matcher import Judge
from devstack.openai_standin.prompts import JudgementRequest, RubricRequest


def answer(request: RubricRequest | JudgementRequest, today: date) -> dict[str, Any]:
    if isinstance(request, RubricRequest):
        return {"criteria": [asdict(c) for c in extract_criteria(request.requirements)]}
    judge = Judge(request.resume, today)
    assessments = []
    for criterion in request.criteria:
        verdict = judge.judge(criterion["requirement"])
        assessments.append(
            {
                "criterion_id": criterion["id"],
                "status": verdict.status,
                "quotes": list(verdict.quotes),
            }
        )
    return {"assessments": assessments}


def as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
