"""Composes what the recruiter reads: verdict, recommendation and details."""

from collections.abc import Sequence
from typing import Any

from apps.ai.evidence.findings import Finding
from apps.ai.language import Language
from apps.ai.redaction.outgoing import Outgoing

MAX_FLAGS = 50
FLAG_CHARS = 200

# The words follow the vacancy's language, not a reader's: they are stored and sent as they are.
_WORDS: dict[Language, dict[str, str]] = {
    "ru": {
        "suitable": "Подходит",
        "not_suitable": "Не подходит",
        "opening": "{verdict}: {score} из 100.",
        "strengths": "Сильные стороны: {names}.",
        "no_strengths": "Ни одно требование не подтверждено полностью.",
        "partial": "Подтверждено частично: {names}.",
        "missing_musts": "Не хватает обязательного: {names}.",
        "missing_nices": "Нет желательного: {names}.",
        "questions": "Уточнить у кандидата: {names}.",
        "unproved": "Модель сослалась на слова, которые не доказывают, не засчитано: {names}.",
        "flagged": "В резюме есть указания для проверяющего, они не учтены.",
    },
    "en": {
        "suitable": "Suitable",
        "not_suitable": "Not suitable",
        "opening": "{verdict}: {score} out of 100.",
        "strengths": "Strengths: {names}.",
        "no_strengths": "No requirement is fully confirmed.",
        "partial": "Confirmed in part: {names}.",
        "missing_musts": "Required but missing: {names}.",
        "missing_nices": "Welcome but missing: {names}.",
        "questions": "To ask the candidate: {names}.",
        "unproved": "Backed by quotes that prove nothing, so not counted: {names}.",
        "flagged": "The resume holds instructions to its judge, which were not followed.",
    },
}


def verdict(*, is_suitable: bool, language: Language) -> str:
    return _WORDS[language]["suitable" if is_suitable else "not_suitable"]


def recommendation(
    findings: Sequence[Finding],
    *,
    score: int,
    is_suitable: bool,
    language: Language,
    is_flagged: bool = False,
) -> str:
    """Strengths, gaps and open questions, in the language of the requirements."""
    words = _WORDS[language]
    names = {
        "strengths": [f for f in findings if f.status == "met"],
        "partial": [f for f in findings if f.status == "partial"],
        "missing_musts": [f for f in findings if f.status == "missing" and _is_must(f)],
        "missing_nices": [f for f in findings if f.status == "missing" and not _is_must(f)],
        "questions": [f for f in findings if f.status == "unclear"],
        "unproved": [f for f in findings if f.flags],
    }
    opening = words["opening"].format(
        verdict=verdict(is_suitable=is_suitable, language=language), score=score
    )
    sentences = [opening]
    if not names["strengths"]:
        sentences.append(words["no_strengths"])
    for part, listed in names.items():
        if listed:
            joined = "; ".join(finding.criterion.name.rstrip(".") for finding in listed)
            sentences.append(words[part].replace("{names}", joined))
    if is_flagged:
        sentences.append(words["flagged"])
    return " ".join(sentences)


def _is_must(finding: Finding) -> bool:
    return finding.criterion.importance == "must"


def details(
    findings: Sequence[Finding],
    *,
    model: str,
    prompt_version: str,
    language: Language,
    outgoing: Outgoing,
) -> dict[str, Any]:
    """The criteria with their evidence: what the score was computed from.

    Offsets count in the text as it was uploaded. `redacted` are numbers of what did not leave.
    """
    return {
        "language": language,
        "model": model,
        "prompt_version": prompt_version,
        "redacted": outgoing.sent.counts,
        "flags": [
            {
                "kind": flag.kind,
                "start": flag.start,
                "end": flag.end,
                "text": outgoing.original[flag.start : flag.end][:FLAG_CHARS],
            }
            for flag in outgoing.flags[:MAX_FLAGS]
        ],
        "criteria": [
            {
                "id": finding.criterion.id,
                "name": finding.criterion.name,
                "requirement": finding.criterion.requirement,
                "importance": finding.criterion.importance,
                "weight": finding.criterion.weight,
                "status": finding.status,
                "evidence": [
                    {"quote": e.quote, "start": e.span.start, "end": e.span.end}
                    for e in finding.evidence
                ],
                "flags": list(finding.flags),
            }
            for finding in findings
        ],
    }
