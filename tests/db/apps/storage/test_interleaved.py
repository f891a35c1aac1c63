"""Workers side by side: whatever interleaving their transactions take, storage ends the same."""

import threading

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kafka_bridge.tasks import Received
from tests.db.apps.storage import factories as f
from tests.db.apps.storage.test_any_order import TABLES, moments, snapshot, stored_after

WORKERS = 3


@st.composite
def shared_out(draw: st.DrawFn) -> tuple[list[Received], list[list[list[Received]]]]:
    """A history, and its events with repetitions as the batches of several workers."""
    history = draw(st.lists(moments, min_size=4, max_size=16))
    repeated = draw(st.lists(st.sampled_from(history), max_size=6))
    shuffled = draw(st.permutations(history + repeated))
    size = draw(st.integers(1, 4))
    batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    return history, [batches[worker::WORKERS] for worker in range(WORKERS)]


def work_side_by_side(shares: list[list[list[Received]]]) -> None:
    """Each share by a thread with a connection of its own; then the dead letters, as a replay."""
    dead: list[Received] = []
    barrier = threading.Barrier(len(shares))
    deadlocks: list[str] = []

    def work(batches: list[list[Received]]) -> None:
        try:
            barrier.wait()
            for batch in batches:
                dead.extend(f.deliver(batch))
        except OperationalError as error:
            deadlocks.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not deadlocks, "the order of the locks must be the same in every batch"
    before = None
    while before != (before := snapshot()):
        dead = [letter for one in dead for letter in f.deliver([one])]


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shared_out())
def test_workers_side_by_side_store_what_one_after_the_other_would(
    case: tuple[list[Received], list[list[list[Received]]]],
) -> None:
    history, shares = case
    expected = stored_after([history])
    for table in TABLES:
        table.objects.all().delete()
    work_side_by_side(shares)
    assert snapshot() == expected
