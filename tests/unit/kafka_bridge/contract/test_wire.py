"""The wire contract: every event as JSON and back."""

import json

import pytest

from kafka_bridge.contract import codec
from kafka_bridge.contract.events import EVENTS


def test_every_event_of_the_contract_survives_the_wire():
    samples = {
        "new_user": {"user_id": 1, "username": "a@b.c", "full_name": None,
                     "created_at": "2025-01-02 03:04:05+03:00"},
        "new_resume": {"resume_id": 1, "user_id": 2, "resume": "Ёж"},
        "new_requirements": {"requirements_id": 1, "user_id": 2, "requirements": "x"},
        "delete_processing": {"processing_ids": [1, 2], "user_id": 3},
        "delete_requirements": {"processings_ids": [1], "requirements_ids": [2], "user_id": 3},
        "erase_user": {"user_id": 3},
        "new_processing": {"processing_id": 1, "user_id": 2, "resume_id": 3, "requirements_id": 4,
                           "score": 85, "matches": ["Python"], "recommendation": "r",
                           "verdict": "v"},
        "new_request": {"callback_url": "http://x/", "processing_id": 1, "user_id": 2,
                        "resume_id": 3, "requirements_id": 4, "requirements": "q", "resume": "r"},
        "new_sending": {"success": False, "message_error": "late", "wait_seconds": 7,
                        "response": {"callback_url": "http://x/", "processing_id": 1, "user_id": 2,
                                     "resume_id": 3, "requirements_id": 4, "score": None,
                                     "matches": None, "recommendation": None, "verdict": None}},
    }  # fmt: skip
    samples["new_notifications"] = samples["new_sending"]
    assert samples.keys() == {model.key for model in EVENTS}
    for model in EVENTS:
        sample = samples[model.key]
        event = codec.decode(model.topic, model.key.encode(), json.dumps(sample).encode())
        written = json.loads(codec.encode(event))
        assert written.keys() == sample.keys(), model.key
        assert codec.decode(model.topic, model.key.encode(), codec.encode(event)) == event
        if model.key != "new_user":
            assert written == sample


@pytest.mark.parametrize("spelling", ["processing_ids", "processings_ids"])
def test_both_spellings_of_the_ids_are_read(spelling):
    for key, extra in (
        (b"delete_processing", {}),
        (b"delete_requirements", {"requirements_ids": [9]}),
    ):
        body = json.dumps({spelling: [1], "user_id": 2, **extra}).encode()
        event = codec.decode("uploading_data", key, body)
        assert getattr(event, "processing_ids", None) or event.processings_ids == [1]


def test_a_text_from_the_wire_is_canonical_blank_or_refused_unlooked(settings):
    settings.MAX_CHARS_RESUME = 10

    def read(text):
        body = json.dumps({"resume_id": 1, "user_id": 2, "resume": text}).encode()
        return codec.decode("uploading_data", b"new_resume", body).resume

    assert read("  и\u0306\r\n\u200b\x00 b ") == "й\nb"
    assert read(" \u200b\n") == ""
    for too_long in ("x" * 11, "\u0301" * 300_000):
        with pytest.raises(codec.Undecodable, match="resume: text_too_long"):
            read(too_long)
