"""How far the intake is behind, by the statistics that librdkafka keeps anyway."""

import json
from typing import Any

from resume_platform.observability import metrics

STATISTICS_MS = 5_000


def note_lag(statistics: str) -> None:
    """The lag of each partition of this consumer; what it does not own any more is forgotten."""
    metrics.KAFKA_LAG.clear()
    for topic, its in json.loads(statistics)["topics"].items():
        for number, partition in its["partitions"].items():
            lag = lag_of(partition)
            if lag is not None:
                metrics.KAFKA_LAG.labels(topic, number).set(lag)


def lag_of(partition: dict[str, Any]) -> int | None:
    """Messages behind what is committed; None while the log's end is not known or not ours.

    librdkafka's own `consumer_lag` knows nothing of a group that has not committed yet.
    """
    end: int = partition["hi_offset"]
    if partition["fetch_state"] != "active" or end < 0:
        return None
    begin: int = max(partition["committed_offset"], partition["lo_offset"], 0)
    return max(0, end - begin)
