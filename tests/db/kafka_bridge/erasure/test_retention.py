"""Texts that nobody has needed for RETENTION_DAYS go; what is used or waits, and figures, stay."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.ai.models import Analysis, Rubric
from apps.auth.models import User
from apps.notifications.models import Callback, CallbackAttempt
from apps.storage.models import StoredProcessing, StoredResume, StoredUser
from apps.uploads.models import Requirements, Resume
from kafka_bridge.jobs import retention
from kafka_bridge.models import DeadLetter
from resume_platform.redis.cache import cache_for
from tests.db.apps.auth.factories import UserFactory
from tests.db.apps.storage import factories as f
from tests.db.apps.uploads.factories import ProcessingFactory, RequirementsFactory, ResumeFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD, NEW = NOW - timedelta(days=31), NOW - timedelta(days=29)


@pytest.fixture(autouse=True)
def _days(settings: Any) -> None:
    settings.RETENTION_DAYS = 30


def with_text(model: Any) -> set[int]:
    column = "text" if model in (Resume, Requirements) else "resume"
    return set(model.objects.exclude(**{column: ""}).values_list("pk", flat=True))


def test_uploads_are_as_old_as_their_last_use() -> None:
    old, used, new = (ResumeFactory(created_at=at) for at in (OLD, OLD, NEW))
    vacancy, old_vacancy = (RequirementsFactory(created_at=OLD) for _ in range(2))
    ProcessingFactory(resume=used, requirements=vacancy, created_at=NEW)
    gone = ProcessingFactory(resume=old, requirements=old_vacancy, created_at=OLD)
    cache_for("uploads").set(f"resume:{old.id}", {"text": old.text}, 60)
    found = retention.empty_old()
    assert with_text(Resume) == {used.pk, new.pk}
    assert with_text(Requirements) == {vacancy.pk}
    gone.refresh_from_db()
    assert gone.callback_url == ""
    assert found["uploads.resumes"] == 1
    assert cache_for("uploads").get(f"resume:{old.id}") is None
    assert not any(retention.empty_old().values())


def test_what_storage_shows_keeps_its_score_and_what_waits_keeps_its_texts() -> None:
    f.tell(f.NewUserFactory(), f.NewResumeFactory(), f.NewRequirementsFactory())
    f.tell(f.NewResumeFactory(resume_id=31))
    f.tell(f.NewRequestFactory(processing_id=20), f.NewProcessingFactory(processing_id=20))
    f.tell(f.NewRequestFactory(processing_id=21, resume_id=31))
    for model in (StoredResume, StoredProcessing):
        model.objects.update(create_at=OLD)
    before = StoredProcessing.objects.get(processing_id=20)
    retention.empty_old()
    done = StoredProcessing.objects.get(processing_id=20)
    assert (done.status, done.score, done.create_at) == ("finished", before.score, OLD)
    assert (done.recommendation, done.matches, done.details, done.callback_url) == (
        "",
        [],
        None,
        "",
    )
    assert StoredProcessing.objects.get(processing_id=21).callback_url != ""
    assert list(StoredResume.objects.exclude(resume="").values_list("resume_id", flat=True)) == [31]
    assert StoredUser.objects.get().username  # an account has no age

    # Told again by a replay, a result changes nothing and a text stays away.
    f.tell(f.NewResumeFactory(), f.NewProcessingFactory(processing_id=20))
    assert StoredProcessing.objects.get(processing_id=20).recommendation == ""
    assert not StoredResume.objects.get(resume_id=30).resume


def test_judgements_callbacks_and_dead_letters_go_by_age() -> None:
    rubric = Rubric.objects.create(key="k", requirements_hash="h", criteria=[{"text": "words"}])
    for number in (1, 2):
        Analysis.objects.create(
            processing_id=number, user_id=1, requirements_id=1, status="finished", rubric=rubric,
            result={"recommendation": "text"}, score=50, verdict="text",
        )  # fmt: skip
        DeadLetter.objects.create(source="intake", reason="invalid", topic="t", value=b"text",
                                  created_at=OLD if number == 1 else NEW)  # fmt: skip
    for number, state in enumerate(("delivered", "failed", "pending"), 1):
        callback = Callback.objects.create(
            processing_id=number, run=0, user_id=1, requirements_id=1, state=state,
            callback_url="https://client.example/hook", body=b"text",
        )  # fmt: skip
        CallbackAttempt.objects.create(
            callback=callback, number=1, started_at=OLD, duration_ms=1, response_excerpt="text"
        )
    Rubric.objects.update(created_at=OLD)
    Analysis.objects.filter(processing_id=1).update(created_at=OLD)
    Callback.objects.update(created_at=OLD)
    retention.empty_old()
    assert [a.score for a in Analysis.objects.order_by("pk")] == [50, 50]
    assert [a.result is None for a in Analysis.objects.order_by("pk")] == [True, False]
    assert Rubric.objects.get().criteria  # the other judgement goes by it still
    assert [bytes(c.body) for c in Callback.objects.order_by("pk")] == [b"", b"", b"text"]
    assert [c.state for c in Callback.objects.order_by("pk")] == ["delivered", "failed", "pending"]
    assert not CallbackAttempt.objects.exclude(response_excerpt="").exists()
    assert [letter.value is None for letter in DeadLetter.objects.order_by("pk")] == [True, False]
    Analysis.objects.update(created_at=OLD)
    retention.empty_old()
    assert Rubric.objects.get().criteria is None


def test_it_is_off_by_default_and_accounts_stay(settings: Any, capsys: Any) -> None:
    user = UserFactory(username="anna@example.com", created_at=OLD)
    ResumeFactory(created_at=OLD)
    call_command("housekeep")
    assert "emptied 1 rows of uploads.resumes" in capsys.readouterr().out
    assert User.objects.get(pk=user.pk).username == "anna@example.com"
    ResumeFactory(created_at=OLD)
    settings.RETENTION_DAYS = 0
    assert retention.empty_old() == {}
    assert len(with_text(Resume)) == 1
