"""What a backlog must not make slower is found by its key, whatever the statistics say."""

import re
import uuid

import pytest
from django.db import connection

from kafka_bridge import due, leases

pytestmark = pytest.mark.django_db

LEASE = {"name": "storage.apply", "ids": [1, 2], "limit": 2, "alone": False, "lease": 60}
TAKE = {"name": "storage.apply", "again": 30, "limit": 80, "window": 2000}


def plan(sql, parameters):
    """With statistics that know of no pending row."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", parameters)
        return [line.strip() for (line,) in cursor.fetchall()]


def generic_plan(statement, parameters):
    """Of one that was prepared: made without a look at the parameters."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(statement.preparation)
        try:
            cursor.execute(f"EXPLAIN (COSTS OFF) {statement.execution}", parameters)
            return [line.strip() for (line,) in cursor.fetchall()]
        finally:
            cursor.execute(f"DEALLOCATE {statement.name}")


def scans(lines):
    return re.findall(r"Index (?:Only )?Scan (?:using|on) (\S+)", "\n".join(lines))


@pytest.mark.parametrize("plan_of", [lambda it, of: plan(it.sql, of), generic_plan])
def test_a_claim_reads_its_rows_alone(plan_of):
    found = scans(plan_of(leases._CLAIM_TOGETHER, {**LEASE, "token": str(uuid.uuid4())}))
    assert set(found) == {"kafka_bridge_messagetask_pkey", "kafka_bridge_inboxmessage_pkey"}


@pytest.mark.parametrize("plan_of", [lambda it, of: plan(it.sql, of), generic_plan])
def test_a_claim_of_suspects_reads_suspects_alone(plan_of):
    found = scans(plan_of(leases._CLAIM_ALONE, {**LEASE, "token": str(uuid.uuid4())}))
    assert found.count("message_task_suspect") == 1
    assert "message_task_due" not in found


@pytest.mark.parametrize("plan_of", [lambda it, of: plan(it.sql, of), generic_plan])
def test_the_end_of_rows_reads_them_alone(plan_of):
    found = scans(plan_of(leases._FINISH, {"ids": [1, 2], "token": str(uuid.uuid4())}))
    assert found == ["kafka_bridge_messagetask_pkey"]


@pytest.mark.parametrize("sql", [due._OLDEST, due._IN_TURNS], ids=["batches", "in turns"])
def test_the_dispatcher_reads_what_is_due_once(sql):
    found = scans(plan(sql, TAKE))
    assert found.count("message_task_due") == 1
    assert set(found) - {"message_task_due"} <= {
        "kafka_bridge_messagetask_pkey",
        "kafka_bridge_inboxmessage_pkey",
    }
