"""How far the intake is behind, by the statistics that librdkafka keeps anyway."""

import json
from typing import Any

from resume_platform import metrics

STATISTICS_MS = 5_000


def note_lag(statistics: str) -> None:
    """The lag of each partition of this consumer; what it does not own any more is forgotten."""
    metrics.KAFKA_LAG.clear()
    for topic, name in json.loads(statistics)["topics"].items():
        for number, partition in name["partitions"].items():
            if (lag := _lag(partition)) is not None:
                metrics.KAFKA_LAG.labels(topic, number).set(lag)


def _lag(partition: dict[str, Any]) -> int | None:
    """None while it is not known, or the partition is another consumer's."""
    lag = int(partition["consumer_lag"])
    return lag if lag >= 0 and partition["fetch_state"] == "active" else None
