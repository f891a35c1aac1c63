"""No client waits for ever: a request without a result is made again, then it fails aloud."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.storage import orders, watchdog
from apps.storage.models import StoredProcessing
from kafka_bridge.contract import codec
from kafka_bridge.contract.events import MAX_RUN, Event, NewSending
from kafka_bridge.models import InboxMessage, MessageTask, OutboxMessage
from tests.db.apps.storage import factories as f

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture(autouse=True)
def _an_hour(settings):
    settings.STALLED_AFTER_MINUTES = 60


def watch(seconds: float) -> list[Event]:
    """The watchdog's round at that moment; returns the events that it told."""
    watchdog.watch(clock=lambda: f.at(seconds))
    return told()


def told() -> list[Event]:
    """The outbox, which is emptied."""
    rows = OutboxMessage.objects.order_by("pk")
    events = [codec.decode(row.topic, row.key.encode(), bytes(row.value)) for row in rows]
    rows.delete()
    return events


def ask() -> None:
    f.tell(f.NewResumeFactory(), f.NewRequirementsFactory(), f.NewRequestFactory())


def stored() -> StoredProcessing:
    return StoredProcessing.objects.get(processing_id=20)


def test_a_request_without_a_result_is_made_again_and_then_fails_with_a_callback():
    ask()
    assert watch(HOUR) == [], "not a moment too early"
    [again] = watch(HOUR + 3)
    assert again == f.NewRequestFactory(run=1)
    assert watch(HOUR + 4) == [], "once a run"

    f.tell(again, seconds=HOUR + 5)
    assert watch(2 * HOUR + 5) == [], "the new run has its own hour"
    [failure] = watch(2 * HOUR + 6)
    assert isinstance(failure, NewSending)
    assert (failure.success, failure.run) == (False, 2)
    assert failure.response.callback_url == "https://client.example/hook"
    assert failure.message_error == watchdog.NO_RESULT

    f.tell(failure, seconds=2 * HOUR + 7)
    assert (stored().status, stored().message_error) == ("failed", watchdog.NO_RESULT)
    assert watch(9 * HOUR) == []


@pytest.mark.parametrize("run", [0, 1])
def test_a_result_that_comes_after_the_failure_changes_nothing(run):
    ask()
    [again] = watch(2 * HOUR)
    f.tell(again, seconds=2 * HOUR)
    [failure] = watch(4 * HOUR)
    f.tell(failure, f.NewProcessingFactory(run=run), f.NewSendingFactory(run=run), seconds=5 * HOUR)
    assert stored().status == "failed"


def test_a_result_of_the_first_run_that_comes_late_ends_the_waiting():
    ask()
    [again] = watch(2 * HOUR)
    f.tell(again, f.NewProcessingFactory(run=0), seconds=2 * HOUR)
    assert watch(9 * HOUR) == []
    assert stored().status == "finished"


def test_a_request_that_staff_made_later_gets_its_second_chance_too():
    ask()
    [again] = watch(2 * HOUR)
    f.tell(again, f.NewRequestFactory(run=5), seconds=3 * HOUR)
    assert [event.run for event in watch(5 * HOUR)] == [6]


def finished() -> StoredProcessing:
    ask()
    f.tell(f.NewProcessingFactory(score=85), seconds=1)
    return stored()


def test_a_run_that_staff_ordered_is_made_once_more_and_never_costs_the_result():
    ordered = orders.judge_again(pk=finished().pk)
    f.tell(*told(), seconds=2)
    assert watch(HOUR + 2) == [], "not a moment too early"
    [again] = watch(HOUR + 3)
    assert again == f.NewRequestFactory(run=ordered + 1)
    assert watch(HOUR + 4) == [], "once a run"

    f.tell(again, seconds=HOUR + 5)
    assert watch(3 * HOUR) == [], "given up, without a failure"
    assert watch(9 * HOUR) == []
    assert (stored().status, stored().score) == ("finished", 85)

    # Staff may order it anew, and that order has its own second chance.
    assert orders.judge_again(pk=stored().pk) == 3
    f.tell(*told(), seconds=9 * HOUR)
    assert [event.run for event in watch(11 * HOUR)] == [4]


def test_a_result_ends_the_watch_over_an_order():
    orders.judge_again(pk=finished().pk)
    f.tell(*told(), f.NewProcessingFactory(run=1, score=90), seconds=2)
    assert watch(9 * HOUR) == []
    assert stored().score == 90


def test_an_order_that_waits_its_turn_in_our_own_queues_is_not_driven():
    orders.judge_again(pk=finished().pk)
    [request] = told()
    f.tell(request, seconds=2)
    owe(request, "ai.analyze", seconds=2)
    assert watch(2 * HOUR) == []


def test_a_result_or_a_delete_leaves_nothing_to_watch():
    f.tell(f.NewResumeFactory(), f.NewRequirementsFactory())
    f.tell(f.NewRequestFactory(), f.NewProcessingFactory())
    f.tell(f.NewRequestFactory(processing_id=21), f.DeleteProcessingFactory(processing_ids=[21]))
    assert watch(9 * HOUR) == []


def test_without_the_texts_it_fails_at_once():
    f.tell(f.NewRequestFactory())
    [failure] = watch(2 * HOUR)
    assert isinstance(failure, NewSending)
    assert not failure.success


def test_the_claim_of_a_stranger_is_not_driven():
    f.tell(f.NewRequestFactory(user_id=2), seconds=5)
    f.tell(f.NewRequestFactory(user_id=1), seconds=1)  # the owner's came second
    f.tell(f.NewProcessingFactory(user_id=1), seconds=6)
    assert watch(9 * HOUR) == []


def test_what_waits_its_turn_in_our_own_queues_is_not_driven_but_not_for_ever():
    ask()
    f.tell(f.NewRequestFactory(processing_id=21), seconds=100)
    owe(f.NewRequestFactory(processing_id=21), "ai.analyze", seconds=100)
    assert [event.processing_id for event in watch(2 * HOUR)] == [20]
    assert [event.processing_id for event in watch(31 * HOUR)] == [21]


def test_a_result_that_storage_has_not_read_yet_counts_as_come():
    ask()
    owe(f.NewProcessingFactory(), "storage.apply", seconds=1)
    assert watch(2 * HOUR) == []


def test_callbacks_that_are_retried_for_days_hold_nothing_up():
    ask()
    owe(f.NewSendingFactory(), "notifications.deliver", seconds=-9 * HOUR)
    assert len(watch(2 * HOUR)) == 1


def test_many_are_driven_in_batches(monkeypatch):
    monkeypatch.setattr(watchdog, "BATCH_SIZE", 2)
    f.tell(f.NewResumeFactory(), f.NewRequirementsFactory())
    f.tell(*[f.NewRequestFactory(processing_id=n) for n in range(50, 55)])
    assert len(watch(2 * HOUR)) == 5


def test_the_rows_are_found_by_an_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = watchdog._stalled(f.at(0)).order_by("requested_at").explain()
    assert "storage_processing_waiting" in plan
    plan = watchdog._stalled_orders(f.at(0)).order_by("requested_at").explain()
    assert "storage_processing_ordered" in plan


def owe(event: Event, task: str, *, seconds: float) -> None:
    message = InboxMessage.objects.create(
        cluster_id="cluster",
        epoch=0,
        topic=event.topic,
        partition=0,
        offset=1,
        key=event.key,
        value=codec.encode(event),
        content_hash=b"",
        occurred_at=f.at(0) + timedelta(seconds=seconds),
    )
    MessageTask.objects.create(message=message, name=task)


def test_the_last_run_that_there_may_be_fails_instead_of_being_made_again():
    f.tell(f.NewResumeFactory(), f.NewRequirementsFactory(), f.NewRequestFactory(run=MAX_RUN))
    [failure] = watch(HOUR + 3)
    assert (type(failure), failure.run) == (NewSending, MAX_RUN)
    assert watch(3 * HOUR) == []


def test_a_row_that_cannot_be_acted_on_stops_no_other():
    ask()
    f.tell(f.NewRequestFactory(processing_id=21))
    # Older events than today's may have left what no event can tell.
    StoredProcessing.objects.filter(processing_id=20).update(
        requested_run=2**31 - 1, watched_run=1, resume_id=-1
    )
    [again] = watch(HOUR + 3)
    assert (again.processing_id, again.run) == (21, 1)
    assert stored().watched_run == 1
