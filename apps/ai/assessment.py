"""The model's judgement, validated and held against the resume that was sent."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.ai.evidence import FoldedText, Span
from apps.ai.rubric import Criterion
from apps.ai.scoring import Judged, Status

MAX_QUOTES = 5

QUOTE_NOT_FOUND = "quote_not_found"
NO_EVIDENCE = "no_evidence"


class InvalidAssessment(ValueError):
    """The answer is no judgement of this rubric. The message is a constant word."""


@dataclass(frozen=True)
class Evidence:
    """A passage of the resume, as it stands there."""

    quote: str
    span: Span


@dataclass(frozen=True)
class Finding(Judged):
    """A criterion's status after its quotes were checked, and what was wrong with them."""

    evidence: tuple[Evidence, ...]
    flags: tuple[str, ...]


class _Assessment(BaseModel):
    model_config = ConfigDict(extra="ignore")

    criterion_id: str
    status: Status
    quotes: Annotated[list[str], Field(max_length=50)]


class _Answer(BaseModel):
    assessments: Annotated[list[_Assessment], Field(max_length=100)]


def read_findings(answer: str, *, criteria: Sequence[Criterion], resume: str) -> list[Finding]:
    """One finding per criterion, in the rubric's order. Raises InvalidAssessment.

    Every criterion must be judged exactly once: a model that skips one has not done its work.
    """
    parsed = None
    # A ValidationError quotes the resume, so it must not become the cause of ours either.
    with contextlib.suppress(ValidationError):
        parsed = _Answer.model_validate_json(answer).assessments
    if parsed is None:
        raise InvalidAssessment("schema")
    by_id = {item.criterion_id: item for item in parsed}
    if len(by_id) != len(parsed) or set(by_id) != {criterion.id for criterion in criteria}:
        raise InvalidAssessment("criteria")
    folded = FoldedText(resume)
    return [_check(criterion, by_id[criterion.id], folded, resume) for criterion in criteria]


def _check(criterion: Criterion, assessed: _Assessment, folded: FoldedText, resume: str) -> Finding:
    """A quote that is not found counts for nothing; without any evidence nothing is met."""
    spans = [folded.find(quote) for quote in assessed.quotes[:MAX_QUOTES] if quote.strip()]
    found = dict.fromkeys(span for span in spans if span is not None)
    evidence = tuple(Evidence(resume[span.start : span.end], span) for span in found)
    flags = [QUOTE_NOT_FOUND] if None in spans else []
    status = assessed.status
    if status in ("met", "partial") and not evidence:
        status = "missing"
        flags = flags or [NO_EVIDENCE]
    if status == "missing":
        evidence = ()
    return Finding(criterion, status, evidence, tuple(flags))
