"""Texts that staff delete with their processings: never under the feet of a start."""

import threading

import pytest
from django.db import connection, transaction

from apps.uploads import removal, services, text_cache
from apps.uploads.models import Processing, Requirements, Resume
from resume_platform.http.errors import NotFound
from resume_platform.redis.cache import cache_for
from tests.db.apps.uploads.factories import ProcessingFactory, RequirementsFactory


@pytest.mark.django_db(transaction=True)
def test_a_start_that_meets_a_deletion_never_refers_to_a_text_that_is_gone() -> None:
    processing, other = ProcessingFactory(), RequirementsFactory()
    outcome: list[str] = []

    def start_meanwhile() -> None:
        try:
            services.start_processing(
                user_id=1,
                resume_id=processing.resume_id,
                requirements_id=other.pk,
                callback_url="https://example.com",
            )
            outcome.append("started")
        except NotFound as error:
            outcome.append(error.code)
        finally:
            connection.close()

    starter = threading.Thread(target=start_meanwhile)
    with transaction.atomic():
        assert removal.delete_with_texts(user_id=1, processing_ids=[processing.pk])
        starter.start()
        starter.join(0.5)
        assert starter.is_alive(), "the start did not wait for the deletion"
    starter.join(30)

    assert outcome == ["resume_not_found"]
    assert not Processing.objects.filter(deleted_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_meets_a_start_leaves_the_text_that_is_needed_now() -> None:
    processing, other = ProcessingFactory(), RequirementsFactory()
    removed: list[removal.Removed] = []

    def delete_meanwhile() -> None:
        try:
            removed.append(removal.delete_with_texts(user_id=1, processing_ids=[processing.pk]))
        finally:
            connection.close()

    deleter = threading.Thread(target=delete_meanwhile)
    with transaction.atomic():
        services.start_processing(
            user_id=1,
            resume_id=processing.resume_id,
            requirements_id=other.pk,
            callback_url="https://example.com",
        )
        deleter.start()
        deleter.join(0.5)
        assert deleter.is_alive(), "the deletion did not wait for the start"
    deleter.join(30)

    assert removed == [removal.Removed([processing.pk], [], [processing.requirements_id])]
    assert Resume.objects.get().text != ""


@pytest.mark.django_db(transaction=True)
def test_what_is_gone_is_gone_from_the_cache_and_only_the_users_own_goes() -> None:
    processing = ProcessingFactory()
    text_cache.remember(processing.resume)
    text_cache.remember(processing.requirements)
    assert not removal.delete_with_texts(user_id=2, processing_ids=[processing.pk])
    assert Requirements.objects.get().text

    assert removal.delete_with_texts(user_id=1, processing_ids=[processing.pk])
    assert not list(cache_for("uploads").redis.scan_iter("uploads:re*"))
    assert Requirements.objects.get().deleted_at


@pytest.mark.django_db
def test_texts_of_what_its_owner_deleted_before_go_when_it_is_asked_for() -> None:
    processing = ProcessingFactory()
    services.delete_processings(user_id=1, processing_ids=[processing.pk])
    removed = removal.delete_with_texts(user_id=1, processing_ids=[processing.pk])
    expected = removal.Removed([], [processing.resume_id], [processing.requirements_id])
    assert removed == expected
    assert not removal.delete_with_texts(user_id=1, processing_ids=[processing.pk])
