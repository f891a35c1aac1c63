"""Validates the model's judgement and checks its quotes against the resume that was sent."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.ai.evidence.quotes import FoldedText, Span
from apps.ai.pipeline.scoring import Judged, Status
from apps.ai.redaction.outgoing import Outgoing
from apps.ai.rubric.criteria import Criterion

MAX_QUOTES = 5

QUOTE_NOT_FOUND = "quote_not_found"
QUOTE_IS_INSTRUCTION = "quote_is_instruction"
NO_EVIDENCE = "no_evidence"
OBEYED = "model_followed_orders"


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


class _JudgementAnswer(BaseModel):
    assessments: Annotated[list[_Assessment], Field(max_length=100)]


@dataclass(frozen=True)
class Assessed:
    """The findings of the real criteria, and what the decoy among them brought to light."""

    findings: list[Finding]
    orders: tuple[Span, ...] = ()
    """Spans of the original that the model followed; it met what nobody can meet by them."""
    is_obedient: bool = False


def read_findings(
    answer: str, *, criteria: Sequence[Criterion], resume: Outgoing, decoy: Criterion | None = None
) -> Assessed:
    """One finding per criterion, in the rubric's order. Raises InvalidAssessment.

    Every criterion must be judged exactly once: a model that skips one has not done its work.
    """
    parsed = None
    # A ValidationError quotes the resume, so it must not become the cause of ours either.
    with contextlib.suppress(ValidationError):
        parsed = _JudgementAnswer.model_validate_json(answer).assessments
    if parsed is None:
        raise InvalidAssessment("schema")
    by_id = {item.criterion_id: item for item in parsed}
    asked = [*criteria, decoy] if decoy else criteria
    if len(by_id) != len(parsed) or set(by_id) != {criterion.id for criterion in asked}:
        raise InvalidAssessment("criteria")
    folded = FoldedText(resume.sent.text)
    findings = [_check(criterion, by_id[criterion.id], folded, resume) for criterion in criteria]
    if decoy is None or by_id[decoy.id].status not in ("met", "partial"):
        return Assessed(findings)
    spans = [folded.find(quote) for quote in by_id[decoy.id].quotes[:MAX_QUOTES]]
    orders = tuple(resume.sent.original(span) for span in spans if span is not None)
    return Assessed(findings, orders, is_obedient=True)


def unproved(findings: Sequence[Finding]) -> list[Finding]:
    """What is left of a judgement that followed orders: nothing that the resume gains by."""
    return [
        Finding(f.criterion, "missing", (), (*f.flags, OBEYED))
        if f.status in ("met", "partial", "unclear")
        else f
        for f in findings
    ]


def _check(
    criterion: Criterion, assessed: _Assessment, folded: FoldedText, resume: Outgoing
) -> Finding:
    """A quote not found, or flagged, counts for nothing; without evidence nothing is met."""
    flags: dict[str, None] = {}
    evidence: dict[Span, Evidence] = {}
    for quote in assessed.quotes[:MAX_QUOTES]:
        if not quote.strip():
            continue
        sent = folded.find(quote)
        if sent is None:
            flags[QUOTE_NOT_FOUND] = None
            continue
        span = resume.sent.original(sent)
        if resume.is_flagged(span):
            flags[QUOTE_IS_INSTRUCTION] = None
        else:
            evidence[span] = Evidence(resume.original[span.start : span.end], span)
    status = assessed.status
    if status in ("met", "partial") and not evidence:
        status = "missing"
        flags = flags or {NO_EVIDENCE: None}
    kept = tuple(evidence.values()) if status != "missing" else ()
    return Finding(criterion, status, kept, tuple(flags))
