"""Replays make work due again: for the named handlers, once, and nothing else."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from kafka_bridge.contract import codec
from kafka_bridge.dead_letters import replay
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, OutboxMessage
from tests.db.kafka_bridge.conftest import FakeMessage, message, request, resume, state

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("replay", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def end(as_state: str = "done") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET state = %s, finished_at = now(), attempts = 3,"
            " suspect = TRUE, crashes_alone = 2",
            [as_state],
        )


def due() -> list[tuple[str, int]]:
    """(handler, replays) of the rows that are due."""
    rows = MessageTask.objects.filter(state="pending", attempts=0, suspect=False, crashes_alone=0)
    return sorted(rows.values_list("name", "replays"))


@pytest.fixture
def done(inbox) -> None:
    """Three requests whose work is done."""
    inbox.store(
        [message(request(n), n, topic_name="AI_handler") for n in (1, 2)] + [message(resume(3), 3)],
        cluster_id="cluster",
    )
    end()


def test_storage_alone_does_the_inbox_again_unless_others_are_named(done):
    assert "3 messages: 3 task rows" in run("--inbox")
    assert due() == [("storage.apply", 1)] * 3
    end()
    run("--inbox", "--handlers", "storage,ai.analyze")
    assert due() == [("ai.analyze", 1)] * 2 + [("storage.apply", 2)] * 3


def test_a_row_that_is_still_owed_is_left_alone(done):
    MessageTask.objects.update(state="leased", lease_token="0" * 32)
    assert "3 messages: 0 task rows" in run("--inbox", "--handlers", "all")
    assert not MessageTask.objects.exclude(replays=0).exists()


def test_a_done_row_that_housekeeping_dropped_is_made_anew(done):
    MessageTask.objects.all().delete()
    run("--inbox")
    assert due() == [("storage.apply", 1)] * 3


def test_the_inbox_by_key_by_row_and_by_time(done):
    ids = list(InboxMessage.objects.order_by("offset").values_list("pk", flat=True))
    assert "1 messages" in run("--inbox", "--keys", "new_resume", "--dry-run")
    assert "2 messages" in run("--inbox", "--ids", f"{ids[0]},{ids[2]}", "--dry-run")
    InboxMessage.objects.filter(pk=ids[0]).update(received_at="2020-01-01T00:00:00Z")
    assert "1 messages" in run("--inbox", "--until", "2021-01-01T00:00:00Z", "--dry-run")
    assert "2 messages" in run("--inbox", "--since", "2021-01-01T00:00:00Z", "--dry-run")


def test_a_dry_run_changes_nothing(done, store):
    run("--inbox", "--handlers", "all", "--dry-run")
    bury("storage.apply")
    assert "would replay 1 of 1" in run("--dead-letters", "--dry-run")
    assert due() == []
    assert DeadLetter.objects.get().replayed_at is None


def bury(name: str, **changes: object) -> DeadLetter:
    task = MessageTask.objects.filter(name=name).order_by("pk").first()
    MessageTask.objects.filter(pk=task.pk).update(state="dead")
    values = {"source": "handler", "reason": "crashed", "topic": task.message.topic}
    values |= {"key": task.message.key.encode(), "value": task.message.value, "task_id": task.pk}
    return DeadLetter.objects.create(**(values | changes))


def test_dead_letters_are_tried_again_once_by_the_handlers_that_are_named(done):
    bury("ai.analyze")
    bury("storage.apply", reason="owner_conflict")
    assert "1 of 2" in run("--dead-letters")
    assert due() == [("storage.apply", 1)]
    assert "0 of 1" in run("--dead-letters")
    assert "0 of 0" in run("--dead-letters", "--handlers", "all", "--reasons", "exhausted")
    assert "1 of 1" in run("--dead-letters", "--handlers", "all", "--reasons", "crashed")
    assert due() == [("ai.analyze", 1), ("storage.apply", 1)]


def test_an_event_that_could_not_be_produced_goes_back_to_the_outbox_only_when_asked(store):
    event = resume(1)
    DeadLetter.objects.create(
        source="outbox",
        reason="too_large",
        topic=event.topic,
        key=event.key.encode(),
        value=codec.encode(event),
    )
    assert "0 of 1" in run("--dead-letters")
    assert not OutboxMessage.objects.exists()
    assert "1 of 1" in run("--dead-letters", "--handlers", "outbox")
    assert bytes(OutboxMessage.objects.get().value) == codec.encode(event)


def test_what_was_unreadable_is_read_again_by_newer_code(inbox, monkeypatch):
    bad = FakeMessage(codec.encode(resume(1)), b"of_tomorrow", 5)
    inbox.store([bad], cluster_id="cluster")
    assert "0 of 1" in run("--dead-letters"), "still unreadable"
    tomorrow = ("uploading_data", "of_tomorrow")
    monkeypatch.setitem(codec._BY_PLACE, tomorrow, codec._BY_PLACE["uploading_data", "new_resume"])
    assert "1 of 1" in run("--dead-letters")
    assert due() == [("storage.apply", 1)]
    assert bytes(InboxMessage.objects.get().value) == bad.value_bytes


def test_an_unknown_handler_is_refused_by_name(done):
    with pytest.raises(CommandError, match="analyse"):
        run("--inbox", "--handlers", "ai.analyse")
    with pytest.raises(ValueError, match="names none"):
        replay.handlers_named(["nobody"])


@pytest.mark.django_db(transaction=True)
def test_a_replayed_row_is_really_run_again(store, handlers):
    from kafka_bridge.tasks import batch_handler
    from kafka_bridge.tasks.execution import run_batch

    seen = []
    batch_handler("storage.apply", type(resume()), queue="storage")(
        lambda batch: seen.extend(received.event.resume_id for received in batch)
    )
    [task] = store(resume(1))
    for _ in range(2):
        run_batch(handlers["storage.apply"], [task])
        assert state(task) == "done"
        run("--inbox")
    assert seen == [1, 1]
