"""The staff's pages over 100,000 processings: few queries, however many rows there are.

The time of each is printed, not asserted: a slow machine is no defect.
"""

import time
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook
from pytest_django.plugin import DjangoDbBlocker

from apps.storage.models import StoredProcessing
from apps.storage.projection import search_words
from staff.processings.export import AT_ONCE
from tests.db.staff.many import MADE, POPULAR, make_processings

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(900)]

COUNT = 100_000
MAX_QUERIES = 9
LIST = "/admin/storage/storedprocessing/"
# (what, address, how many rows it finds at least)
LISTS = [
    ("list, first page", LIST, 50),
    ("list, page 200", f"{LIST}?p=200", 50),
    ("filter: failed", f"{LIST}?status=failed", 50),
    ("filter: waiting", f"{LIST}?status=queued", 50),
    ("filter: suitable", f"{LIST}?verdict=suitable", 50),
    ("filter: score 95 to 100", f"{LIST}?score_from=95&score_to=100", 50),
    ("filter: score, failed (none)", f"{LIST}?score_from=95&status=failed", 0),
    ("filter: vacancy", f"{LIST}?requirements_id={POPULAR}", 50),
    ("filter: user by id", f"{LIST}?user=17", 50),
    ("filter: user by e-mail", f"{LIST}?user=recruiter17%40example.com", 50),
    ("filter: with flags", f"{LIST}?flagged=yes", 50),
    ("filter: without flags", f"{LIST}?flagged=no", 50),
    ("filter: five at once", f"{LIST}?status=finished&verdict=suitable&score_from=90"
                             f"&flagged=yes&requirements_id={POPULAR + 6}", 0),
    ("search: an id", f"{LIST}?q=4321", 1),
    ("search: an e-mail", f"{LIST}?q=recruiter17%40example.com", 50),
    ("search: a name", f"{LIST}?q=Рекрутёр 17", 50),
    ("search: a rare word", f"{LIST}?q=candidate4321", 1),
    ("search: three common words", f"{LIST}?q=python kafka бухгалтер", 50),
    ("search: a common beginning", f"{LIST}?q=разраб", 50),
    ("search: nothing", f"{LIST}?q=сварщик", 0),
    ("sorted by id", f"{LIST}?o=1", 50),
    ("vacancies", "/admin/storage/storedrequirements/", 50),
    ("resumes", "/admin/storage/storedresume/", 50),
    ("analyses", "/admin/ai/analysis/", 50),
    ("callbacks", "/admin/notifications/callback/", 50),
    ("attempts", "/admin/notifications/callbackattempt/", 50),
]  # fmt: skip


Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def tell(request: pytest.FixtureRequest) -> Tell:
    """A line on the terminal, whatever pytest captures."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.write_line(line)

    return write


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tell: Tell) -> Iterator[None]:
    """Committed and vacuumed, as they would be; gone at the module's end."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        began = time.perf_counter()
        make_processings(COUNT)
        made = time.perf_counter()
        while search_words.index_new(at_once=10_000):
            pass
        indexed = time.perf_counter()
        cursor.execute("VACUUM ANALYZE")
        tell(f"\n{COUNT} made in {made - began:.0f} s, words indexed in {indexed - made:.0f} s")
        yield
        tables = ", ".join(model._meta.db_table for model in MADE)
        cursor.execute(f"TRUNCATE {tables}, storage_resumewords")
    connection.close()


@pytest.fixture
def staff(many: None) -> Client:
    user, _created = get_user_model().objects.get_or_create(
        username="staff@example.com", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def measured(staff: Client) -> Callable[[str], tuple[object, float, int]]:
    def get(address: str) -> tuple[object, float, int]:
        staff.get(address)  # what a process does once is not what a list costs
        best, queries = float("inf"), 0
        for _ in range(3):
            with CaptureQueriesContext(connection) as context:
                began = time.perf_counter()
                answer = staff.get(address)
                body = b"".join(answer) if answer.streaming else answer.content
                best = min(best, time.perf_counter() - began)
            queries = len(context)
        assert answer.status_code == 200, address
        answer.body = body
        return answer, best * 1000, queries

    return get


def test_lists_take_few_queries(measured, tell) -> None:
    tell(f"\n{'':34}{'ms':>8}{'queries':>9}")
    over = []
    for what, address, least in LISTS:
        answer, milliseconds, queries = measured(address)
        tell(f"{what:34}{milliseconds:8.0f}{queries:9}")
        assert len(answer.context_data["cl"].result_list) >= least, what
        if queries > MAX_QUERIES:
            over.append((what, queries))
    assert not over


def test_the_other_pages_take_few_queries(measured, tell) -> None:
    row = StoredProcessing.objects.get(processing_id=4321)
    pages = [
        ("start page", "/admin/", 15),
        (
            "a processing's page",
            reverse("admin:storage_storedprocessing_change", args=[row.pk]),
            20,
        ),
        ("ranking of 200 of 2,000", f"/admin/storage/storedrequirements/{POPULAR}/ranking/", 7),
    ]
    for what, address, most in pages:
        _answer, milliseconds, queries = measured(address)
        tell(f"{what:34}{milliseconds:8.0f}{queries:9}")
        assert queries <= most, what


def test_exports_read_by_batches(staff, tell) -> None:
    for kind, address, rows in (
        ("csv", f"{LIST}export/csv/?requirements_id={POPULAR}", COUNT // 50),
        ("csv", f"{LIST}export/csv/", COUNT),
        ("xlsx", f"{LIST}export/xlsx/?requirements_id={POPULAR}", COUNT // 50),
        ("xlsx", f"{LIST}export/xlsx/", COUNT),
    ):
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as context:
            answer = staff.get(address)
            head = time.perf_counter() - began
            body = b"".join(answer)
        seconds = time.perf_counter() - began
        tell(
            f"{kind} of {rows:6} rows: {seconds * 1000:7.0f} ms, begun after {head * 1000:.0f} ms,"
            f" {len(context)} queries, {len(body) / 1e6:.1f} MB"
        )
        # Two for each batch, and a fixed few.
        assert len(context) <= 2 * (rows // AT_ONCE + 1) + 12
        if kind == "csv":
            assert body.count(b"\r\n") == rows + 1
        elif rows < COUNT:
            sheet = load_workbook(BytesIO(body), read_only=True).active
            assert sum(1 for _row in sheet.iter_rows()) == rows + 1
