"""Nothing is lost and nothing happens twice, whatever dies, forgets or repeats itself."""

import json
import signal

import pytest

from tests.stack.system.client import ApiClient, Processing, wait_for

pytestmark = pytest.mark.e2e

UNFINISHED = "SELECT id FROM kafka_bridge_messagetask WHERE state IN ('pending', 'leased')"


def analysis_state(query, processing):
    """The state of the analyze task of a processing; texts in the inbox are JSON in UTF-8."""
    return query(
        "SELECT t.state FROM kafka_bridge_messagetask t"
        " JOIN kafka_bridge_inboxmessage m ON m.id = t.message_id"
        " WHERE t.name = 'ai.analyze'"
        " AND (convert_from(m.value, 'UTF8')::json->>'processing_id')::bigint = %s",
        processing.id,
    )


def calls(ai):
    """How many times the AI was asked."""
    return ai()["counters"].get("requests", 0)


def wait_until_it_is_judged_right_now(query, ai, processing):
    wait_for(lambda: analysis_state(query, processing) == [("leased",)])
    wait_for(lambda: calls(ai) > ai()["counters"].get("answered", 0))


def wait_until_all_is_done(query):
    """No work is left, so nothing more will be called back."""
    wait_for(lambda: not query(UNFINISHED))


def test_a_worker_killed_in_the_middle_of_a_judgement_loses_nothing(stack, client, ai, query):
    ai(delay=2)
    processing = client.judge()
    wait_until_it_is_judged_right_now(query, ai, processing)
    stack.kill("worker-ai", signal.SIGKILL)
    ai(delay=0)

    processing.callback()
    wait_until_all_is_done(query)
    assert len(processing.callbacks()) == 1
    assert query("SELECT count(*) FROM ai_analysis WHERE processing_id = %s", processing.id) == [
        (1,)
    ]


def test_valkey_forgetting_everything_loses_nothing(client, ai, query, queue):
    ai(delay=5)
    # More than the worker takes at once, so that wake-ups wait in Valkey when it forgets them.
    processings = [client.judge() for _ in range(40)]
    wait_for(lambda: queue.llen("ai") > 0)
    queue.flushall()
    ai(delay=0)
    for processing in processings:
        processing.callback()
    wait_until_all_is_done(query)
    assert [len(processing.callbacks()) for processing in processings] == [1] * len(processings)


def test_a_broker_that_comes_back_empty_is_not_mistaken_for_old_news(stack, client, query):
    client.judge().callback()
    before = stack.info["kafka_bootstrap_servers"]
    bridge = stack.pids["bridge"]
    stack.kill("kafka", signal.SIGKILL)
    wait_for(lambda: stack.info["kafka_bootstrap_servers"] != before)
    wait_for(lambda: stack.pids.get("bridge") not in (None, bridge))
    stack.wait_ready(timeout=60)
    processings = [client.judge() for _ in range(8)]
    for processing in processings:
        processing.callback()
    wait_until_all_is_done(query)
    assert [len(processing.callbacks()) for processing in processings] == [1] * 8


def test_a_bridge_that_is_killed_loses_nothing(stack, client, query):
    processings = []
    for _ in range(3):
        processings += [client.judge() for _ in range(3)]
        wait_for(lambda: "bridge" in stack.pids)
        stack.kill("bridge", signal.SIGKILL)
    for processing in processings:
        processing.callback(90)
    stack.wait_ready(timeout=60)
    wait_until_all_is_done(query)
    assert [len(processing.callbacks()) for processing in processings] == [1] * 9


def test_a_delete_during_the_judgement_leaves_no_result_and_no_callback(client, ai, query):
    ai(delay=2)
    processing = client.judge()
    wait_until_it_is_judged_right_now(query, ai, processing)
    assert client.post("/delete_processing", {"processings_ids": [processing.id]}) == {
        "is_deleted": True
    }
    wait_for(lambda: analysis_state(query, processing) == [("done",)])
    wait_until_all_is_done(query)
    assert processing.callbacks() == []
    assert processing.stored() is None
    answer = client.get("/get_processing", processing_id=processing.id, status="all")
    assert answer.status_code == 404
    assert query("SELECT count(*) FROM ai_analysis WHERE processing_id = %s", processing.id) == [
        (0,)
    ]


def test_a_request_that_comes_twice_is_judged_and_called_back_once(client, ai, query, produce):
    processing = client.judge()
    processing.callback()
    [(partition, value)] = query(
        "SELECT partition, value FROM kafka_bridge_inboxmessage WHERE key = 'new_request'"
        " AND (convert_from(value, 'UTF8')::json->>'processing_id')::bigint = %s",
        processing.id,
    )
    asked = calls(ai)
    produce("AI_handler", b"new_request", bytes(value), bytes(value), partition=partition)
    wait_for(lambda: analysis_state(query, processing) == [("done",)] * 3)
    wait_until_all_is_done(query)
    assert len(processing.callbacks()) == 1
    assert calls(ai) == asked


def test_a_neighbours_events_are_handled_as_our_own(stack, client, query, produce):
    """No headers, ids we never issued, a user we never saw."""
    path = "/hook/foreign"
    request = {
        "callback_url": stack.info["callback_sink"] + path,
        "processing_id": 900_000_001,
        "user_id": 900_000_002,
        "resume_id": 900_000_003,
        "requirements_id": 900_000_004,
        "requirements": "Must have: Python, Docker",
        "resume": "I write Python and use Docker every day.",
    }
    produce("AI_handler", b"new_request", json.dumps(request).encode())
    body = json.loads(Processing(client, request["processing_id"], path).callback()["body"])
    assert body["response"]["verdict"] in ("Suitable", "Not suitable")
    wait_for(
        lambda: query(
            "SELECT 1 FROM storage_storedprocessing WHERE processing_id = 900000001"
            " AND user_id = 900000002 AND status = 'finished'"
        )
    )


def test_messages_that_are_none_become_dead_letters_and_hold_up_nobody(client, query, produce):
    [(before,)] = query("SELECT count(*) FROM kafka_bridge_deadletter")
    for partition in range(4):
        produce("AI_handler", b"new_request", b"\xff\xfe{", b"[]", partition=partition)
        produce("uploading_data", b"no_such_event", b"{}", partition=partition)
    processing = client.judge()
    processing.callback()
    wait_for(lambda: query("SELECT count(*) FROM kafka_bridge_deadletter") == [(before + 12,)])
    letters = query("SELECT DISTINCT reason FROM kafka_bridge_deadletter WHERE source = 'intake'")
    assert set(letters) >= {("not_json",), ("invalid",), ("unknown_key",)}


def test_no_text_and_no_token_is_in_any_log(stack, client, query):
    marker = "МаркерРезюме"
    processing = client.start(client.upload(resume=f"Python. {marker}"))
    processing.callback()
    wait_until_all_is_done(query)
    token = str(client.session.headers["Authorization"]).removeprefix("Bearer ")
    for name in ("web", "bridge", "worker-storage", "worker-ai", "worker-webhooks", "flower"):
        text = stack.log(name)
        for secret in (marker, token, client.password, processing.path):
            assert secret not in text, name
    events = [json.loads(line) for line in stack.log("worker-ai").splitlines() if line[:1] == "{"]
    assert processing.id in [e.get("processing_id") for e in events if e["event"] == "ai.settled"]


def test_a_second_user_is_served_after_all_that(stack, query):
    ApiClient(stack.info).judge().callback()
    wait_until_all_is_done(query)
