"""Each message is in the inbox once, whatever the broker does."""

import pytest

from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, PartitionLog
from tests.db.kafka_bridge.conftest import FakeMessage, message, resume

pytestmark = pytest.mark.django_db


def test_a_redelivered_offset_changes_nothing(inbox, make_inbox):
    batch = [message(resume(n + 1), n) for n in range(5)]
    first = inbox.store(batch, cluster_id="c")
    again = make_inbox().store(batch, cluster_id="c")  # another bridge, after a rebalance

    assert len(first["storage.apply"]) == 5
    assert not again
    assert InboxMessage.objects.count() == MessageTask.objects.count() == 5
    assert PartitionLog.objects.get().next_offset == 5


def test_a_log_that_ends_before_what_was_taken_is_a_new_epoch(make_inbox, log):
    make_inbox().store([message(resume(n + 1), n) for n in range(5)], cluster_id="c")
    log.end = 2
    tasks = make_inbox().store([message(resume(100 + n), n) for n in range(2)], cluster_id="c")

    assert len(tasks["storage.apply"]) == 2
    assert InboxMessage.objects.filter(epoch=1).count() == 2
    assert PartitionLog.objects.get().epoch == 1


def test_a_known_offset_with_another_content_is_a_new_epoch_even_if_the_log_is_longer(make_inbox):
    make_inbox().store([message(resume(n + 1), n) for n in range(3)], cluster_id="c")
    tasks = make_inbox().store([message(resume(100 + n), n) for n in range(3)], cluster_id="c")

    assert len(tasks["storage.apply"]) == 3
    assert InboxMessage.objects.filter(epoch=1).count() == 3


def test_a_new_cluster_is_not_mistaken_for_the_old_one(make_inbox):
    for cluster in ("old", "new"):
        tasks = make_inbox().store([message(resume(1), 0)], cluster_id=cluster)
        assert len(tasks["storage.apply"]) == 1


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"new_resume", b"{", "not_json"),
        (b"new_resume", b"\xff\xfe", "not_json"),
        (b"new_resume", None, "not_json"),
        (b"new_resume", b"[]", "invalid"),
        (b"new_resume", b'{"resume_id": "1", "user_id": 2, "resume": "x"}', "invalid"),
        (b"new_resume", b'{"resume_id": true, "user_id": 2, "resume": "x"}', "invalid"),
        (
            b"new_resume",
            b'{"resume_id": 9223372036854775808, "user_id": 2, "resume": "x"}',
            "invalid",
        ),
        (b"no_such_event", b"{}", "unknown_key"),
        (b"\xff", b"{}", "unknown_key"),
        (None, b"{}", "unknown_key"),
    ],
)
def test_what_is_no_event_becomes_a_dead_letter_with_its_bytes_and_stops_nothing(
    make_inbox, key, value, reason
):
    poison = FakeMessage(value, key, 1, header_list=[("h", b"\x00\xff")])
    batch = [message(resume(1), 0), poison, message(resume(2), 2)]

    tasks = make_inbox().store(batch, cluster_id="c")
    make_inbox().store(batch, cluster_id="c")

    letter = DeadLetter.objects.get()  # one, though it was delivered twice
    assert letter.reason == reason
    assert (letter.value and bytes(letter.value)) == value
    assert (letter.key and bytes(letter.key)) == key
    assert letter.headers == [["h", "AP8="]]
    assert (letter.topic, letter.partition, letter.offset) == ("uploading_data", 0, 1)
    assert len(tasks["storage.apply"]) == 2


def test_a_dead_letters_detail_never_quotes_the_message(inbox):
    inbox.store([FakeMessage(b'{"resume_id": "SECRET", "resume": "SECRET"}')], cluster_id="c")
    assert "SECRET" not in DeadLetter.objects.get().detail


def test_headers_are_kept_and_a_message_without_any_is_as_good(inbox):
    inbox.store(
        [
            message(resume(1), 0, header_list=[("event_id", b"e-1"), ("traceparent", b"00-t")]),
            message(resume(2), 1),
        ],
        cluster_id="c",
    )
    assert list(InboxMessage.objects.order_by("offset").values_list("event_id", "traceparent")) == [
        ("e-1", "00-t"),
        ("", ""),
    ]


@pytest.mark.parametrize("milliseconds", [-1, -(2**62), 2**62, 0])
def test_a_timestamp_that_is_no_date_holds_up_nothing(inbox, milliseconds):
    tasks = inbox.store([message(resume(1), 0, milliseconds=milliseconds)], cluster_id="c")
    assert len(tasks["storage.apply"]) == 1
    assert InboxMessage.objects.exists()
