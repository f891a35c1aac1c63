"""What a backlog must not make slower is found by its key, whatever the statistics say."""

import re
import uuid

import pytest
from django.db import connection

from kafka_bridge.dispatch import fair_queue
from kafka_bridge.tasks import leases

pytestmark = pytest.mark.django_db

LEASE = {"name": "storage.apply", "ids": [1, 2], "limit": 2, "alone": False, "lease": 60}
TAKE = {"name": "storage.apply", "again": 30, "limit": 80, "window": 2000}


def plan(sql, parameters):
    """With statistics that know of no pending row."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", parameters)
        return [line.strip() for (line,) in cursor.fetchall()]


def scans(lines):
    return re.findall(r"Index (?:Only )?Scan (?:using|on) (\S+)", "\n".join(lines))


def test_a_claim_reads_its_rows_alone():
    found = scans(plan(leases._CLAIM_TOGETHER, {**LEASE, "token": str(uuid.uuid4())}))
    assert set(found) == {"kafka_bridge_messagetask_pkey", "kafka_bridge_inboxmessage_pkey"}


def test_a_claim_of_suspects_reads_suspects_alone():
    found = scans(plan(leases._CLAIM_ALONE, {**LEASE, "token": str(uuid.uuid4())}))
    assert found.count("message_task_suspect") == 1
    assert "message_task_due" not in found


def test_the_end_of_rows_reads_them_alone():
    found = scans(plan(leases._FINISH, {"ids": [1, 2], "token": str(uuid.uuid4())}))
    assert found == ["kafka_bridge_messagetask_pkey"]


@pytest.mark.parametrize(
    "sql", [fair_queue._OLDEST, fair_queue._IN_TURNS], ids=["batches", "in turns"]
)
def test_the_dispatcher_reads_what_is_due_once(sql):
    found = scans(plan(sql, TAKE))
    assert found.count("message_task_due") == 1
    assert set(found) - {"message_task_due"} <= {
        "kafka_bridge_messagetask_pkey",
        "kafka_bridge_inboxmessage_pkey",
    }
