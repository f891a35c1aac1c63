"""What stays behind: bytes in PostgreSQL, Redis and Kafka."""

from pathlib import Path

import psycopg2
import redis

from devstack.stack import Stack


def sizes(stack: Stack, kafka_log: Path) -> dict[str, float]:
    """Bytes now, by place; Kafka's without its indexes, which are allocated in advance."""
    return {
        "PostgreSQL": _of_postgres(stack.info["database_url"]),
        "Redis": _of_redis(stack.info["redis_url"]),
        "Kafka": float(
            sum(file.stat().st_size for file in kafka_log.glob("kafka-node-*/log/*/*.log"))
        ),
    }


def _of_postgres(url: str) -> float:
    database = psycopg2.connect(url)
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            ((size,),) = cursor.fetchall()
    finally:
        database.close()
    return float(size)


def _of_redis(url: str) -> float:
    with redis.Redis.from_url(url) as client:
        return float(client.info("memory")["used_memory"])
