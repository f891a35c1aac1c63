"""What a stack's database and its receiver of callbacks hold after a run."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg2
import requests

from devstack.client import TIMEOUT_SECONDS

_UNDER_WAY = """
SELECT (SELECT count(*) FROM kafka_bridge_outboxmessage),
       (SELECT count(*) FROM kafka_bridge_messagetask WHERE state IN ('pending', 'leased'))
"""
_STORED = """
SELECT processing_id, status FROM storage_storedprocessing WHERE status IN ('finished', 'failed')
"""
_ANALYSED = "SELECT processing_id, count(*) FROM ai_analysis GROUP BY 1"
_REQUESTED = "SELECT callback_url, count(*) FROM storage_storedprocessing GROUP BY 1"
_DEAD_LETTERS = """
SELECT concat_ws(' ', letter.source, task.name, letter.reason), count(*)
FROM kafka_bridge_deadletter AS letter
LEFT JOIN kafka_bridge_messagetask AS task ON task.id = letter.task_id
GROUP BY 1 ORDER BY 1
"""


class Evidence:
    """One look each; the database may be restarted between two."""

    def __init__(self, *, database_url: str, sink: str) -> None:
        self._database_url = database_url
        self._sink = sink

    def under_way(self) -> tuple[int, int]:
        """(rows in the outbox, tasks that are owed)."""
        [(outbox, tasks)] = self._query(_UNDER_WAY)
        return int(outbox), int(tasks)

    def stored(self) -> dict[int, str]:
        return dict(self._query(_STORED))

    def analysed(self) -> dict[int, int]:
        return dict(self._query(_ANALYSED))

    def requested(self) -> dict[str, int]:
        """By the callback's path."""
        return {url.removeprefix(self._sink): count for url, count in self._query(_REQUESTED)}

    def dead_letters(self) -> dict[str, int]:
        return dict(self._query(_DEAD_LETTERS))

    def callbacks(self) -> dict[str, list[str]]:
        with requests.Session() as http:
            http.trust_env = False
            answer = http.get(f"{self._sink}/received", timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        found: dict[str, list[str]] = defaultdict(list)
        for record in answer.json():
            found[record["path"]].append(record["headers"]["webhook-id"])
        return dict(found)

    def duplicates(self) -> int:
        """Messages that Kafka holds more than once, since the relay had to send them again."""
        copies = Counter(
            dict(
                self._query(
                    "SELECT event_id, count(*) FROM kafka_bridge_inboxmessage"
                    " WHERE event_id <> '' GROUP BY 1 HAVING count(*) > 1"
                )
            )
        )
        return sum(copies.values()) - len(copies)

    def _query(self, sql: str) -> Sequence[Any]:
        connection = psycopg2.connect(self._database_url, connect_timeout=5)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            connection.close()
