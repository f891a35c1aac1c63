"""What the AI app does when an event comes."""

from apps.ai import services
from apps.ai.configured import configured_provider
from kafka_bridge.events import DeleteProcessing, DeleteRequirements, NewRequest
from kafka_bridge.tasks import Attempt, RetryPolicy, handler

AI_RETRY = RetryPolicy(schedule=(2, 5, 15, 30, 60, 120, 300), jitter=0.2)


@handler("ai.analyze", NewRequest, queue="ai", retry=AI_RETRY)
def analyze(event: NewRequest, attempt: Attempt) -> None:
    """Judge one resume. The client gets an outcome in any case: on the last attempt a failure.

    Raises RetryLater while the provider is away or limits us and another attempt is left.
    """
    services.analyze(event=event, attempt=attempt, provider=configured_provider())


@handler("ai.forget", DeleteProcessing, DeleteRequirements, queue="ai")
def forget(event: DeleteProcessing | DeleteRequirements, attempt: Attempt) -> None:
    """Bury deleted ids, whether their request came already or comes later."""
    services.forget(event=event, attempt=attempt)
