"""The start page: today's figures, of the apps that are here and that the reader may see."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.storage.models import StoredProcessing
from tests.db.staff import factories as f

pytestmark = pytest.mark.django_db


def figures(client) -> dict[str, str]:
    return {figure.label: figure.value for figure in client.get("/admin/").context_data["figures"]}


@pytest.fixture
def a_day(superuser):
    """Today: two judged (80, 60), one failed, one waiting for 7 minutes. Long ago: one more."""
    now = timezone.now()
    for number, values in enumerate(
        (
            {"score": 80},
            {"score": 60},
            {"status": "failed", "score": None, "details": None},
            {"status": "queued", "score": None, "details": None, "result_at": None, "run": None,
             "requested_at": now - timedelta(minutes=7, seconds=5)},
        ),
        start=1,
    ):  # fmt: skip
        processing = f.stored(number, create_at=now, **values)
        if processing.status == "finished":
            f.judged(processing)
            f.called_back(processing, "timeout", 200, state="delivered")
    f.stored(9, score=1)
    return superuser


def test_todays_figures(a_day):
    shown = figures(a_day)
    assert shown.pop("Cost").startswith("0")
    assert shown == {
        "Received": "4", "Judged": "2", "Failed": "1", "Waiting": "1", "Oldest waiting": "7 min",
        "Average score": "70", "Delivered": "2", "Never delivered": "0",
    }  # fmt: skip


def test_charts_count_by_hour_and_day(a_day):
    charts = {
        chart["title"]: json.loads(chart["data"])
        for chart in a_day.get("/admin/").context_data["charts"]
    }
    by_day = {s["label"]: s["data"] for s in charts["Processings by day"]["datasets"]}
    assert len(charts["Processings by hour"]["labels"]) == 24
    assert [by_day[label][-1] for label in ("judged", "failed", "waiting")] == [2, 1, 1]
    assert sum(by_day["judged"]) == 2


@pytest.mark.parametrize(
    ("left_out", "absent"),
    [
        ("ai", {"Judged", "Cost"}),
        ("notifications", {"Delivered", "Never delivered"}),
        ("storage", {"Failed", "Waiting", "Oldest waiting", "Average score"}),
    ],
)
def test_figures_of_an_app_left_out_are_absent(a_day, settings, left_out, absent):
    everything = set(figures(a_day))
    settings.ENABLED_APPS = [name for name in settings.ENABLED_APPS if name != left_out]
    cache.clear()  # what is left out is left out of a new process
    assert everything - set(figures(a_day)) == absent


def test_who_may_see_nothing_sees_no_figures(client, django_user_model):
    client.force_login(django_user_model.objects.create(username="new@example.com", is_staff=True))
    page = client.get("/admin/")
    assert page.status_code == 200
    assert page.context_data["figures"] == page.context_data["charts"] == []


def test_the_pages_speak_russian(a_day):
    a_day.cookies["django_language"] = "ru"
    assert "Средняя оценка" in a_day.get("/admin/").content.decode()
    processing = StoredProcessing.objects.get(processing_id=1)
    story = a_day.get(f"/admin/storage/storedprocessing/{processing.pk}/change/").content.decode()
    assert "Запрошено" in story
    assert "Обязательно" in story or "обязательно" in story
