"""Section 1 of the contract, line by line: a test for every status, named after the promise."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.auth.models import Session
from apps.storage.models import Status, StoredProcessing, StoredRequirements, StoredResume
from apps.uploads.models import Processing, Requirements, Resume
from resume_platform.observability.readiness import Part, State
from resume_platform.redis.cache import connect, counters_for
from tests.contract.test_openapi import TABLE
from tests.db.apps.uploads import files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]

SEEN: set[tuple[str, str, int]] = set()
"""(method, path, status) of every answer to this module's tests."""

PASSWORD = "correct-horse-battery"
NOW = "2026-11-21T12:00:00Z"
CALLBACK = "https://recruiter.example.com/cb"
ANNA = {"username": "anna@example.com", "password": PASSWORD, "full_name": "Anna"}
Post = Callable[..., Any]


def call(client: APIClient, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method.lower())(path, body, format="json")


def error(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert set(answer.json()) == {"detail", "code", *(["errors"] if status == 422 else [])}


@pytest.fixture(autouse=True)
def _watch(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = APIClient.request

    def watched(self: APIClient, **environ: Any) -> Any:
        answer = plain(self, **environ)
        SEEN.add((environ["REQUEST_METHOD"].lower(), environ["PATH_INFO"], answer.status_code))
        return answer

    monkeypatch.setattr(APIClient, "request", watched)


@pytest.fixture
def guest() -> APIClient:
    return APIClient()


@pytest.fixture
def anna(guest: APIClient) -> APIClient:
    """Registered and logged in; `user_id` and `pair` are hers."""
    client = APIClient()
    client.user_id = guest.post("/auth/register", ANNA, "json").json()["user_id"]  # type: ignore[attr-defined]
    client.pair = guest.post("/auth/login", ANNA, "json").json()  # type: ignore[attr-defined]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {client.pair['access_token']}")  # type: ignore[attr-defined]
    return client


@pytest.fixture
def mine(anna: Any) -> dict[str, int]:
    """Rows of Anna's in uploads."""
    resume = Resume.objects.create(user_id=anna.user_id, text="Anna")
    requirements = Requirements.objects.create(user_id=anna.user_id, text="Python")
    return {"resume_id": resume.id, "requirements_id": requirements.id}


@pytest.fixture
def theirs() -> dict[str, int]:
    """Somebody else's rows in uploads."""
    resume = Resume.objects.create(user_id=10**9, text="Boris")
    requirements = Requirements.objects.create(user_id=10**9, text="Java")
    return {"resume_id": resume.id, "requirements_id": requirements.id}


@pytest.fixture
def stored(anna: Any) -> None:
    """What events told storage: 1 is Anna's, 2 somebody else's."""
    for number, user_id in ((1, anna.user_id), (2, 10**9)):
        claim = {"user_id": user_id, "create_at": NOW}
        StoredResume.objects.create(resume_id=number, resume="r", text_hash="1", **claim)
        StoredRequirements.objects.create(
            requirements_id=number, requirements="q", text_hash="2", **claim
        )
        StoredProcessing.objects.create(
            processing_id=number,
            resume_id=number,
            requirements_id=number,
            status=Status.FINISHED,
            score=85,
            verdict="Suitable",
            matches=["Python"],
            recommendation="Yes.",
            **claim,
        )


# --- POST /auth/register ------------------------------------------------------------------------
def test_register_answers_201_with_the_user(guest: APIClient) -> None:
    answer = call(guest, "POST", "/auth/register", ANNA)
    assert answer.status_code == 201
    assert set(answer.json()) == {"user_id", "username", "full_name", "created_at"}
    assert answer.json()["username"] == "anna@example.com"


def test_register_needs_no_full_name(guest: APIClient) -> None:
    body = {"username": "boris@example.com", "password": PASSWORD}
    answer = call(guest, "POST", "/auth/register", body)
    assert (answer.status_code, answer.json()["full_name"]) == (201, None)


def test_register_answers_409_when_the_name_is_taken_in_any_case(anna: APIClient) -> None:
    body = {**ANNA, "username": "ANNA@example.com"}
    error(call(anna, "POST", "/auth/register", body), 409, "username_taken")


def test_register_answers_422_to_what_is_invalid(guest: APIClient) -> None:
    error(call(guest, "POST", "/auth/register", {**ANNA, "username": "anna"}), 422, "invalid")
    weak = {**ANNA, "password": "12345678"}
    error(call(guest, "POST", "/auth/register", weak), 422, "weak_password")


# --- POST /auth/login ---------------------------------------------------------------------------
@pytest.mark.parametrize("content_type", ["json", "multipart"])
def test_login_answers_200_with_a_bearer_pair_to_json_and_to_form_fields(
    anna: APIClient, guest: APIClient, content_type: str
) -> None:
    body = {"username": ANNA["username"], "password": PASSWORD}
    answer = guest.post("/auth/login", body, content_type)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "refresh_token", "token_type"}
    assert answer.json()["token_type"] == "bearer"


def test_login_answers_401_alike_to_a_wrong_password_and_an_unknown_name(
    anna: APIClient, guest: APIClient
) -> None:
    wrong = call(guest, "POST", "/auth/login", {**ANNA, "password": "wrong"})
    unknown = call(guest, "POST", "/auth/login", {**ANNA, "username": "nobody@example.com"})
    error(wrong, 401, "wrong_credentials")
    assert wrong.content == unknown.content


def test_login_answers_422_without_a_password(guest: APIClient) -> None:
    error(call(guest, "POST", "/auth/login", {"username": "anna@example.com"}), 422, "invalid")


def test_login_answers_429_with_retry_after_after_five_failures(
    anna: APIClient, guest: APIClient
) -> None:
    for _ in range(5):
        call(guest, "POST", "/auth/login", {**ANNA, "password": "wrong"})
    blocked = call(guest, "POST", "/auth/login", ANNA)
    error(blocked, 429, "login_blocked")
    assert 290 <= int(blocked.headers["Retry-After"]) <= 300


# --- POST /auth/refresh_token -------------------------------------------------------------------
def test_refresh_answers_200_with_a_new_pair_and_the_old_token_dies(
    anna: Any, guest: APIClient
) -> None:
    old = {"refresh_token": anna.pair["refresh_token"]}
    answer = call(guest, "POST", "/auth/refresh_token", old)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "refresh_token", "token_type"}
    error(call(guest, "POST", "/auth/refresh_token", old), 401, "invalid_refresh_token")


@pytest.mark.parametrize("kind", ["unknown", "expired", "revoked", "reused"])
def test_refresh_answers_401_to_a_token_that_is(anna: Any, guest: APIClient, kind: str) -> None:
    token = {"refresh_token": anna.pair["refresh_token"]}
    if kind == "unknown":
        token = {"refresh_token": "x.y.z"}
    elif kind == "expired":
        Session.objects.update(expires_at="2020-01-01T00:00:00Z")
    elif kind == "revoked":
        call(anna, "POST", "/auth/logout")
    else:
        newest = call(guest, "POST", "/auth/refresh_token", token).json()
        call(guest, "POST", "/auth/refresh_token", token)
        token = {"refresh_token": newest["refresh_token"]}  # the whole session ended
    error(call(guest, "POST", "/auth/refresh_token", token), 401, "invalid_refresh_token")


# --- POST /auth/logout, GET /me -----------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_logout_answers_200_and_every_session_ends(anna: Any, guest: APIClient) -> None:
    other = guest.post("/auth/login", ANNA, "json").json()
    answer = call(anna, "POST", "/auth/logout")
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert anna.get("/me").status_code == 401
    guest.credentials(HTTP_AUTHORIZATION=f"Bearer {other['access_token']}")
    assert guest.get("/me").status_code == 401


def test_me_answers_200_with_the_user(anna: APIClient) -> None:
    answer = anna.get("/me")
    assert answer.status_code == 200
    assert set(answer.json()) == {"user_id", "username", "full_name", "created_at"}


PROTECTED = [
    ("POST", "/auth/logout"),
    ("POST", "/create_resume/text"),
    ("POST", "/create_resume/file"),
    ("POST", "/create_requirements/text"),
    ("POST", "/create_requirements/file"),
    ("POST", "/start_processing"),
    ("POST", "/delete_processing"),
    ("DELETE", "/delete_processing"),
    ("POST", "/delete_requirements"),
    ("DELETE", "/delete_requirements"),
    ("GET", "/me"),
    ("GET", "/get_resume"),
    ("GET", "/get_requirements"),
    ("GET", "/get_processing"),
    ("GET", "/get_processing_detail"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_protected_answers_401_without_a_good_token(
    guest: APIClient, method: str, path: str
) -> None:
    error(call(guest, method, path), 401, "not_authenticated")
    guest.credentials(HTTP_AUTHORIZATION="Bearer a.b.c")
    answer = call(guest, method, path)
    error(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


# --- POST /create_*/text ------------------------------------------------------------------------
KINDS = [("resume", 15_000), ("requirements", 5_000)]


@pytest.mark.parametrize(("kind", "limit"), KINDS)
def test_create_text_answers_200_with_the_id_up_to_the_limit(
    anna: APIClient, kind: str, limit: int
) -> None:
    answer = call(anna, "POST", f"/create_{kind}/text", {kind: "я" * limit})
    assert answer.status_code == 200
    assert list(answer.json()) == [f"{kind}_id"]


@pytest.mark.parametrize(("kind", "limit"), KINDS)
@pytest.mark.parametrize("wrong", ["empty", "too long"])
def test_create_text_answers_422_to_a_text_that_is(
    anna: APIClient, kind: str, limit: int, wrong: str
) -> None:
    text = " \n" if wrong == "empty" else "я" * (limit + 1)
    answer = call(anna, "POST", f"/create_{kind}/text", {kind: text})
    error(answer, 422, "invalid")
    assert list(answer.json()["errors"]) == [kind]


# --- POST /create_*/file ------------------------------------------------------------------------
def upload(client: APIClient, kind: str, name: str, content: bytes) -> Any:
    return client.post(f"/create_{kind}/file", {"file": SimpleUploadedFile(name, content)})


@pytest.mark.parametrize("kind", ["resume", "requirements"])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cv.txt", lambda: b"Anna"),
        ("cv.docx", lambda: files.docx_of("Anna")),
        ("cv.pdf", lambda: files.pdf("Anna")),
    ],
)
def test_create_file_answers_200_with_the_id_to(
    anna: APIClient, kind: str, name: str, make: Callable[[], bytes]
) -> None:
    answer = upload(anna, kind, name, make())
    assert answer.status_code == 200
    assert list(answer.json()) == [f"{kind}_id"]


BAD_FILES: dict[str, tuple[int, str, str, Callable[[], bytes]]] = {
    "of another format": (400, "unsupported_format", "cv.rtf", lambda: b"{\\rtf1}"),
    "corrupt": (400, "corrupt_file", "cv.pdf", lambda: b"no pdf at all"),
    "empty": (400, "empty_file", "cv.txt", lambda: b""),
    "without a text layer": (400, "no_text_layer", "cv.pdf", files.pdf_of_a_picture),
    "encrypted": (400, "encrypted_file", "cv.pdf", lambda: files.pdf("x", password="secret")),
    "of too many characters": (413, "too_many_characters", "cv.txt", lambda: b"x" * 15_001),
    "of too many bytes": (413, "file_too_large", "cv.txt", lambda: b" " * 10_000_000 + b"x"),
}


@pytest.mark.parametrize("kind", ["resume", "requirements"])
@pytest.mark.parametrize("wrong", BAD_FILES)
def test_create_file_answers_400_or_413_to_a_file(anna: APIClient, kind: str, wrong: str) -> None:
    status, code, name, make = BAD_FILES[wrong]
    error(upload(anna, kind, name, make()), status, code)


# --- POST /start_processing ---------------------------------------------------------------------
def test_start_processing_answers_200_with_the_id(anna: APIClient, mine: dict[str, int]) -> None:
    answer = call(anna, "POST", "/start_processing", {**mine, "callback_url": CALLBACK})
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "Processing started",
        "processing_id": Processing.objects.get().id,
    }


@pytest.mark.parametrize("name", ["resume_id", "requirements_id"])
def test_start_processing_answers_403_to_what_is_not_the_owners(
    anna: APIClient, mine: dict[str, int], theirs: dict[str, int], name: str
) -> None:
    body = {**mine, name: theirs[name], "callback_url": CALLBACK}
    error(call(anna, "POST", "/start_processing", body), 403, "not_owner")


@pytest.mark.parametrize("name", ["resume_id", "requirements_id"])
def test_start_processing_answers_404_to_what_is_not_there(
    anna: APIClient, mine: dict[str, int], name: str
) -> None:
    body = {**mine, name: 2**62, "callback_url": CALLBACK}
    error(
        call(anna, "POST", "/start_processing", body), 404, f"{name.removesuffix('_id')}_not_found"
    )


@pytest.mark.parametrize("url", ["x", "ftp://example.com", "http://10.0.0.1/", "http://u:p@x.com"])
def test_start_processing_answers_422_to_a_bad_callback_url(
    anna: APIClient, mine: dict[str, int], url: str
) -> None:
    answer = call(anna, "POST", "/start_processing", {**mine, "callback_url": url})
    error(answer, 422, "invalid")
    assert list(answer.json()["errors"]) == ["callback_url"]


def test_start_processing_answers_429_to_the_fourth_in_a_minute(
    anna: APIClient, mine: dict[str, int]
) -> None:
    body = {**mine, "callback_url": CALLBACK}
    statuses = [call(anna, "POST", "/start_processing", body).status_code for _ in range(3)]
    blocked = call(anna, "POST", "/start_processing", body)
    assert statuses == [200] * 3
    error(blocked, 429, "too_many_starts")
    assert 28 <= int(blocked.headers["Retry-After"]) <= 30


# --- DELETE or POST /delete_* -------------------------------------------------------------------
@pytest.mark.parametrize("method", ["DELETE", "POST"])
@pytest.mark.parametrize("spelling", ["processings_ids", "processing_ids"])
def test_delete_processing_answers_200_by_both_methods_and_spellings(
    anna: Any, mine: dict[str, int], method: str, spelling: str
) -> None:
    row = Processing.objects.create(user_id=anna.user_id, callback_url=CALLBACK, **mine)
    answers = [call(anna, method, "/delete_processing", {spelling: [row.id]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json() for answer in answers] == [{"is_deleted": True}, {"is_deleted": False}]


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_delete_requirements_answers_200_and_its_processings_go_too(
    anna: Any, mine: dict[str, int], method: str
) -> None:
    row = Processing.objects.create(user_id=anna.user_id, callback_url=CALLBACK, **mine)
    body = {"requirements_ids": [mine["requirements_id"]]}
    answer = call(anna, method, "/delete_requirements", body)
    assert (answer.status_code, answer.json()) == (200, {"is_deleted": True})
    row.refresh_from_db()
    assert row.deleted_at


@pytest.mark.parametrize("method", ["DELETE", "POST"])
@pytest.mark.parametrize(
    ("path", "name"),
    [("/delete_processing", "processings_ids"), ("/delete_requirements", "requirements_ids")],
)
def test_delete_answers_422_without_a_list_of_at_most_a_thousand_ids(
    anna: APIClient, method: str, path: str, name: str
) -> None:
    for body in ({}, {name: 5}, {name: ["x"]}, {name: [2**63]}, {name: list(range(1, 1002))}):
        error(call(anna, method, path, body), 422, "invalid")


# --- the reads ----------------------------------------------------------------------------------
ITEM = {"processing_id", "resume_id", "requirements_id", "user_id", "create_at", "score", "verdict"}


@pytest.mark.usefixtures("stored")
def test_get_resume_answers_200_403_and_404(anna: Any) -> None:
    answer = anna.get("/get_resume", {"resume_id": 1})
    assert answer.status_code == 200
    assert answer.json() == {"resume_id": 1, "user_id": anna.user_id, "resume": "r"}
    error(anna.get("/get_resume", {"resume_id": 2}), 403, "not_owner")
    error(anna.get("/get_resume", {"resume_id": 3}), 404, "not_found")


@pytest.mark.usefixtures("stored")
def test_get_requirements_answers_200_403_and_404(anna: Any) -> None:
    expected = [{"requirements_id": 1, "user_id": anna.user_id, "requirements": "q"}]
    for query in ({}, {"requirements_id": 1}):
        answer = anna.get("/get_requirements", query)
        assert (answer.status_code, answer.json()) == (200, expected)
    error(anna.get("/get_requirements", {"requirements_id": 2}), 403, "not_owner")
    error(anna.get("/get_requirements", {"requirements_id": 3}), 404, "not_found")


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/get_processing", set()),
        ("/get_processing_detail", {"resume", "requirements", "matches", "recommendation"}),
    ],
)
def test_get_processing_answers_200_400_403_and_404(
    anna: APIClient, path: str, more: set[str]
) -> None:
    for query in ({}, {"processing_id": 1}, {"requirements_id": 1}, {"sort_by": "score"}):
        answer = anna.get(path, query)
        assert answer.status_code == 200
        assert [item["processing_id"] for item in answer.json()] == [1]
        assert ITEM | more <= set(answer.json()[0])
        assert answer.headers["X-Total-Count"] == "1"
    error(anna.get(path, {"processing_id": 1, "requirements_id": 1}), 400, "two_filters")
    for name in ("processing_id", "requirements_id"):
        error(anna.get(path, {name: 2}), 403, "not_owner")
        error(anna.get(path, {name: 3}), 404, "not_found")


# --- health and the rest ------------------------------------------------------------------------
def test_health_answers_200_and_503_when_redis_or_the_database_is_away(
    guest: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = guest.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "OK"})
    with monkeypatch.context() as away:
        away.setattr(counters_for("health"), "redis", connect("redis://127.0.0.1:9/0"))
        error(guest.get("/health"), 503, "unavailable")
        assert guest.get("/health/live").status_code == 200
    with monkeypatch.context() as away:
        away.setattr("resume_platform.observability.readiness.database_answers", lambda: False)
        error(guest.get("/health"), 503, "unavailable")


def test_ready_answers_200_and_503_with_the_part_that_does_not_work(
    guest: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_up, status in ((True, 200), (False, 503)):
        state = State([Part("kafka", is_up, "" if is_up else "No answer.")], {})
        monkeypatch.setattr(
            "resume_platform.observability.readiness.look", lambda state=state: state
        )
        answer = guest.get("/health/ready")
        assert (answer.status_code, list(answer.json()["parts"])) == (status, ["kafka"])


def test_docs_schema_and_metrics_answer_and_unknown_paths_are_404_in_json(
    guest: APIClient,
) -> None:
    assert "swagger-ui" in guest.get("/docs").content.decode()
    assert guest.get("/schema?format=json").json()["openapi"].startswith("3.")
    assert "redis_errors_total" in guest.get("/metrics").content.decode()
    assert guest.get("/admin/login/").status_code == 200
    error(guest.get("/nowhere"), 404, "not_found")


def test_webhook_secret_answers_200_to_its_user_and_401_to_nobody(
    anna: APIClient, guest: APIClient
) -> None:
    assert anna.get("/webhook_secret").status_code == 200
    error(guest.get("/webhook_secret"), 401, "not_authenticated")


# --- the table itself ---------------------------------------------------------------------------
def test_every_line_and_status_of_the_table_was_seen_above(request: pytest.FixtureRequest) -> None:
    option = request.config.option
    if option.keyword or any("::" in argument for argument in request.config.args):
        pytest.skip("only a part of this module's tests is run")
    promised = {(*line, status) for line, statuses in TABLE.items() for status in statuses}
    promised |= {(method.lower(), path, 401) for method, path in PROTECTED}
    assert promised - SEEN == set()
