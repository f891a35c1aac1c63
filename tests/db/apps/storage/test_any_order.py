"""Storage is a function of the set of events: not of their order, repetition or batching."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.storage.models import (
    StoredProcessing,
    StoredRequirements,
    StoredResume,
    StoredUser,
    Tombstone,
)
from kafka_bridge.tasks import Received
from tests.db.apps.storage import factories as f

TABLES = (StoredUser, StoredResume, StoredRequirements, StoredProcessing, Tombstone)


def of_processing(number: int, user_id: int) -> dict[str, int]:
    # Two of the three processings share their requirements.
    return {
        "processing_id": number,
        "user_id": user_id,
        "resume_id": 30 + number,
        "requirements_id": 40 + number % 2,
    }


users = st.sampled_from([1, 1, 1, 2])
numbers = st.integers(20, 22)
runs = st.integers(0, 2)
scores = st.integers(0, 3)
texts = st.sampled_from(["a", "б", ""])

requests = st.builds(
    lambda n, u, run, url: f.NewRequestFactory(**of_processing(n, u), run=run, callback_url=url),
    numbers, users, runs, st.sampled_from(["http://a", "http://б", "http://B"]),
)  # fmt: skip
judgements = st.builds(
    lambda n, u, run, score: f.NewProcessingFactory(**of_processing(n, u), run=run, score=score),
    numbers, users, runs, scores,
)  # fmt: skip
outcomes = st.builds(
    lambda make, n, u, run, score: make(
        run=run, response=f.SendingResponseFactory(**of_processing(n, u), score=score)
    ),
    st.sampled_from([f.NewSendingFactory, f.NewNotificationsFactory, f.FailedSendingFactory]),
    numbers, users, runs, scores,
)  # fmt: skip
others = st.one_of(
    st.builds(lambda u, name: f.NewUserFactory(user_id=u, full_name=name), users, texts),
    st.builds(
        lambda n, u, text: f.NewResumeFactory(resume_id=n + 30, user_id=u, resume=text),
        numbers, users, texts,
    ),
    st.builds(
        lambda n, u, text: f.NewRequirementsFactory(
            requirements_id=40 + n % 2, user_id=u, requirements=text
        ),
        numbers, users, texts,
    ),
)  # fmt: skip
deletes = st.one_of(
    st.builds(
        lambda n, u, resumes: f.DeleteProcessingFactory(
            processing_ids=[n], user_id=u, resume_ids=resumes
        ),
        numbers, users, st.sampled_from([[], [50], [51, 52]]),
    ),
    st.builds(
        lambda n, u: f.DeleteRequirementsFactory(requirements_ids=[40 + n % 2], user_id=u),
        numbers, users,
    ),
)  # fmt: skip
moments = st.builds(
    f.received, st.one_of(requests, judgements, outcomes, others, deletes), st.integers(0, 5)
)


@st.composite
def two_deliveries(draw: st.DrawFn) -> tuple[list[Received], list[list[Received]]]:
    """A history, and the same events again: some repeated, in another order, cut into batches."""
    history = draw(st.lists(moments, min_size=1, max_size=12))
    repeated = draw(st.lists(st.sampled_from(history), max_size=4))
    shuffled = draw(st.permutations(history + repeated))
    batches: list[list[Received]] = [[]]
    for event in shuffled:
        batches[-1].append(event)
        if draw(st.booleans()):
            batches.append([])
    return history, batches


def stored_after(batches: list[list[Received]]) -> dict[str, Any]:
    """Deliver into empty tables, then replay the dead letters until that changes nothing."""
    for table in TABLES:
        table.objects.all().delete()
    dead = [letter for batch in batches for letter in f.deliver(batch)]
    before = None
    while before != (before := snapshot()):
        dead = [letter for one in dead for letter in f.deliver([one])]
    return before


def snapshot() -> dict[str, Any]:
    return {
        "users": list(StoredUser.objects.order_by("user_id").values()),
        "resumes": f.owners(StoredResume.objects, "resume_id"),
        "requirements": f.owners(StoredRequirements.objects, "requirements_id"),
        "processings": f.owners(StoredProcessing.objects, "processing_id"),
        "tombstones": sorted(Tombstone.objects.values_list("kind", "target_id", "user_id")),
    }


@pytest.mark.django_db
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(two_deliveries())
def test_any_order_repetition_and_batching_stores_the_same(
    deliveries: tuple[list[Received], list[list[Received]]],
) -> None:
    history, batches = deliveries
    assert stored_after([history]) == stored_after(batches)
