"""The embedded servers in the situations that an interrupted run leaves."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from devstack.directory_lock import DirectoryLock
from devstack.embedded.kafka import EmbeddedKafka
from devstack.embedded.postgres import EmbeddedPostgres
from devstack.errors import AlreadyRunning, StackError


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path, durable=False)
    yield server
    server.remove()


def ask(server: EmbeddedPostgres, query: str) -> object:
    connection = psycopg2.connect(server.url())
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


def test_a_killed_postgres_comes_back_on_its_port_with_its_rows(postgres, supervise):
    supervisor = supervise(postgres.spec())
    ask(postgres, "CREATE TABLE kept AS SELECT 7 AS number")

    supervisor.kill("postgres")
    supervisor.wait_ready()

    assert ask(postgres, "SELECT number FROM kept") == (7,)


def test_a_cluster_is_kept_and_a_stale_lock_with_somebody_elses_pid_is_no_obstacle(
    tmp_path, postgres, supervise
):
    supervise(postgres.spec()).stop()
    cluster = postgres._cluster
    owner = cluster.stat()
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n")
    os.chown(cluster / "postmaster.pid", owner.st_uid, owner.st_gid)

    again = EmbeddedPostgres(tmp_path, durable=False)
    supervise(again.spec())

    assert ask(again, "SELECT 1") == (1,)


def test_nobody_without_the_password_gets_in(postgres, supervise):
    supervise(postgres.spec())
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(f"postgresql://postgres:guess@127.0.0.1:{postgres.port}/postgres")


def test_a_cluster_of_another_postgres_version_is_named(tmp_path, postgres, supervise):
    postgres._cluster.mkdir(parents=True)
    (postgres._cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(StackError, match="made by PostgreSQL 9"):
        supervise(postgres.spec())


def test_a_broker_started_again_tells_its_new_address(tmp_path, supervise):
    addresses: list[str] = []
    kafka = EmbeddedKafka(tmp_path, topics=lambda: ["sending"], came_up=addresses.append)
    supervisor = supervise(kafka.spec())

    supervisor.kill("kafka")
    supervisor.wait_ready()

    assert len(addresses) == 2
    assert addresses[-1] == kafka.address


def test_a_second_stack_in_one_directory_is_refused_with_the_first_ones_pid(tmp_path):
    first, second = DirectoryLock(tmp_path), DirectoryLock(tmp_path)
    first.acquire()
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
