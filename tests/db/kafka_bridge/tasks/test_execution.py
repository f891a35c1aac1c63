"""Leases, retries, crashes and batches: how each row ends."""

import threading
import uuid

import pytest
from django.db import DataError, OperationalError, connection, transaction

from kafka_bridge import outbox
from kafka_bridge.contract.events import DeleteProcessing, NewResume
from kafka_bridge.inbox.store import Inbox
from kafka_bridge.models import DeadLetter, MessageTask, OutboxMessage
from kafka_bridge.tasks import (
    LeaseLost,
    Permanent,
    RetryLater,
    batch_handler,
    handler,
    leases,
    threads,
)
from kafka_bridge.tasks.execution import run_batch, run_each
from kafka_bridge.tasks.registry import RetryPolicy
from kafka_bridge.tasks.threads import RowThreads
from resume_platform.postgresql_pool import base
from tests.db.kafka_bridge.conftest import message, resume, state

TASK = "storage.apply"  # a name that new_resume is routed to; the test brings the function


@pytest.fixture
def work(handlers):
    """Register a function as the handler of new_resume; returns a runner of task ids."""

    def register(function, *, batch=False, schedule=(10.0,)):
        if batch:
            batch_handler(TASK, NewResume, queue="storage")(function)
            return lambda ids: run_batch(handlers[TASK], ids)
        retry = RetryPolicy(schedule, jitter=0)
        handler(TASK, NewResume, queue="storage", retry=retry)(function)
        return lambda ids: run_each(handlers[TASK], ids)

    return register


def expire_lease(task_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET lease_expires_at = now() - interval '1 s'"
            " WHERE id = %s",
            [task_id],
        )


def make_due(task_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET next_attempt_at = now() WHERE id = %s", [task_id]
        )


def outbox_event(processing_id: int = 1) -> DeleteProcessing:
    return DeleteProcessing(processing_ids=[processing_id], user_id=1)


@pytest.mark.django_db(transaction=True)
def test_effects_events_and_the_rows_end_commit_together(store, work):
    def succeed(event, attempt):
        with attempt.finish():
            outbox.enqueue(outbox_event())

    def fail_after_enqueueing(event, attempt):
        with attempt.finish():
            outbox.enqueue(outbox_event())
            raise Permanent("refused")

    good, bad = store(resume(1), resume(2))
    work(succeed)([good])
    work(fail_after_enqueueing)([bad])

    assert (state(good), state(bad)) == ("done", "dead")
    assert OutboxMessage.objects.count() == 1
    assert DeadLetter.objects.get().reason == "refused"


@pytest.mark.django_db(transaction=True)
def test_a_lease_stolen_during_the_work_gives_one_outcome_and_the_loser_rolls_back(store, work):
    [task_id] = store(resume())
    entered = []

    def slow(event, attempt):
        entered.append(attempt.task_id)
        if len(entered) == 1:  # the first worker falls silent, a second takes over and ends it
            expire_lease(task_id)
            leases.recover_expired()
            run([task_id])
        with attempt.finish():
            outbox.enqueue(outbox_event(len(entered)))

    run = work(slow)
    run([task_id])

    assert len(entered) == 2
    assert state(task_id) == "done"
    assert OutboxMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_wake_ups_of_one_row_run_it_once(store, work):
    [task_id] = store(resume())
    runs, barrier = [], threading.Barrier(2)

    run = work(lambda event, attempt: runs.append(1))

    def worker():
        barrier.wait()
        run([task_id])
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(runs) == 1
    assert state(task_id) == "done"


@pytest.mark.django_db(transaction=True)
def test_a_retry_waits_in_the_row_and_the_last_one_is_a_dead_letter(store, work):
    [task_id] = store(resume())
    numbers = []

    def never(event, attempt):
        numbers.append((attempt.number, attempt.is_last))
        raise RetryLater("busy")

    run = work(never, schedule=(10.0,))
    run([task_id])
    row = MessageTask.objects.get(pk=task_id)
    assert row.state == "pending"
    assert 9 < (row.next_attempt_at - row.created_at).total_seconds() < 12

    run([task_id])  # not due: nothing happens
    make_due(task_id)
    run([task_id])

    assert numbers == [(1, False), (2, True)]
    assert state(task_id) == "dead"
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.detail, letter.task_id) == ("exhausted", "busy", task_id)


@pytest.mark.django_db(transaction=True)
def test_waiting_for_a_limit_uses_up_no_attempt(store, work):
    [task_id] = store(resume())

    def wait(event, attempt):
        raise RetryLater("limit", seconds=0, counted=False)

    run = work(wait, schedule=())
    for _ in range(5):
        run([task_id])
    assert MessageTask.objects.get(pk=task_id).attempts == 0
    assert state(task_id) == "pending"


@pytest.mark.django_db(transaction=True)
def test_a_defect_is_named_by_kind_and_place_and_never_by_its_message(store, work):
    [task_id] = store(resume())

    def defect(event, attempt):
        raise KeyError("the resume's text")

    work(defect, schedule=())([task_id])
    letter = DeadLetter.objects.get()
    assert letter.detail.startswith("KeyError")
    assert "text" not in letter.detail


@pytest.mark.django_db(transaction=True)
def test_only_crashes_while_alone_count_and_three_make_a_dead_letter(store):
    ids = store(resume(1), resume(2))
    leases.claim(name=TASK, ids=ids)
    for task_id in ids:  # the worker dies with both in hand: nobody is guilty yet
        expire_lease(task_id)
    leases.recover_expired()
    assert list(MessageTask.objects.values_list("suspect", "crashes_alone")) == [(True, 0)] * 2
    assert leases.claim(name=TASK, ids=ids) == [], "a suspect is not claimed with others"

    for crash in (1, 2, 3):
        claimed = leases.claim_suspect(name=TASK)
        assert claimed is not None
        assert claimed.task_id == ids[0]
        expire_lease(ids[0])
        leases.recover_expired()
        assert MessageTask.objects.get(pk=ids[0]).crashes_alone == crash

    assert (state(ids[0]), state(ids[1])) == ("dead", "pending")
    assert DeadLetter.objects.get().reason == "crashed"


@pytest.mark.django_db(transaction=True)
def test_a_suspect_is_run_alone_when_its_handler_is_woken(store, work):
    first, second = store(resume(1), resume(2))
    leases.claim(name=TASK, ids=[first])
    expire_lease(first)
    leases.recover_expired()
    seen = []
    work(lambda batch: seen.append([r.event.resume_id for r in batch]), batch=True)([first, second])
    assert seen == [[2], [1]]
    assert (state(first), state(second)) == ("done", "done")


@pytest.mark.django_db(transaction=True)
def test_a_batch_of_500_with_one_bad_row_stores_499_and_makes_one_dead_letter(store, work):
    ids = store(*[resume(n + 1) for n in range(500)])
    calls = []

    def apply(batch):
        calls.append(len(batch))
        for received in batch:
            outbox.enqueue(outbox_event(received.event.resume_id))
        if any(received.event.resume_id == 321 for received in batch):
            raise DataError("bad row")

    work(apply, batch=True)(ids)

    assert MessageTask.objects.filter(state="done").count() == 499
    assert MessageTask.objects.get(state="dead").message.offset == 320
    assert OutboxMessage.objects.count() == 499, "the bad row's halves rolled back"
    assert DeadLetter.objects.count() == 1
    assert len(calls) <= 2 * 9 + 1, "bisected, not tried one by one"


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_gives_the_whole_batch_back_and_counts_nothing(store, work):
    ids = store(*[resume(n + 1) for n in range(10)])

    def apply(batch):
        raise OperationalError("server closed the connection")

    work(apply, batch=True)(ids)
    rows = MessageTask.objects.all()
    assert {(row.state, row.attempts, row.suspect) for row in rows} == {("pending", 0, False)}
    assert not DeadLetter.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_renewed_lease_does_not_run_out_and_a_foreign_token_renews_nothing(store, settings):
    [task_id] = store(resume())
    [row] = leases.claim(name=TASK, ids=[task_id])
    before = MessageTask.objects.get(pk=task_id).lease_expires_at
    assert leases.renew([uuid.uuid4()]) == 0
    assert leases.renew([row.lease_token]) == 1
    assert MessageTask.objects.get(pk=task_id).lease_expires_at > before
    with pytest.raises(LeaseLost), transaction.atomic():
        leases.finish([task_id], uuid.uuid4())


@pytest.mark.django_db(transaction=True)
def test_the_outbox_refuses_to_run_outside_a_transaction():
    with pytest.raises(outbox.OutboxOutsideTransaction):
        outbox.enqueue(outbox_event())
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_topic_may_have_another_name_in_the_cluster(work, settings):
    settings.KAFKA_TOPICS = {**settings.KAFKA_TOPICS, "uploading_data": "prod.uploads"}
    renamed = Inbox(
        topics={"prod.uploads": "uploading_data"}, high_watermark=lambda topic, partition: 1_000_000
    )
    batch = [message(resume(), topic_name="prod.uploads")]
    [task_id] = renamed.store(batch, cluster_id="cluster")[TASK]
    work(lambda event, attempt: None)([task_id])
    assert state(task_id) == "done"


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_free_thread_holds_no_connection(store, work, settings, monkeypatch):
    """Else a worker with few connections would stand still, with its rows leased."""
    tasks = store(*(resume(number) for number in range(1, 5)))
    settings.DATABASE_POOL_SIZE = 1
    monkeypatch.setattr(base, "_pools", {})
    monkeypatch.setattr(threads, "_threads", RowThreads(1))
    run = work(lambda event, attempt: None)
    connection.close()  # it was made without the pool
    run(tasks)
    connection.close()  # the last row needs it
    threads.row_threads().finish()
    assert {state(task) for task in tasks} == {"done"}
    connection.close_pool()
