"""The contract's name of a topic, from its name in the cluster (KAFKA_TOPIC_...)."""

from django.conf import settings


def contract_name(physical: str) -> str:
    """Unknown names are returned as they are: the setting may have changed since."""
    for logical, name in settings.KAFKA_TOPICS.items():
        if name == physical:
            return str(logical)
    return physical
