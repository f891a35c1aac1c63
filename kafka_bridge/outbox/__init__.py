"""The outbox: state and event commit together; the relay produces."""

from kafka_bridge.outbox.enqueue import NOTIFY_CHANNEL, OutboxOutsideTransaction, enqueue

__all__ = ["NOTIFY_CHANNEL", "OutboxOutsideTransaction", "enqueue"]
