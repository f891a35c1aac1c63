"""A search of everything that a system keeps, whatever its tables and keys are called."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import redis

Query = Callable[..., list[Any]]


def needles(word: str) -> list[str]:
    """An ASCII word as rows show it: as it is, in hexadecimal (bytea), in base64 (headers)."""
    shifted = [base64.b64encode(b"_" * shift + word.encode()).decode() for shift in range(3)]
    return [
        word,
        word.encode().hex(),
        *(text[4 if n else 0 : -4] for n, text in enumerate(shifted)),
    ]


def tables(query: Query) -> list[str]:
    """Of every schema but PostgreSQL's own."""
    return [
        f'"{schema}"."{name}"'
        for schema, name in query(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE'"
            " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
    ]


def rows_with(query: Query, word: str) -> list[str]:
    """Every row of every table that holds the word in any column, of whatever type."""
    patterns = [f"%{needle}%" for needle in needles(word)]
    return [
        f"{table}: {row}"
        for table in tables(query)
        for (row,) in query(
            f"SELECT left(t::text, 300) FROM {table} AS t WHERE t::text ILIKE ANY(%s)", patterns
        )
    ]


def rows_of(query: Query, user_id: int) -> dict[str, list[Any]]:
    """Every row of a user, as JSON, by table."""
    owned = query(
        "SELECT format('%%I.%%I', table_schema, table_name) FROM information_schema.columns"
        " WHERE column_name = 'user_id' AND table_schema = 'public'"
    )
    return {
        table: [row for (row,) in query(f"SELECT to_jsonb(t) FROM {table} AS t"
                f" WHERE user_id = %s ORDER BY to_jsonb(t)::text", user_id)]
        for (table,) in owned
    }  # fmt: skip


def keys_with(server: "redis.Redis", word: str) -> list[str]:
    """Every key that holds the word, in its name or its value."""
    return [
        str(key)
        for key in server.scan_iter(count=1000)
        if word.encode() in key.lower() or any(word.encode() in p for p in _parts(server, key))
    ]


def _parts(server: "redis.Redis", key: bytes) -> Iterator[bytes]:
    reads: dict[bytes, Callable[[], Any]] = {
        b"string": lambda: [server.get(key)],
        b"hash": lambda: [part for item in server.hgetall(key).items() for part in item],
        b"list": lambda: server.lrange(key, 0, -1),
        b"set": lambda: server.smembers(key),
        b"zset": lambda: server.zrange(key, 0, -1),
    }
    kind = server.type(key)
    if kind != b"none":
        for part in reads[kind]():
            yield (part or b"").lower()
