"""Jobs without an event: one bridge does a round, and a failing one stops nothing."""

import threading

import pytest
from django.db import connection

from kafka_bridge.jobs import periodic
from kafka_bridge.jobs.periodic import Periodic
from kafka_bridge.models import PeriodicJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(monkeypatch):
    """Register the one job there is; returns the list of its rounds."""
    monkeypatch.setattr(periodic, "JOBS", {})
    rounds = []

    def register(function=lambda: None, *, every=60.0, name="test.job"):
        @periodic.periodic(name, every=every)
        def run():
            rounds.append(name)
            function()

        return rounds

    return register


def make_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kafka_bridge_periodicjob SET due_at = now()")


def bridge() -> Periodic:
    return Periodic(threading.Event())


def test_a_job_is_done_once_a_period_however_many_bridges_there_are(job):
    rounds = job()
    bridges = [bridge(), bridge()]
    for each in bridges:
        each.step()
    assert rounds == [], "a new job waits for one period"
    for expected in (1, 2):
        make_due()
        for each in bridges:
            each.step()
        assert len(rounds) == expected


def test_a_failing_job_stops_neither_the_others_nor_itself(job):
    def fail():
        raise ValueError("text of a user")

    job(fail, name="test.bad")
    rounds = job(name="test.good")
    bridge().step()
    for _ in range(2):
        make_due()
        bridge().step()
    assert rounds == ["test.bad", "test.good"] * 2


def test_a_shortened_period_holds_at_once(job):
    rounds = job(every=86_400.0)
    bridge().step()
    job(every=1.0)
    bridge().step()
    assert rounds == ["test.job"]
    assert PeriodicJob.objects.count() == 1
