"""What a scrape of the bridge asks PostgreSQL and Redis."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask, OutboxMessage
from kafka_bridge.process import scrape_metrics
from kafka_bridge.tasks.registry import load_handlers
from resume_platform.observability import metrics
from tests.stack.kafka.tools import own_database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_database(settings: Any) -> None:
    load_handlers()
    settings.DATABASE_DIRECT_URL = own_database_url()


def message(offset: int) -> InboxMessage:
    return InboxMessage.objects.create(
        cluster_id="c", epoch=0, topic="t", partition=0, offset=offset, key="new_request",
        content_hash=b"", occurred_at=timezone.now(),
    )  # fmt: skip


def task(offset: int, *, due: float, state: str = "pending", name: str = "ai.analyze") -> None:
    """`due`: seconds from now."""
    MessageTask.objects.create(
        message=message(offset),
        name=name,
        state=state,
        next_attempt_at=timezone.now() + dt.timedelta(seconds=due),
    )


def test_tasks_are_counted_by_state_and_the_oldest_due_has_its_age() -> None:
    task(1, due=-90)
    task(2, due=-5)
    task(3, due=600)
    task(4, due=-900, state="leased")
    task(5, due=-900, state="done")
    task(6, due=-30, name="storage.apply")
    found = scrape_metrics.pipeline()
    rows = found[metrics.INBOX_TASKS]
    assert {state: rows["ai.analyze", state] for state in ("due", "later", "leased")} == {
        "due": 2,
        "later": 1,
        "leased": 1,
    }
    assert rows["storage.apply", "due"] == 1
    assert rows["notifications.deliver", "due"] == 0
    ages = found[metrics.INBOX_OLDEST_DUE]
    assert 90 <= ages["ai.analyze",] < 200
    assert 30 <= ages["storage.apply",] < 90
    assert ages["notifications.deliver",] == 0


def test_the_outbox_is_counted_and_empty_it_has_no_age() -> None:
    empty = scrape_metrics.pipeline()
    assert (empty[metrics.OUTBOX_ROWS], empty[metrics.OUTBOX_AGE]) == ({(): 0}, {(): 0})
    for age in (40, 1):
        OutboxMessage.objects.create(
            topic="sending", key="k", partition_key=1, value=b"{}",
            occurred_at=timezone.now() - dt.timedelta(seconds=age),
        )  # fmt: skip
    found = scrape_metrics.pipeline()
    assert found[metrics.OUTBOX_ROWS] == {(): 2}
    assert 40 <= found[metrics.OUTBOX_AGE][()] < 100


def test_open_dead_letters_are_counted_by_reason_in_a_bounded_number_of_series() -> None:
    def letter(reason: str, **values: Any) -> DeadLetter:
        return DeadLetter(source="handler", reason=reason, topic="t", **values)

    DeadLetter.objects.bulk_create(
        [letter("timeout"), letter("timeout"), letter("timeout", replayed_at=timezone.now())]
        + [letter(f"reason_{number}") for number in range(60)]
    )
    found = scrape_metrics.pipeline()[metrics.DEAD_LETTERS_OPEN]
    assert found["handler", "timeout"] == 2
    assert len(found) == scrape_metrics.MOST_REASONS + 1
    assert sum(found.values()) == 62


def test_no_query_reads_more_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape_metrics, "LIMIT", 3)
    for offset in range(5):
        task(offset, due=-10)
        OutboxMessage.objects.create(topic="sending", key="k", partition_key=1, value=b"{}")
    found = scrape_metrics.pipeline()
    assert found[metrics.INBOX_TASKS]["ai.analyze", "due"] == 3
    assert found[metrics.OUTBOX_ROWS] == {(): 3}


def test_the_queues_of_celery_are_counted() -> None:
    assert set(scrape_metrics.queues()[metrics.QUEUE_MESSAGES]) == {
        ("storage",),
        ("ai",),
        ("webhooks",),
    }
