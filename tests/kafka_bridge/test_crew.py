"""A worker's threads: a wake-up of many ids runs them side by side, and never more than it may."""

import threading

import pytest

from kafka_bridge import crew as crew_module
from kafka_bridge.crew import Crew, nearly_done, wait_for_others

WAIT = 20


def claim_all(ids):
    return list(ids)


def test_the_rows_of_one_wake_up_run_side_by_side():
    crew = Crew(4)
    together = threading.Barrier(4)
    assert not crew.run([1, 2, 3, 4], claim=claim_all, work=lambda row: together.wait(WAIT))
    crew.finish()
    assert not together.broken


def test_no_more_rows_are_claimed_than_threads_are_free(monkeypatch):
    monkeypatch.setattr(crew_module, "PATIENCE_SECONDS", 0.05)
    crew = Crew(2)
    go_on = threading.Event()
    claimed: list[int] = []

    def claim(ids):
        claimed.extend(ids)
        return ids

    left = crew.run([1, 2, 3, 4], claim=claim, work=lambda row: go_on.wait(WAIT))
    assert (claimed, left) == ([1, 2], [3, 4]), "another worker may take the others"
    go_on.set()
    crew.finish()


def test_what_others_claimed_leaves_its_threads_free():
    crew = Crew(2)
    for _ in range(5):
        assert not crew.run([1, 2], claim=lambda ids: [], work=lambda row: None)
    together = threading.Barrier(2)
    crew.run([1, 2], claim=claim_all, work=lambda row: together.wait(WAIT))
    crew.finish()
    assert not together.broken


def test_a_claim_or_a_row_that_fails_frees_its_thread():
    crew = Crew(2)

    def fail(*_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        crew.run([1, 2], claim=fail, work=lambda row: None)
    crew.run([1, 2, 3, 4], claim=claim_all, work=fail)
    done: list[int] = []
    assert not crew.run([5, 6], claim=claim_all, work=done.append)
    crew.finish()
    assert sorted(done) == [5, 6]


def test_few_work_while_many_wait(monkeypatch):
    monkeypatch.setattr(crew_module, "PATIENCE_SECONDS", 0.05)
    crew = Crew(8, at_work=2)
    go_on, answered = threading.Event(), threading.Event()

    def work(row: int) -> None:
        go_on.wait(WAIT)
        wait_for_others()
        answered.wait(WAIT)

    assert crew.run([1, 2, 3, 4], claim=claim_all, work=work) == [3, 4], "two are at work"
    go_on.set()
    monkeypatch.setattr(crew_module, "PATIENCE_SECONDS", WAIT)
    assert not crew.run([3, 4, 5, 6], claim=claim_all, work=work), "those wait, so these may work"
    answered.set()
    crew.finish()


def test_while_a_row_is_nearly_done_one_more_is_claimed_and_waits_for_its_thread(monkeypatch):
    monkeypatch.setattr(crew_module, "PATIENCE_SECONDS", 0.05)
    crew = Crew(1, at_work=3)
    said, go_on, began = threading.Event(), threading.Event(), []

    def work(row: int) -> None:
        began.append(row)
        nearly_done()
        nearly_done()
        said.set()
        go_on.wait(WAIT)

    crew.run([1], claim=claim_all, work=work)
    assert said.wait(WAIT)
    assert crew.run([2, 3], claim=claim_all, work=work) == [3], "one place was left, once"
    assert began == [1]
    go_on.set()
    crew.finish()
    assert began == [1, 2]
    assert crew._free.acquire(blocking=False)
    assert not crew._free.acquire(blocking=False), "a place was given back twice"
