"""Rows of one processing in every app, as its events leave them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.ai.models import Analysis
from apps.notifications.models import Callback, CallbackAttempt
from apps.storage.models import StoredProcessing, StoredRequirements, StoredResume, StoredUser

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
RESUME = "Иван Примеров\nPython 6 лет, PostgreSQL.\nEnglish B2."


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def quote(text: str, words: str) -> dict[str, Any]:
    start = text.index(words)
    return {"quote": words, "start": start, "end": start + len(words)}


def criterion(name: str = "Python", **values: Any) -> dict[str, Any]:
    return {
        "id": "c1", "name": name, "requirement": f"{name} at work", "importance": "must",
        "weight": 3, "status": "met", "evidence": [], "flags": [],
    } | values  # fmt: skip


def details(*criteria: dict[str, Any], flags: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"language": "en", "flags": flags or [], "criteria": list(criteria)}


def stored(number: int = 1, *, resume: str = RESUME, **values: Any) -> StoredProcessing:
    """A finished processing with its texts; processing n is of resume n."""
    user_id = values.setdefault("user_id", 7)
    StoredUser.objects.get_or_create(
        user_id=user_id,
        defaults={
            "username": f"user{user_id}@example.com",
            "full_name": f"Анна {user_id}",
            "created_at": NOON,
            "event_at": NOON,
        },
    )
    claim = {"user_id": user_id, "create_at": NOON, "text_at": NOON, "text_hash": "h"}
    StoredResume.objects.create(resume_id=number, resume=resume, **claim)
    values.setdefault("requirements_id", 40)
    StoredRequirements.objects.get_or_create(
        requirements_id=values["requirements_id"],
        user_id=user_id,
        defaults={**claim, "requirements": "Нужен разработчик"},
    )
    defaults = {
        "processing_id": number,
        "resume_id": number,
        "create_at": at(number),
        "status": "finished",
        "run": 0,
        "result_at": at(number + 3),
        "score": 85,
        "verdict": "Suitable",
        "matches": ["Python"],
        "recommendation": "Invite.",
        "details": details(criterion()),
        "requested_run": 0,
        "requested_at": at(number),
        "callback_url": "https://client.example/secret-path",
    }
    return StoredProcessing.objects.create(**defaults | values)


def judged(processing: StoredProcessing, run: int = 0, **values: Any) -> Analysis:
    defaults = {
        "processing_id": processing.processing_id,
        "run": run,
        "user_id": processing.user_id,
        "requirements_id": processing.requirements_id,
        "status": "finished",
        "score": processing.score,
        "verdict": processing.verdict or "",
        "model": "gpt-4.1-mini",
        "input_tokens": 2100,
        "output_tokens": 640,
        "latency_ms": 2300,
        "cost": Decimal("0.00190000"),
        "result": {
            "matches": processing.matches,
            "recommendation": processing.recommendation,
            "details": processing.details,
        },
    }
    analysis = Analysis.objects.create(**defaults | values)
    Analysis.objects.filter(pk=analysis.pk).update(
        created_at=processing.create_at + timedelta(seconds=2 + run)
    )
    return analysis


def called_back(processing: StoredProcessing, *outcomes: int | str, **values: Any) -> Callback:
    """A callback with one attempt per outcome: a status, or the word for an error."""
    callback = Callback.objects.create(
        processing_id=processing.processing_id, run=0, user_id=processing.user_id,
        requirements_id=processing.requirements_id, callback_url=processing.callback_url, **values,
    )  # fmt: skip
    for number, outcome in enumerate(outcomes, start=1):
        started = processing.create_at + timedelta(seconds=4 + number)
        CallbackAttempt.objects.create(
            callback=callback, number=number, started_at=started,
            duration_ms=120, address="203.0.113.7",
            status_code=outcome if isinstance(outcome, int) else None,
            error=outcome if isinstance(outcome, str) else "",
        )  # fmt: skip
    return callback
