"""One judgement from beginning to end: redaction, question, evidence, score, report."""

from dataclasses import dataclass
from typing import Any

import structlog

from apps.ai import report, scoring
from apps.ai.asking import Asked, ask
from apps.ai.assessment import Assessed, Finding, read_findings, unproved
from apps.ai.decoy import with_decoy
from apps.ai.prompts import CURRENT, Prompts, judgement_question
from apps.ai.rubrics import FrozenRubric
from apps.ai.sending import Outgoing, prepare
from resume_platform import metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Judgement:
    score: int
    matches: list[str]
    recommendation: str
    verdict: str
    details: dict[str, Any]


def judge(
    resume: str,
    *,
    rubric: FrozenRubric,
    provider: Asked,
    suitable_score: int,
    is_redacting: bool,
    prompts: Prompts = CURRENT,
) -> Judgement:
    """Ask about one resume and compute everything else. Raises a ProviderError."""
    outgoing = prepare(resume, is_redacting=is_redacting)
    findings, outgoing = _findings(outgoing, rubric=rubric, provider=provider, prompts=prompts)
    score = scoring.score(findings)
    is_suitable = scoring.is_suitable(score, threshold=suitable_score)
    return Judgement(
        score=score,
        matches=scoring.matches(findings),
        recommendation=report.recommendation(
            findings,
            score=score,
            is_suitable=is_suitable,
            is_flagged=bool(outgoing.flags),
            language=rubric.language,
        ),
        verdict=report.verdict(is_suitable=is_suitable, language=rubric.language),
        details=report.details(
            findings,
            model=provider.model,
            prompt_version=prompts.version,
            language=rubric.language,
            outgoing=outgoing,
        ),
    )


def _findings(
    outgoing: Outgoing, *, rubric: FrozenRubric, provider: Asked, prompts: Prompts
) -> tuple[list[Finding], Outgoing]:
    """Ask; where the decoy is met, once more without what was obeyed; then believe nothing."""
    assessed = _assess(outgoing, rubric=rubric, provider=provider, prompts=prompts)
    if assessed.is_obedient and assessed.orders:
        metrics.AI_ORDERS_FOLLOWED.inc()
        log.warning("ai.orders_followed", orders=len(assessed.orders))
        outgoing = outgoing.without(assessed.orders)
        assessed = _assess(outgoing, rubric=rubric, provider=provider, prompts=prompts)
    if assessed.is_obedient:
        log.error("ai.judgement_not_trusted")
        return unproved(assessed.findings), outgoing
    return assessed.findings, outgoing


def _assess(
    outgoing: Outgoing, *, rubric: FrozenRubric, provider: Asked, prompts: Prompts
) -> Assessed:
    text = outgoing.sent.text
    asked, decoy = with_decoy(rubric.criteria, resume=text, language=rubric.language)

    def read(answer: str) -> Assessed:
        return read_findings(answer, criteria=rubric.criteria, resume=outgoing, decoy=decoy)

    return ask(provider, judgement_question(asked, text, prompts=prompts), read).value
