"""The notifications' handlers: expect a callback, make it, or call it off."""

from typing import cast

from django.conf import settings

from apps.notifications import (
    claims,
    erasure,  # noqa: F401  registers its handler
    services,
)
from kafka_bridge.contract.events import (
    DeleteProcessing,
    DeleteRequirements,
    NewNotifications,
    NewRequest,
    NewSending,
)
from kafka_bridge.tasks import Attempt, Received, RetryPolicy, batch_handler, handler

WEBHOOK_RETRY = RetryPolicy(schedule=tuple(settings.WEBHOOK_RETRY_SCHEDULE))


@batch_handler("notifications.register", NewRequest, queue="webhooks")
def register(batch: list[Received]) -> None:
    """Callbacks will be owed. Permanent: a processing is another user's."""
    claims.register([cast(NewRequest, received.event) for received in batch])


@handler(
    "notifications.deliver", NewSending, NewNotifications, queue="webhooks", retry=WEBHOOK_RETRY
)
def deliver(event: NewSending | NewNotifications, attempt: Attempt) -> None:
    """Post one outcome to its callback, at least once.

    Raises RetryLater on a connection, name or TLS that fails, a timeout, 408, 429 and 5xx;
    Permanent on any other answer but 2xx, a forbidden address and a URL that is none.
    """
    services.deliver(event=event, attempt=attempt)


@handler("notifications.cancel", DeleteProcessing, DeleteRequirements, queue="webhooks")
def cancel(event: DeleteProcessing | DeleteRequirements, attempt: Attempt) -> None:
    """Call off what its owner deleted."""
    services.cancel(event=event, attempt=attempt)
