"""What a neighbour writes to Kafka can neither rewrite the time nor take another's ids."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.notifications import claims
from apps.notifications.models import Callback
from apps.storage.models import StoredResume
from kafka_bridge.contract.message import CLOCK_SKEW, occurred_at
from kafka_bridge.models import DeadLetter, InboxMessage
from tests.db.apps.storage import factories as f
from tests.db.apps.uploads.factories import ProcessingFactory, ResumeFactory
from tests.db.kafka_bridge.conftest import FakeMessage, message, request, resume

OWNER, STRANGER = 7, 8
RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = timedelta(hours=168)


@pytest.mark.parametrize(
    ("stamp", "believed"),
    [
        (RECEIVED - timedelta(days=1), True),
        (RECEIVED - WEEK, True),
        (RECEIVED - WEEK - timedelta(milliseconds=1), False),
        (RECEIVED + CLOCK_SKEW, True),
        (RECEIVED + CLOCK_SKEW + timedelta(milliseconds=1), False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (datetime(9999, 12, 31, tzinfo=UTC), False),
    ],
)
def test_a_timestamp_that_cannot_be_true_is_the_time_of_receipt(settings, stamp, believed):
    settings.KAFKA_TOPIC_RETENTION_HOURS = 168
    sent = FakeMessage(b"", milliseconds=round(stamp.timestamp() * 1000))
    assert occurred_at(sent, received=RECEIVED) == (stamp if believed else RECEIVED)


@pytest.mark.parametrize("milliseconds", [-(2**63), -1, 2**63 - 1])
def test_a_timestamp_that_is_no_date_is_the_time_of_receipt(milliseconds):
    sent = FakeMessage(b"", milliseconds=milliseconds)
    assert occurred_at(sent, received=RECEIVED) == RECEIVED


@pytest.mark.django_db
def test_an_id_that_was_issued_here_is_not_believed_of_another_user(inbox):
    mine = ResumeFactory(user_id=OWNER)
    tasks = inbox.store(
        [
            message(resume(mine.id, STRANGER), 0),
            message(resume(mine.id, OWNER), 1),
            message(resume(mine.id + 1000, STRANGER), 2),
        ],
        cluster_id="cluster",
    )
    assert len(tasks["storage.apply"]) == 2
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.offset, letter.user_id) == ("owner_conflict", 0, STRANGER)
    assert InboxMessage.objects.count() == 3


@pytest.mark.django_db
def test_who_claimed_an_id_before_it_was_issued_loses_it_to_its_owner():
    mine = ResumeFactory(user_id=OWNER)
    # The row of a forged event, taken in when nobody knew the id yet.
    at = timezone.now() - timedelta(days=3)
    StoredResume.objects.create(
        resume_id=mine.id, user_id=STRANGER, resume="forged", create_at=at, text_at=at
    )
    assert f.tell(f.NewResumeFactory(resume_id=mine.id, user_id=OWNER, resume="mine")) == []
    assert list(StoredResume.objects.values_list("user_id", "resume")) == [(OWNER, "mine")]


@pytest.mark.django_db
def test_a_callback_that_a_stranger_registered_before_gives_way_to_the_owners():
    mine = ProcessingFactory(user_id=OWNER)
    Callback.objects.create(
        processing_id=mine.id,
        run=0,
        user_id=STRANGER,
        requirements_id=1,
        callback_url="https://stranger.example/",
    )
    claims.register([request(mine.id)])
    assert Callback.objects.get().user_id == OWNER
