"""What is over its days goes in batches; what is still owed stays, and so do identities."""

import pytest
from django.core.management import call_command
from django.db import connection

from kafka_bridge.dead_letters import replay
from kafka_bridge.jobs import housekeeping
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask
from tests.db.kafka_bridge.conftest import resume, state

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _days(settings):
    settings.KEEP_PAYLOAD_DAYS, settings.KEEP_DONE_DAYS, settings.KEEP_INBOX_DAYS = 7, 14, 30


def age(days: float) -> None:
    """Let everything have happened so many days earlier."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_inboxmessage SET"
            " received_at = received_at - make_interval(secs => %s * 86400)",
            [days],
        )
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET"
            " finished_at = finished_at - make_interval(secs => %s * 86400)",
            [days],
        )


def end(*task_ids: int, as_state: str = "done") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET state = %s, finished_at = now()"
            " WHERE id = ANY(%s)",
            [as_state, list(task_ids)],
        )


def left() -> tuple[int, int, int]:
    """Payloads, task rows and identities that are there."""
    return (
        InboxMessage.objects.exclude(value=None).count(),
        MessageTask.objects.count(),
        InboxMessage.objects.count(),
    )


def test_payloads_then_done_rows_then_identities_go_when_their_days_are_over(store):
    end(*store(*[resume(n) for n in range(1, 8)]))
    seen = []
    for days in (6, 2, 7, 16):  # 6, 8, 15 and 31 days old
        age(days)
        housekeeping.keep_house(batch_size=3)
        seen.append(left())
    assert seen == [(7, 7, 7), (0, 7, 7), (0, 0, 7), (0, 0, 0)]


def test_what_is_owed_keeps_its_payload_however_old(store):
    pending, leased, done = store(resume(1), resume(2), resume(3))
    end(done)
    MessageTask.objects.filter(pk=leased).update(state="leased", lease_token="0" * 32)
    age(100)
    housekeeping.keep_house()
    assert set(MessageTask.objects.values_list("pk", flat=True)) == {pending, leased}
    assert left() == (2, 2, 2)


def test_work_that_ended_a_moment_ago_keeps_its_payload_though_the_message_is_old(store):
    [task] = store(resume(1))
    age(100)
    end(task)
    housekeeping.keep_house()
    assert left() == (1, 1, 1)


def test_a_redelivery_after_the_payload_went_is_still_recognised(store, inbox):
    from tests.db.kafka_bridge.conftest import message

    end(*store(resume(1)))
    age(29)
    housekeeping.keep_house()
    assert left() == (0, 0, 1)
    assert not inbox.store([message(resume(1))], cluster_id="cluster")
    assert left() == (0, 0, 1)


def test_a_dead_letter_outlives_its_payload_and_can_still_be_replayed(store):
    [task] = store(resume(1))
    value = bytes(InboxMessage.objects.get().value)
    letter = DeadLetter.objects.create(
        source="handler", reason="crashed", topic="uploading_data", value=value, task_id=task
    )
    end(task, as_state="dead")
    age(100)
    housekeeping.keep_house()
    assert left() == (0, 1, 1)

    assert replay.replay(letter)
    assert bytes(InboxMessage.objects.get().value) == value
    assert state(task) == "pending"

    end(task)
    age(100)
    housekeeping.keep_house()
    assert left() == (0, 0, 0)
    letter.refresh_from_db()
    assert letter.task_id is None


def test_the_command_says_what_it_dropped(store, capsys):
    end(*store(resume(1)))
    age(8)
    call_command("housekeep")
    assert "dropped 1 payloads, 0 done rows, 0 identities" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (housekeeping.PAYLOADS, "inbox_message_with_payload"),
        (housekeeping.DONE_ROWS, "message_task_done"),
        (housekeeping.IDENTITIES, "inbox_message_received"),
    ],
)
def test_each_batch_is_found_by_an_index(sql, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + sql, {"days": 7, "limit": 500})
        assert index in "\n".join(line for (line,) in cursor.fetchall())
