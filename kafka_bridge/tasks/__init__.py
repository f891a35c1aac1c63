"""Task rows: `@handler` and `@batch_handler`, and what a handler may raise."""

from kafka_bridge.tasks.decorators import batch_handler, handler
from kafka_bridge.tasks.execution import Attempt, Received
from kafka_bridge.tasks.registry import LeaseLost, Permanent, RetryLater, RetryPolicy

__all__ = [
    "Attempt",
    "LeaseLost",
    "Permanent",
    "Received",
    "RetryLater",
    "RetryPolicy",
    "batch_handler",
    "handler",
]
