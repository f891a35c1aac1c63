"""The database connections that a process's threads share."""

import threading
from typing import Any

import psycopg2
import pytest
from django.db import connection

from resume_platform.postgresql_pool import alive, base
from resume_platform.postgresql_pool.pool import Pool


@pytest.fixture
def connect(db: None) -> Any:
    parameters = {**connection.get_connection_params()}
    return lambda: psycopg2.connect(**parameters)


def test_what_is_given_back_is_used_again(connect: Any) -> None:
    pool = Pool(1)
    first = pool.take(connect)
    pool.give_back(first, is_good=True)
    assert pool.take(connect) is first
    pool.give_back(first, is_good=True)
    pool.close_idle()
    assert first.closed


def test_who_comes_late_waits_and_then_is_refused(connect: Any) -> None:
    pool = Pool(1, wait_seconds=0.2)
    held = pool.take(connect)
    with pytest.raises(psycopg2.OperationalError, match="in use"):
        pool.take(connect)
    threading.Timer(0.05, lambda: pool.give_back(held, is_good=True)).start()
    assert pool.take(connect) is held
    held.close()


@pytest.mark.parametrize("spoil", ["transaction", "closed", "bad"])
def test_what_is_spoilt_is_not_handed_on(connect: Any, spoil: str) -> None:
    pool = Pool(1)
    spoilt = pool.take(connect)
    if spoil == "transaction":
        spoilt.cursor().execute("SELECT 1")
    if spoil == "closed":
        spoilt.close()
    pool.give_back(spoilt, is_good=spoil != "bad")
    fresh = pool.take(connect)
    assert fresh is not spoilt
    assert spoilt.closed
    fresh.close()


@pytest.mark.parametrize("trusted", [-1, 60])
def test_one_that_died_while_it_lay_idle_is_replaced(
    connect: Any, monkeypatch: pytest.MonkeyPatch, trusted: float
) -> None:
    monkeypatch.setattr("resume_platform.postgresql_pool.alive.TRUSTED_SECONDS", trusted)
    pool = Pool(1)
    dead = pool.take(connect)
    dead.autocommit = True
    pool.give_back(dead, is_good=True)
    _terminate(dead)
    fresh = pool.take(connect)
    fresh.cursor().execute("SELECT 1")
    fresh.close()


def test_a_threads_own_connection_is_looked_at_and_only_seldom_asked(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = base.DatabaseWrapper({**connection.settings_dict})
    own.ensure_connection()
    assert own.is_usable()  # asked: it was never seen to be alive
    asked = []
    monkeypatch.setattr(alive, "_answers", asked.append)
    assert own.is_usable()
    assert asked == []
    monkeypatch.undo()

    _terminate(own.connection)

    assert not own.is_usable()
    own.close()


def _terminate(victim: Any) -> None:
    with connection.cursor() as cursor:
        # Waits until it has ended, and so has hung up.
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [victim.info.backend_pid])


def test_a_failure_to_connect_keeps_no_place() -> None:
    def fail() -> Any:
        raise psycopg2.OperationalError("away")

    pool = Pool(1, wait_seconds=0.1)
    for _ in range(3):
        with pytest.raises(psycopg2.OperationalError, match="away"):
            pool.take(fail)


def test_the_backend_takes_for_work_and_gives_back_on_close(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_POOL_SIZE = 1
    monkeypatch.setattr(base, "_pools", {})
    first, second = (base.DatabaseWrapper({**connection.settings_dict}) for _ in range(2))
    pids = set()
    for wrapper in (first, second, first):
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.add(cursor.fetchone()[0])
        wrapper.close()
    assert len(pids) == 1
    first.close_pool()
