"""A worker's threads: a wake-up of many ids runs them side by side, and never more than it may."""

import threading

import pytest

from kafka_bridge.tasks import threads
from kafka_bridge.tasks.threads import RowThreads

WAIT = 20


def claim_all(ids):
    return list(ids)


def test_the_rows_of_one_wake_up_run_side_by_side():
    pool = RowThreads(4)
    together = threading.Barrier(4)
    left = [1, 2, 3, 4]
    assert not pool.run(left, claim=claim_all, work=lambda row: together.wait(WAIT))
    pool.finish()
    assert not together.broken


def test_no_more_rows_are_claimed_than_threads_are_free(monkeypatch):
    monkeypatch.setattr(threads, "WAIT_SECONDS", 0.05)
    pool = RowThreads(2)
    go_on = threading.Event()
    claimed: list[int] = []

    def claim(ids):
        claimed.extend(ids)
        return ids

    left = pool.run([1, 2, 3, 4], claim=claim, work=lambda row: go_on.wait(WAIT))
    assert (claimed, left) == ([1, 2], [3, 4]), "another worker may take the others"
    go_on.set()
    pool.finish()


def test_what_others_claimed_leaves_its_threads_free():
    pool = RowThreads(2)
    for _ in range(5):
        assert not pool.run([1, 2], claim=lambda ids: [], work=lambda row: None)
    together = threading.Barrier(2)
    pool.run([1, 2], claim=claim_all, work=lambda row: together.wait(WAIT))
    pool.finish()
    assert not together.broken


def test_a_claim_or_a_row_that_fails_frees_its_thread():
    pool = RowThreads(2)

    def fail(*_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        pool.run([1, 2], claim=fail, work=lambda row: None)
    pool.run([1, 2, 3, 4], claim=claim_all, work=fail)
    done: list[int] = []
    assert not pool.run([5, 6], claim=claim_all, work=done.append)
    pool.finish()
    assert sorted(done) == [5, 6]
