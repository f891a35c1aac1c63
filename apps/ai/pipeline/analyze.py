"""Judges one resume, step by step, and records the outcome with its events."""

import structlog
from django.conf import settings

from apps.ai.evidence.findings import Assessed, read_findings, unproved
from apps.ai.pipeline import report, scoring
from apps.ai.pipeline.failures import final_outcome
from apps.ai.pipeline.known import look_up
from apps.ai.pipeline.outcome import Outcome
from apps.ai.pipeline.recording import record
from apps.ai.provider.client import Provider
from apps.ai.provider.configured import guarded
from apps.ai.provider.errors import ProviderError
from apps.ai.provider.guarded import AsksQuestions
from apps.ai.provider.prompts import CURRENT, Prompts, judgement_question
from apps.ai.provider.rate_limiter import Caller
from apps.ai.provider.usage_ledger import UsageLedger
from apps.ai.redaction.outgoing import Outgoing, prepare
from apps.ai.rubric import store
from apps.ai.rubric.decoy import with_decoy
from kafka_bridge.contract.events import NewRequest
from kafka_bridge.tasks import Attempt, Permanent, RetryLater
from resume_platform.observability import metrics
from resume_platform.redis import processed_marks

log = structlog.get_logger(__name__)


def analyze(*, event: NewRequest, attempt: Attempt, provider: Provider) -> None:
    """Judge, then record the outcome of this run with its events in one transaction.

    The first outcome of a run stays; a repeated request adds nothing. Raises RetryLater while
    another attempt may help, Permanent where the id belongs to somebody else.
    """
    run = {"processing_id": event.processing_id, "run": event.run}

    # Known outcome: of this run, or of the same user's same texts.
    known = look_up(event, model=provider.model)
    if known.is_deleted:
        log.info("ai.skipped_deleted", **run)
    if known.is_settled or known.is_deleted:
        return

    # Limits, country and ledger: before and after each question.
    asked = guarded(
        provider,
        caller=Caller(
            user_id=event.user_id,
            row=f"{event.processing_id}.{event.run}",
            arrival=attempt.occurred_at.timestamp(),
        ),
        ledger=UsageLedger(event.user_id, event.processing_id, event.run),
    )

    # Rubric, then question, evidence and score.
    rubric = known.rubric
    try:
        rubric = rubric or store.obtain(
            event.requirements,
            user_id=event.user_id,
            provider=asked,
            is_redacting=settings.AI_REDACTION,
        )
        outcome = known.outcome or judge(
            event.resume,
            rubric=rubric,
            provider=asked,
            suitable_score=settings.AI_SUITABLE_SCORE,
            is_redacting=settings.AI_REDACTION,
        )
    except (ProviderError, store.RubricInTheMaking, store.NothingDemanded) as error:
        outcome = final_outcome(error, is_last=attempt.is_last)

    # Outcome and events: one transaction.
    with attempt.finish():
        recorded = record(
            event, outcome, model=provider.model, rubric_id=rubric.id if rubric else None
        )
        if recorded.is_concurrent:
            raise RetryLater("concurrent_outcome", seconds=0.0, counted=False)
        if not recorded.is_deleted and recorded.owner not in (None, event.user_id):
            raise Permanent("owner_conflict")
    if recorded.is_deleted:
        log.info("ai.dropped_deleted", **run)
        return
    processed_marks.mark("ai", event.processing_id)
    log.info(
        "ai.settled",
        **run,
        status="failed" if outcome.error_code else "finished",
        error_code=outcome.error_code,
        latency_ms=recorded.latency_ms,
        is_first=recorded.is_written,
        redacted=outcome.details.get("redacted", {}),
        flags=len(outcome.details.get("flags", ())),
    )


def judge(
    resume: str,
    *,
    rubric: store.FrozenRubric,
    provider: AsksQuestions,
    suitable_score: int,
    is_redacting: bool,
    prompts: Prompts = CURRENT,
) -> Outcome:
    """Ask about one resume and compute everything else. Raises a ProviderError."""

    def ask(outgoing: Outgoing) -> Assessed:
        text = outgoing.sent.text
        criteria, decoy = with_decoy(rubric.criteria, resume=text, language=rubric.language)
        return provider.ask(
            judgement_question(criteria, text, prompts=prompts),
            lambda answer: read_findings(
                answer, criteria=rubric.criteria, resume=outgoing, decoy=decoy
            ),
        ).value

    # Question and evidence. Where the decoy is met, once more without the orders that were obeyed;
    # where it is met again, nothing that the model says is believed.
    outgoing = prepare(resume, is_redacting=is_redacting)
    assessed = ask(outgoing)
    if assessed.is_obedient and assessed.orders:
        metrics.AI_ORDERS_FOLLOWED.inc()
        log.warning("ai.orders_followed", orders=len(assessed.orders))
        outgoing = outgoing.without(assessed.orders)
        assessed = ask(outgoing)
    findings = assessed.findings
    if assessed.is_obedient:
        log.error("ai.judgement_not_trusted")
        findings = unproved(findings)

    # Score and report.
    score = scoring.score(findings)
    is_suitable = scoring.is_suitable(score, threshold=suitable_score)
    return Outcome(
        score=score,
        verdict=report.verdict(is_suitable=is_suitable, language=rubric.language),
        result={
            "matches": scoring.matches(findings),
            "recommendation": report.recommendation(
                findings,
                score=score,
                is_suitable=is_suitable,
                is_flagged=bool(outgoing.flags),
                language=rubric.language,
            ),
            "details": report.details(
                findings,
                model=provider.model,
                prompt_version=prompts.version,
                language=rubric.language,
                outgoing=outgoing,
            ),
        },
    )
