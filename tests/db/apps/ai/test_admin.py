"""Staff see rubrics, flags, and what was spent by whom on which day."""

import pytest
from django.contrib.auth import get_user_model

from apps.ai.models import Analysis, Rubric
from tests.db.apps.ai.events import RESUME, STRANGER, request
from tests.unit.apps.ai.attacks import ORDER

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("empty_cache", "ask_the_stand_in"),
]


@pytest.fixture
def staff(client):
    user = get_user_model().objects.create(
        username="staff@example.com", is_staff=True, is_superuser=True
    )
    client.force_login(user)
    return client


def test_costs_are_summed_by_user_and_day(deliver, staff):
    for number, user in ((1, 7), (2, 7), (3, STRANGER)):
        deliver(request(number, user_id=user, resume=f"{RESUME} {number}"))
    page = staff.get("/admin/ai/providercall/")
    assert page.status_code == 200
    rows = list(page.context_data["spending"])
    assert [(row["user_id"], row["calls"]) for row in rows] == [(7, 3), (STRANGER, 1)]
    spent = sum(a.cost for a in Analysis.objects.filter(user_id=7))
    assert rows[0]["money"] == spent > 0
    assert str(rows[0]["money"]) in page.content.decode()
    only = staff.get("/admin/ai/providercall/", {"q": STRANGER}).context_data["spending"]
    assert [row["user_id"] for row in only] == [STRANGER]


def test_the_rubric_and_the_flags_are_shown(deliver, staff):
    deliver(request(1))
    deliver(request(2, resume=f"{RESUME}\n{ORDER}"))
    rubric = staff.get(f"/admin/ai/rubric/{Rubric.objects.get().pk}/change/").content.decode()
    assert "PostgreSQL" in rubric
    assert "gpt-4.1-mini" in rubric
    flagged = staff.get("/admin/ai/analysis/", {"flagged": "yes"}).context_data["cl"].queryset
    assert [analysis.processing_id for analysis in flagged] == [2]
    shown = staff.get(f"/admin/ai/analysis/{flagged[0].pk}/change/").content.decode()
    assert "previous instructions" in shown
