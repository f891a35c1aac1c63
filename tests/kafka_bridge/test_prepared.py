"""Statements that a busy connection has planned before."""

import psycopg2
import pytest
from django.db import connection

from resume_platform.postgresql_pool import prepared
from resume_platform.postgresql_pool.prepared import STATEMENTS, Statement

pytestmark = pytest.mark.django_db

DOUBLED = Statement(
    "doubled_for_a_test", "SELECT %(number)s::int * 2, %(word)s", first="SELECT %(number)s"
)


@pytest.fixture(autouse=True)
def nothing_prepared_after():
    yield
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    prepared._uses.pop(connection.connection, None)


def use(times=1):
    with connection.cursor() as cursor:
        for number in range(times):
            DOUBLED.execute(cursor, {"number": number, "word": "it's 100%"})
            assert cursor.fetchone() == (number * 2, "it's 100%")


def names():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return {name for (name,) in cursor.fetchall()}


def test_what_is_used_often_is_prepared():
    use(prepared.USES_BEFORE)
    assert DOUBLED.name not in names()
    use(2)
    assert DOUBLED.name in names()


def test_what_was_prepared_long_ago_is_planned_anew(monkeypatch):
    use(prepared.USES_BEFORE + 1)
    monkeypatch.setattr(prepared, "KEPT_SECONDS", 0.0)
    use()
    assert DOUBLED.name not in names()


def test_a_new_connection_knows_nothing_yet(transactional_db):
    use(prepared.USES_BEFORE + 1)
    connection.close()
    use()
    assert DOUBLED.name not in names()


def test_nothing_is_prepared_where_a_pooler_may_be_in_between(settings):
    settings.IS_DATABASE_DIRECT = False
    use(prepared.USES_BEFORE + 1)
    assert not names()


def test_a_rolled_back_transaction_keeps_what_it_prepared(transactional_db):
    connection.set_autocommit(False)
    try:
        use(prepared.USES_BEFORE + 1)
        connection.rollback()
        use()
    finally:
        connection.rollback()
        connection.set_autocommit(True)


def test_two_statements_do_not_share_a_name():
    with pytest.raises(ValueError, match="doubled_for_a_test"):
        Statement(DOUBLED.name, "SELECT 1")


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_postgresql_can_tell_every_parameters_type(name):
    with connection.cursor() as cursor:
        try:
            cursor.execute(STATEMENTS[name].preparation)
        except psycopg2.Error as error:
            pytest.fail(str(error))
