"""A million rows in SQL: copies of a real row, so that no column is forgotten when one is added."""

from collections.abc import Mapping
from typing import Any

from psycopg2 import sql


def multiply(
    database: Any, table: str, *, source: str, first: int, last: int, changes: Mapping[str, str]
) -> None:
    """Rows for n = first..last; each copies the first row where `source`, but for `changes`.

    `source` is a condition, a change an expression that may use n and `source.column`. An `id` that
    is not among them is the next of its sequence. Both are our own words, never a user's.
    """
    with database, database.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall() if name != "id" or "id" in changes]
        values = [changes.get(name, f'source."{name}"') for name in columns]
        cursor.execute(
            sql.SQL(
                "INSERT INTO {table} ({columns}) SELECT {values}"
                " FROM (SELECT * FROM {table} WHERE {source} LIMIT 1) AS source,"
                " generate_series({first}, {last}) AS n"
            ).format(
                table=sql.Identifier(table),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                values=sql.SQL(", ").join(map(sql.SQL, values)),
                source=sql.SQL(source),
                first=sql.Literal(first),
                last=sql.Literal(last),
            )
        )
        if cursor.rowcount != last - first + 1:
            raise LookupError(f"{table} has no row where {source}")


def analyse(database: Any) -> None:
    """What autovacuum would do in its own time."""
    database.autocommit = True
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    database.autocommit = False
