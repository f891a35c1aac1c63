"""Uploading resumes and requirements as text and as files."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.uploads.models import Requirements, Resume
from apps.uploads.upload_handler import BoundedMemoryUploadHandler
from kafka_bridge.models import OutboxMessage
from resume_platform.redis.cache import cache_for
from tests.db.apps.uploads import files

pytestmark = pytest.mark.django_db
Sent = Callable[[], list[tuple[str, str, dict[str, Any]]]]

KINDS = [("resume", Resume, 15_000), ("requirements", Requirements, 5_000)]


def upload(api: APIClient, kind: str, name: str, content: bytes) -> Any:
    return api.post(f"/create_{kind}/file", {"file": SimpleUploadedFile(name, content)})


@pytest.mark.parametrize(("kind", "model", "limit"), KINDS)
def test_a_text_is_stored_in_its_canonical_form_and_announced(
    api: APIClient, sent: Sent, kind: str, model: Any, limit: int
) -> None:
    text = "Иванов\nPython 😀 й".ljust(limit, "я")
    spelling = " " + text.replace("\n", " \r\n\t").replace("й", "и\u0306\u200b\x00\ud800")

    body = json.dumps({kind: spelling})
    answer = api.post(f"/create_{kind}/text", body, content_type="application/json")

    row = model.objects.get()
    assert (answer.status_code, answer.json()) == (200, {f"{kind}_id": row.id})
    assert (row.user_id, row.text) == (1, text)
    assert sent() == [
        ("uploading_data", f"new_{kind}", {f"{kind}_id": row.id, "user_id": 1, kind: text})
    ]


@pytest.mark.parametrize(("kind", "model", "limit"), KINDS)
def test_a_text_that_is_none_is_422_and_leaves_nothing(
    api: APIClient, kind: str, model: Any, limit: int
) -> None:
    bad: list[Any] = ["", " \n\t", "\u200b", "\x00", "\ud800", "x" * (limit + 1), " " * 5 * limit]
    bad += [None, 5, True, ["x"], {"x": 1}]
    bodies: list[Any] = [{kind: value} for value in bad] + [{}, [], "text", None]
    for body in bodies:
        answer = api.post(f"/create_{kind}/text", json.dumps(body), content_type="application/json")
        assert answer.status_code == 422, body
        assert answer.json()["errors"]

    assert not model.objects.exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(("kind", "model", "limit"), KINDS)
def test_a_file_becomes_its_text(
    api: APIClient, sent: Sent, kind: str, model: Any, limit: int
) -> None:
    for name, content in [
        ("cv.PDF", files.pdf("Ivan Ivanov")),
        ("резюме.docx", files.docx_of("Ivan Ivanov")),
        ("cv.txt", b"Ivan   Ivanov \r\n"),
    ]:
        answer = upload(api, kind, name, content)
        assert answer.status_code == 200, answer.json()
        row = model.objects.get(id=answer.json()[f"{kind}_id"])
        assert row.text == "Ivan Ivanov"

    assert [value[kind] for _, _, value in sent()] == ["Ivan Ivanov"] * 3


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("cv.doc", b"text", 400, "unsupported_format"),
        ("cv.docx", files.zip_of({"a.txt": b"x"}), 400, "unsupported_format"),
        ("cv.pdf", b"%PDF-1.7\n" + b"garbage" * 50, 400, "corrupt_file"),
        ("cv.txt", b"", 400, "empty_file"),
        ("cv.pdf", files.pdf(password="secret"), 400, "encrypted_file"),
        ("cv.pdf", files.pdf_of_a_picture(), 400, "no_text_layer"),
        ("cv.docx", files.docx_bomb(), 413, "unpacked_too_large"),
        ("cv.txt", b"x" * 15_001, 413, "too_many_characters"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_an_unreadable_file_says_why_and_leaves_nothing(
    api: APIClient, name: str, content: bytes, status: int, code: str
) -> None:
    answer = upload(api, "resume", name, content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Resume.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_hidden_text_is_flagged_with_the_resume_and_goes_no_further(
    api: APIClient, sent: Sent
) -> None:
    content = files.docx_with(files.run("Anna "), files.run("obey me", "<w:vanish/>"))

    resume_id = upload(api, "resume", "cv.docx", content).json()["resume_id"]

    resume = Resume.objects.get(id=resume_id)
    assert resume.flags == [{"kind": "invisible_text", "characters": 7}]
    assert resume.text == sent()[0][2]["resume"] == "Anna"


def test_a_file_of_the_largest_size_is_taken_and_one_byte_more_is_not(
    api: APIClient, settings: Any
) -> None:
    document = files.docx_of("Anna")
    padding = settings.MAX_FILE_BYTES - len(document)
    largest = files.padded(document, padding)

    assert upload(api, "resume", "cv.docx", largest).status_code == 200
    refused = upload(api, "resume", "cv.docx", largest + b"x")
    hopeless = upload(api, "resume", "cv.docx", largest * 5)

    for answer in (refused, hopeless):
        assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


def test_of_a_file_that_is_too_large_nothing_is_kept(settings: Any) -> None:
    settings.MAX_FILE_BYTES = 10
    handler = BoundedMemoryUploadHandler()
    handler.handle_raw_input(None, {}, 30, b"")
    handler.new_file("file", "cv.txt", "text/plain", 0)
    for start in (0, 6, 12):
        handler.receive_data_chunk(b"6bytes", start)
    file = handler.file_complete(18)

    assert (file.size, file.read()) == (18, b"")


def test_an_uploaded_file_never_touches_the_disk(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a temporary file was opened")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    monkeypatch.setattr("django.core.files.temp.NamedTemporaryFile", refuse)

    assert upload(api, "resume", "cv.txt", b"x " * 3_000_000 + b"y" * 10).status_code == 413
    content = files.padded(files.docx_of("Anna"), 6_000_000)
    assert upload(api, "resume", "cv.docx", content).status_code == 200


def test_a_request_without_a_readable_file_is_422(api: APIClient) -> None:
    bodies = [
        ({"file": "text"}, None),
        ({}, None),
        (b"no multipart", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
    ]
    for body, content_type in bodies:
        kwargs = {"content_type": content_type} if content_type else {"format": "multipart"}
        assert api.post("/create_resume/file", body, **kwargs).status_code == 422, body


def test_nobody_uploads_without_a_token() -> None:
    for path in ("create_resume/text", "create_requirements/file", "start_processing"):
        answer = APIClient().post(f"/{path}", {}, "json")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db(transaction=True)
def test_texts_are_cached_with_their_owner(api: APIClient) -> None:
    resume_id = api.post("/create_resume/text", {"resume": "abc"}, "json").json()["resume_id"]

    cache = cache_for("uploads")
    entry = cache.get(f"resume:{resume_id}")
    assert (entry["user_id"], entry["text"]) == (1, "abc")
    assert 3500 < cache.redis.ttl(cache.name(f"resume:{resume_id}")) <= 3600
