"""One judgement from beginning to end: rubric, question, evidence, score, report."""

from dataclasses import dataclass
from typing import Any

from apps.ai import report, scoring
from apps.ai.asking import ask
from apps.ai.assessment import Finding, read_findings
from apps.ai.prompts import PROMPT_VERSION, judgement_question
from apps.ai.provider import Provider, Usage
from apps.ai.rubrics import FrozenRubric


@dataclass(frozen=True)
class Judgement:
    score: int
    matches: list[str]
    recommendation: str
    verdict: str
    details: dict[str, Any]
    usage: Usage
    latency_ms: int


def judge(
    resume: str, *, rubric: FrozenRubric, provider: Provider, suitable_score: int
) -> Judgement:
    """Ask about one resume and compute everything else. Raises a ProviderError."""

    def read(text: str) -> list[Finding]:
        return read_findings(text, criteria=rubric.criteria, resume=resume)

    understood = ask(provider, judgement_question(rubric.criteria, resume), read)
    findings = understood.value
    score = scoring.score(findings)
    is_suitable = scoring.is_suitable(score, threshold=suitable_score)
    return Judgement(
        score=score,
        matches=scoring.matches(findings),
        recommendation=report.recommendation(
            findings, score=score, is_suitable=is_suitable, language=rubric.language
        ),
        verdict=report.verdict(is_suitable=is_suitable, language=rubric.language),
        details=report.details(
            findings,
            model=provider.model,
            prompt_version=PROMPT_VERSION,
            language=rubric.language,
        ),
        usage=understood.usage,
        latency_ms=understood.latency_ms,
    )
