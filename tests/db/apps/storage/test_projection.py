"""What single events and deletes do to the stored rows."""

import threading

import pytest
from django.db import connection, transaction

from apps.storage.models import StoredProcessing, StoredRequirements, StoredResume, Tombstone
from apps.storage.projection import projector
from kafka_bridge.tasks import Permanent
from tests.db.apps.storage import factories as f

pytestmark = pytest.mark.django_db


def processing() -> StoredProcessing:
    return StoredProcessing.objects.get(processing_id=20)


def test_a_request_is_queued_and_its_result_finishes_it() -> None:
    f.tell(f.NewRequestFactory())
    assert (processing().status, processing().score) == ("queued", None)
    f.tell(f.NewProcessingFactory(score=85, details={"criteria": []}), seconds=10)
    stored = processing()
    assert (stored.status, stored.score, stored.matches) == ("finished", 85, ["Python"])
    assert (stored.create_at, stored.result_at) == (f.at(0), f.at(10))
    assert stored.details == {"criteria": []}


def test_a_failure_is_stored_with_its_reason() -> None:
    f.tell(f.FailedSendingFactory(message_error="Too many requests", wait_seconds=40))
    stored = processing()
    assert (stored.status, stored.message_error, stored.wait_seconds) == (
        "failed",
        "Too many requests",
        40,
    )


def test_a_failure_that_comes_late_does_not_undo_a_higher_run() -> None:
    f.tell(f.NewProcessingFactory(run=1, score=60), seconds=5)
    f.tell(f.FailedSendingFactory(run=0), seconds=9)
    assert (processing().status, processing().score) == ("finished", 60)


def test_the_copy_of_a_result_writes_nothing() -> None:
    f.tell(f.NewProcessingFactory())
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin, ctid FROM storage_storedprocessing")
        before = cursor.fetchall()
        projector.apply([f.received(f.NewSendingFactory()), f.received(f.NewProcessingFactory())])
        cursor.execute("SELECT xmin, ctid FROM storage_storedprocessing")
        assert cursor.fetchall() == before


def test_a_success_without_a_score_is_refused() -> None:
    response = f.SendingResponseFactory(score=None)
    with pytest.raises(Permanent, match="success_without_score"):
        projector.apply([f.received(f.NewSendingFactory(response=response))])


def test_a_delete_strips_the_texts_now_and_of_what_comes_later() -> None:
    f.tell(
        f.NewRequestFactory(),
        f.NewProcessingFactory(),
        f.DeleteProcessingFactory(),
        f.NewProcessingFactory(run=1),
        f.NewRequestFactory(run=2),
    )
    stored = processing()
    assert stored.status == "deleted"
    assert (stored.score, stored.recommendation, stored.matches, stored.callback_url) == (
        None,
        None,
        None,
        "",
    )


def test_deleted_requirements_hide_the_processings_that_refer_to_them_even_later_ones() -> None:
    f.tell(
        f.NewRequirementsFactory(),
        f.NewRequestFactory(),
        f.DeleteRequirementsFactory(requirements_ids=[40]),
        f.NewProcessingFactory(processing_id=21),
        f.NewRequirementsFactory(requirements="again"),
    )
    assert set(StoredProcessing.objects.values_list("status", flat=True)) == {"deleted"}
    requirements = StoredRequirements.objects.get()
    assert (requirements.deleted, requirements.requirements) == (True, "")


@pytest.mark.parametrize("strangers_first", [True, False])
def test_a_strangers_delete_changes_nothing(strangers_first: bool) -> None:
    strangers = [
        f.DeleteProcessingFactory(user_id=2),
        f.DeleteRequirementsFactory(user_id=2, processings_ids=[20]),
    ]
    owners = [f.NewRequirementsFactory(), f.NewProcessingFactory()]
    f.tell(*(strangers + owners if strangers_first else owners + strangers))
    assert processing().status == "finished"
    assert StoredRequirements.objects.get().requirements == "Нужен Python"
    assert Tombstone.objects.filter(user_id=2).count() == 2


@pytest.mark.parametrize(("owner", "stranger"), [(1, 2), (2, 1)])
def test_a_claim_of_anothers_id_is_refused_and_changes_nothing(owner: int, stranger: int) -> None:
    assert not f.tell(
        f.NewProcessingFactory(user_id=owner),
        f.NewResumeFactory(user_id=owner),
        f.NewRequirementsFactory(user_id=owner),
    )
    refused = f.tell(
        f.NewProcessingFactory(user_id=stranger, score=1),
        f.NewResumeFactory(user_id=stranger, resume="mine"),
        f.NewRequirementsFactory(user_id=stranger),
        seconds=10,
    )
    assert len(refused) == 3
    assert (processing().user_id, processing().score) == (owner, 85)
    assert StoredResume.objects.get().resume == "Python, 5 лет"


def test_a_deleted_id_is_not_free_for_others() -> None:
    f.tell(f.NewProcessingFactory(), f.DeleteProcessingFactory())
    assert f.tell(f.NewProcessingFactory(user_id=2), seconds=10)
    assert processing().status == "deleted"


def test_one_bad_event_of_many_is_the_only_one_refused() -> None:
    f.tell(f.NewProcessingFactory(processing_id=300))
    batch = [f.received(f.NewProcessingFactory(processing_id=n), 1) for n in range(100, 500)]
    bad = f.received(f.NewProcessingFactory(processing_id=300, user_id=2), 2)
    assert f.deliver(batch[:150] + [bad] + batch[150:]) == [bad]
    assert StoredProcessing.objects.filter(user_id=1).count() == 400


@pytest.mark.django_db(transaction=True)
def test_a_delete_waits_for_what_the_user_is_storing_and_strips_it() -> None:
    stored, may_commit = threading.Event(), threading.Event()

    def store() -> None:
        with transaction.atomic():
            projector.apply([f.received(f.NewProcessingFactory())])
            stored.set()
            may_commit.wait(10)
        connection.close()

    def delete() -> None:
        f.tell(f.DeleteProcessingFactory())
        connection.close()

    storing, deleting = threading.Thread(target=store), threading.Thread(target=delete)
    storing.start()
    assert stored.wait(10)
    deleting.start()
    deleting.join(0.3)
    assert deleting.is_alive()
    may_commit.set()
    storing.join(10)
    deleting.join(10)
    assert processing().status == "deleted"
