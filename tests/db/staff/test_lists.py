"""What the list of processings finds, ranks and exports."""

import csv
from io import BytesIO, StringIO
from threading import Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from openpyxl import load_workbook

from apps.storage.models import RequirementsWords, ResumeWords, StoredRequirements, StoredResume
from apps.storage.projection import search_words
from staff.processings.export import harmless
from staff.vacancies import ranking
from tests.db.staff import factories as f

LIST = "/admin/storage/storedprocessing/"


def found(client, **query: object) -> list[int]:
    page = client.get(LIST, query)
    assert page.status_code == 200
    return sorted(row.processing_id for row in page.context_data["cl"].result_list)


@pytest.fixture
def three(superuser):
    flagged = f.details(
        f.criterion(), flags=[{"kind": "order", "start": 0, "end": 4, "text": "Иван"}]
    )
    f.stored(1, score=90, resume="Руководила разработкой на Python, node.js и C++.")
    f.stored(2, score=40, verdict="Не подходит", requirements_id=41, details=flagged, user_id=8)
    f.stored(
        3, score=None, verdict=None, status="failed", details=None, requirements_id=41, user_id=8
    )
    while search_words.index_new():
        pass
    return superuser


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "failed"}, [3]),
        ({"verdict": "suitable"}, [1]),
        ({"verdict": "not_suitable"}, [2]),
        ({"score_from": 40, "score_to": 60}, [2]),
        ({"requirements_id": 41}, [2, 3]),
        ({"requirements_id": "forty"}, []),
        ({"user": 8}, [2, 3]),
        ({"user": "USER7@example.com"}, [1]),
        ({"flagged": "yes"}, [2]),
        ({"flagged": "no"}, [1]),
        ({"create_at_from": "2026-11-01", "create_at_to": "2026-11-01"}, [1, 2, 3]),
        ({"create_at_from": "2026-11-02"}, []),
        ({"requirements_id": 41, "status": "finished", "flagged": "yes"}, [2]),
        ({"q": "2"}, [2]),
        ({"q": "#41"}, [2, 3]),
        ({"q": "user8@example.com"}, [2, 3]),
        ({"q": "анна 7"}, [1]),
        ({"q": "PYTHON разработк"}, [1]),
        ({"q": "node.js"}, [1]),
        ({"q": "разработчик"}, [1, 2, 3]),  # in the requirements
        ({"q": "сварщик"}, []),
        ({"q": "python сварщик"}, []),
    ],
)  # fmt: skip
def test_filters_and_search_find_just_what_they_say(three, query, expected):
    assert found(three, **query) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    "hostile", ["'", "a' | b:*", "\\", "!!&&|", "<->", ":*", "%s", "{}", "'''\\'" * 50, "ё" * 500]
)
def test_no_phrase_breaks_the_search(three, hostile):
    assert found(three, q=hostile) == []


@pytest.mark.django_db
def test_words_leave_with_their_text(three):
    StoredResume.objects.filter(resume_id=1).update(resume="")
    StoredRequirements.objects.all().delete()
    assert found(three, q="node.js") == []
    assert not RequirementsWords.objects.exists()
    assert ResumeWords.objects.count() == 2
    assert search_words.index_new() == 0


@pytest.mark.django_db(transaction=True)
def test_a_text_that_is_being_erased_is_not_indexed(superuser):
    f.stored(1, resume="Сведения, которых скоро не будет")
    indexed: list[int] = []

    def a_round() -> None:
        indexed.append(search_words.index_new())
        connection.close()

    with transaction.atomic():
        StoredResume.objects.update(resume="", deleted=True)
        round_beside = Thread(target=a_round)
        round_beside.start()
        round_beside.join(30)
    assert indexed == [1]  # the requirements alone
    assert search_words.index_new() == 0
    assert not ResumeWords.objects.exists()


@pytest.mark.django_db
def test_candidates_are_ranked_with_their_criteria(superuser):
    met, missing = f.criterion("Python"), f.criterion("Python", status="missing")
    for number, score, judged in ((1, 70, met), (2, 90, met), (3, 70, missing)):
        f.stored(number, score=score, details=f.details(judged))
    f.stored(4, score=99, requirements_id=41)
    f.stored(5, status="queued", score=None, details=None)
    ranked = ranking.of(40, with_text=True)
    assert [(c.rank, c.processing.processing_id) for c in ranked.candidates] == [
        (1, 2),
        (2, 1),
        (2, 3),
    ]
    assert [c.standings[0].status for c in ranked.candidates] == ["met", "met", "missing"]
    assert (ranked.waiting, ranked.failed, ranked.text) == (1, 0, "Нужен разработчик")
    page = superuser.get("/admin/storage/storedrequirements/40/ranking/").content.decode()
    assert page.index("#2") < page.index("#1</a>") < page.index("#3</a>")


def exported(client, kind: str, **query: object) -> bytes:
    answer = client.get(f"{LIST}export/{kind}/", query)
    assert answer.status_code == 200
    return b"".join(answer)


@pytest.mark.django_db
def test_an_export_is_what_the_list_selects_and_runs_nothing(three):
    f.stored(
        4,
        user_id=8,
        requirements_id=41,
        recommendation="=HYPERLINK(1)",
        message_error="+1",
        matches=["@SUM(A1)"],
    )
    rows = list(
        csv.reader(StringIO(exported(three, "csv", requirements_id=41).decode("utf-8-sig")))
    )
    assert [row[0] for row in rows] == ["processing", "4", "3", "2"]
    for cell in ("'=HYPERLINK(1)", "'+1", "'@SUM(A1)", "user8@example.com"):
        assert cell in rows[1]
    sheet = load_workbook(BytesIO(exported(three, "xlsx", requirements_id=41))).active
    assert [row[0].value for row in sheet.iter_rows()] == ["processing", 4, 3, 2]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert LogEntry.objects.filter(change_message__contains="export to csv: 3 rows").exists()


@pytest.mark.django_db
def test_an_export_needs_its_permission(three, client, django_user_model):
    reader = django_user_model.objects.create(username="reader@example.com", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_storedprocessing"))
    client.force_login(reader)
    assert "export/csv" not in client.get(LIST).content.decode()
    assert client.get(f"{LIST}export/csv/").status_code == 403
    reader.user_permissions.add(Permission.objects.get(codename="export_processing"))
    assert "export/csv" in client.get(LIST).content.decode()
    assert client.get(f"{LIST}export/csv/").status_code == 200
    assert client.get(f"{LIST}export/exe/").status_code == 404


@pytest.mark.django_db
def test_too_large_an_export_is_refused_with_a_sentence(three, monkeypatch):
    monkeypatch.setattr("staff.processings.export.MAX_ROWS", 2)
    answer = three.get(f"{LIST}export/csv/", {"user": 8, "status": ""}, follow=True)
    assert answer.status_code == 200
    refused = three.get(f"{LIST}export/csv/", follow=True)
    assert "More than 2 rows are selected" in refused.content.decode()


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ("-5", "'-5"),
        ("\tx", "'\tx"),
        ("＝1", "'＝1"),
        ("a=b", "a=b"),
        ("a\x00\x07b", "ab"),
        ("", ""),
    ],
)
def test_a_cell_is_never_a_formula(text, safe):
    assert harmless(text) == safe
