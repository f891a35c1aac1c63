"""How long the relay takes from a commit to Kafka, on an idle system: a part of `./dev bench`."""

import json
import time
import uuid

import psycopg2

from devstack.errors import StackError

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.0005
# A deletion of what never was: harmless wherever it arrives.
EVENT = {"processing_ids": [2**62], "user_id": 2**62}


class RelayDelay:
    """Commits one event and waits until its row is gone, which it is after the broker's word.

    So a figure holds the commit, the broker's acknowledgement and the removal: an upper bound.
    """

    def __init__(self, database_url: str) -> None:
        self._db = psycopg2.connect(database_url)
        self._db.autocommit = True

    def once(self) -> float:
        """Milliseconds."""
        event_id = str(uuid.uuid4())
        with self._db.cursor() as cursor:
            started = time.perf_counter()
            cursor.execute(
                "INSERT INTO kafka_bridge_outboxmessage"
                " (event_id, topic, key, partition_key, value, traceparent, occurred_at)"
                " VALUES (%s, 'uploading_data', 'delete_processing', %s, %s, '', now())",
                [event_id, EVENT["user_id"], json.dumps(EVENT).encode()],
            )
            while True:
                cursor.execute(
                    "SELECT 1 FROM kafka_bridge_outboxmessage WHERE event_id = %s", [event_id]
                )
                passed = time.perf_counter() - started
                if cursor.fetchone() is None:
                    return passed * 1000
                if passed > WAIT_SECONDS:
                    raise StackError(f"the relay took more than {WAIT_SECONDS:.0f} s.")
                time.sleep(POLL_SECONDS)
