"""The AI app's handlers of events and its periodic work."""

from threading import Thread
from typing import Any

from celery.signals import worker_ready
from django.conf import settings

from apps.ai import (
    erasure,  # noqa: F401  registers its handler
    services,
)
from apps.ai.pipeline import analyze as pipeline
from apps.ai.provider import usage_retention
from apps.ai.provider.configured import configured_provider
from apps.ai.redaction.lexicon import warm_up
from kafka_bridge.contract.events import DeleteProcessing, DeleteRequirements, NewRequest
from kafka_bridge.jobs.periodic import periodic
from kafka_bridge.tasks import Attempt, RetryPolicy, handler

AI_RETRY = RetryPolicy(schedule=(2, 5, 15, 30, 60, 120, 300), jitter=0.2)


@handler("ai.analyze", NewRequest, queue="ai", retry=AI_RETRY)
def analyze(event: NewRequest, attempt: Attempt) -> None:
    """Judge one resume. The client gets an outcome in any case: on the last attempt a failure.

    Raises RetryLater while the provider is away or limits us and another attempt is left.
    """
    pipeline.analyze(event=event, attempt=attempt, provider=configured_provider())


@handler("ai.forget", DeleteProcessing, DeleteRequirements, queue="ai")
def forget(event: DeleteProcessing | DeleteRequirements, attempt: Attempt) -> None:
    """Write tombstones of deleted ids, whether their request came already or comes later."""
    services.forget(event=event, attempt=attempt)


@periodic("ai.fold_old_calls", every=settings.HOUSEKEEPING_INTERVAL_SECONDS)
def fold_old_calls() -> None:
    """Keep the usage ledger small: what is over KEEP_AI_CALLS_DAYS stays as sums."""
    usage_retention.fold_old_calls()


@worker_ready.connect
def load_dictionaries(sender: Any, **_: Any) -> None:
    """Before the first resume comes, and only in workers that judge: half a second, 40 MB."""
    if settings.AI_REDACTION and "ai" in sender.app.amqp.queues.consume_from:
        Thread(target=warm_up, name="ai-dictionaries", daemon=True).start()
