"""Storage rebuilt from Kafka into empty tables is what it was, and nobody is asked or called."""

import json
import uuid

import psycopg2
import pytest

from devstack.stack import Stack
from tests.stack.system.client import ApiClient, wait_for
from tests.support.commands import manage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TABLES = {
    "storage_storeduser": "user_id",
    "storage_storedresume": "resume_id",
    "storage_storedrequirements": "requirements_id",
    "storage_storedprocessing": "processing_id",
}
BRIDGE_TABLES = "kafka_bridge_deadletter, kafka_bridge_messagetask, kafka_bridge_inboxmessage"
BROKEN = "SELECT count(*) FROM kafka_bridge_deadletter WHERE reason = 'not_json'"
UNFINISHED = "SELECT 1 FROM kafka_bridge_messagetask WHERE state IN ('pending', 'leased') LIMIT 1"


@pytest.fixture
def stored(query):
    """What storage holds of these users: each id's owner, without surrogate keys and notes."""

    def snapshot(users):
        found = {}
        for table, id_name in TABLES.items():
            created = "event_at" if table == "storage_storeduser" else "create_at"
            found[table] = query(
                f"SELECT DISTINCT ON ({id_name})"
                f" to_jsonb(t) - 'id' - 'watched_run' - 'ordered_run' FROM {table} t"
                f" WHERE user_id = ANY(%s) ORDER BY {id_name}, {created}, user_id",
                users,
            )
        found["tombstones"] = query(
            "SELECT kind, target_id, user_id FROM storage_tombstone WHERE user_id = ANY(%s)"
            " ORDER BY 1, 2, 3",
            users,
        )
        return found

    return snapshot


def truncate(stack: Stack, tables: str) -> None:
    connection = psycopg2.connect(stack.info["database_url"])
    with connection, connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")
    connection.close()


def make_history(client: ApiClient, stranger: ApiClient, produce) -> None:
    """Results, runs, conflicts, repetitions, and deletes by the owner and by a stranger."""
    done, judged_again, deleted, of_deleted_requirements, coveted = (
        client.judge() for _ in range(5)
    )
    for processing in (done, judged_again, deleted, of_deleted_requirements, coveted):
        processing.callback()
    items = {item["processing_id"]: item for item in wait_for(lambda: all_of(client, 5))}

    client.post("/delete_processing", {"processings_ids": [deleted.id]})
    doomed = items[of_deleted_requirements.id]["requirements_id"]
    client.post("/delete_requirements", {"requirements_ids": [doomed]})

    again = {
        **{name: items[judged_again.id][name] for name in ("processing_id", "user_id")},
        **{name: items[judged_again.id][name] for name in ("resume_id", "requirements_id")},
        "score": 1,
        "matches": [],
        "recommendation": "Again",
        "verdict": "Not suitable",
    }
    later = json.dumps(again | {"run": 1}).encode()
    produce("uploading_data", b"new_processing", later, later)
    produce("uploading_data", b"new_processing", json.dumps(again | {"score": 2}).encode())

    theft = {"resume_id": items[done.id]["resume_id"], "user_id": stranger.user_id, "resume": "me"}
    produce("uploading_data", b"new_resume", json.dumps(theft).encode())
    strike = {"processing_ids": [coveted.id], "user_id": stranger.user_id}
    produce("uploading_data", b"delete_processing", json.dumps(strike).encode())
    produce("uploading_data", b"new_resume", b"{broken")


def all_of(client: ApiClient, count: int):
    items = client.get("/get_processing").json()
    return items if len(items) == count else None


@pytest.mark.slow
def test_storage_rebuilt_from_kafka_is_the_same_in_every_column_that_comes_from_events(
    stack, client, ai, query, stored, produce
):
    stranger = ApiClient(stack.info)
    broken_before = query(BROKEN)
    make_history(client, stranger, produce)
    users = [client.user_id, stranger.user_id]
    wait_for(lambda: query(BROKEN) != broken_before)  # what is broken came last
    wait_for(lambda: not query(UNFINISHED))
    before = stored(users)
    assert len(before["storage_storedprocessing"]) == 5
    asked = ai()["counters"].get("requests", 0)

    # Its own tables are lost, then those of the bridge as well: a fresh database.
    for lost in (", ".join([*TABLES, "storage_tombstone"]), BRIDGE_TABLES):
        truncate(stack, ", ".join([*TABLES, "storage_tombstone"]))
        if lost == BRIDGE_TABLES:
            truncate(stack, BRIDGE_TABLES)
        assert "would replay" in manage(stack, "replay", "--kafka", "--dry-run")
        assert stored(users) != before
        assert "task rows are due" in manage(stack, "replay", "--kafka")
        wait_for(lambda: not query(UNFINISHED))
        assert stored(users) == before

    # Nobody was asked or called: the bridge's tables, emptied, hold storage's tasks alone.
    replayed = {name for (name,) in query("SELECT DISTINCT name FROM kafka_bridge_messagetask")}
    assert "storage.apply" in replayed
    assert replayed <= {"storage.apply", "storage.erase"}  # other tests erase their users
    assert ai()["counters"].get("requests", 0) == asked
    work_goes_on = client.judge(f"/hook/{uuid.uuid4().hex}")
    work_goes_on.callback()
