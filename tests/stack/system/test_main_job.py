"""The main job across real processes: an upload becomes a stored, signed, called-back verdict."""

import json

import pytest
from standardwebhooks.webhooks import Webhook

from tests.stack.system.client import ApiClient, wait_for

pytestmark = pytest.mark.e2e


def test_a_resume_is_judged_stored_and_called_back_signed(stack, client):
    processing = client.judge()
    received = processing.callback()

    body = json.loads(received["body"])
    assert body["success"] is True
    assert body["message_error"] is None
    assert body["wait_seconds"] is None
    response = body["response"]
    assert "callback_url" not in response
    assert response["processing_id"] == processing.id
    assert response["user_id"] == client.user_id
    assert 0 <= response["score"] <= 100
    assert response["verdict"] in ("Подходит", "Не подходит")
    assert response["matches"]

    for secret in (
        stack.environment.values["WEBHOOK_SECRET"],
        client.get("/webhook_secret").json()["secret"],
    ):
        Webhook(secret).verify(received["body"], received["headers"])

    stored = wait_for(processing.stored)
    assert stored["status"] == "finished"
    assert {name: stored[name] for name in ("score", "verdict", "resume_id")} == {
        name: response[name] for name in ("score", "verdict", "resume_id")
    }
    [detail] = client.get("/get_processing_detail", processing_id=processing.id).json()
    assert detail["matches"] == response["matches"]
    assert detail["recommendation"] == response["recommendation"]
    assert "Иван Примеров" in detail["resume"]


def test_files_are_judged_as_texts_are(stack, client, pytestconfig):
    examples = pytestconfig.rootpath / "examples"
    labels = json.loads((examples / "labels.json").read_text(encoding="utf-8"))
    vacancy = labels["vacancies"][0]
    ids = {}
    for kind, name in (
        ("requirements", vacancy["file"]),
        ("resume", vacancy["candidates"][0]["file"]),
    ):
        with (examples / name).open("rb") as file:
            answer = client.session.post(
                f"{client.info['api']}/create_{kind}/file", files={"file": file}, timeout=30
            )
        assert answer.status_code == 200, answer.text
        ids |= answer.json()
    body = json.loads(client.start(ids).callback()["body"])
    assert body["success"] is True
    assert body["response"]["score"] >= 60


def test_a_callback_that_fails_at_first_is_tried_again_under_the_same_id(client):
    processing = client.judge(path="/flaky/2/once-more")
    wait_for(lambda: len(processing.callbacks()) == 3)
    received = processing.callbacks()
    assert len({call["headers"]["webhook-id"] for call in received}) == 1
    assert len({call["body"] for call in received}) == 1


def test_another_users_processing_is_not_shown(stack, client):
    processing = client.judge()
    wait_for(processing.stored)
    stranger = ApiClient(stack.info)
    for path in ("/get_processing", "/get_processing_detail"):
        answer = stranger.get(path, processing_id=processing.id)
        assert answer.status_code == 403, path
        assert set(answer.json()) == {"detail", "code"}
    assert stranger.get("/get_processing").json() == []
    assert stranger.post("/delete_processing", {"processings_ids": [processing.id]}) == {
        "is_deleted": False
    }
    assert processing.stored()


def test_the_provider_refusing_us_is_told_to_the_client_as_a_failure(client, ai):
    error = {"error": {"message": "secret detail", "type": "x", "code": "invalid_api_key"}}
    ai(fail=[{"status": 401, "body": error, "times": 9}])
    received = client.judge().callback()
    body = json.loads(received["body"])
    assert received["headers"]["x-error-notification"] == "true"
    assert body["status"] == "error"
    assert body["error"]["type"] == "processing_error"
    assert "secret detail" not in received["body"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/start_processing", {"resume_id": 1}, 422),
        ("POST", "/create_resume/text", {"resume": "  "}, 422),
        ("POST", "/create_resume/text", {"resume": "x" * 15_001}, 422),
        ("GET", "/get_resume?resume_id=999999999", None, 404),
        ("GET", "/no/such/place", None, 404),
    ],
)
def test_bad_input_gets_its_status_and_a_sentence(client, method, path, body, status):
    answer = client.session.request(method, client.info["api"] + path, json=body, timeout=30)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert answer.json()["code"]


def test_a_body_that_is_no_json_and_a_token_that_is_none_change_nothing(client, query):
    before = query("SELECT count(*) FROM uploads_resume")
    url = client.info["api"] + "/create_resume/text"
    headers = {"Content-Type": "application/json"}
    assert client.session.post(url, data="{no json", headers=headers, timeout=9).status_code == 422
    wrong = {"Authorization": "Bearer not.a.token"}
    answer = client.session.post(url, json={"resume": "x"}, headers=wrong, timeout=9)
    assert answer.status_code == 401
    broken = {"file": ("cv.pdf", b"%PDF-1.7 broken", "application/pdf")}
    answer = client.session.post(
        client.info["api"] + "/create_resume/file", files=broken, timeout=30
    )
    assert answer.status_code == 400
    assert query("SELECT count(*) FROM uploads_resume") == before
