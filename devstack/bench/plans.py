"""PostgreSQL's plans of the statements that everything depends on, with what is stored just now.

`explain(...)` starts `python -m devstack.bench.plans` with a system's settings. There the real
functions are called and each of their statements is explained before it runs; nothing stays.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from devstack.errors import StackError
from devstack.paths import ROOT
from devstack.stack import Stack

TIMEOUT_SECONDS = 120
# Reads and writes; what locks or opens a transaction has no plan worth reading.
EXPLAINED = ("SELECT", "WITH", "UPDATE", "INSERT", "DELETE")


def explain(stack: Stack, *, user: int, requirements: int, processing: int) -> dict[str, str]:
    """The plans by what is asked."""
    done = subprocess.run(
        [sys.executable, "-m", "devstack.bench.plans", *map(str, (user, requirements, processing))],
        cwd=ROOT,
        env={**os.environ, **stack.environment.values, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    if done.returncode != 0:
        raise StackError(f"the statements could not be explained: {done.stderr.strip()[-800:]}")
    plans: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return plans


def _questions(user: int, requirements: int, processing: int) -> dict[str, Callable[[], Any]]:
    from apps.storage import queries
    from kafka_bridge import due, leases
    from kafka_bridge.handlers import HANDLERS, load_handlers

    load_handlers()
    page = queries.Page(limit=50, offset=0)

    def listing(**given: Any) -> Callable[[], Any]:
        asked = {
            "processing_id": None,
            "requirements_id": None,
            "status": "all",
            "sort_by": "create_at",
            "order": "desc",
            **given,
        }
        return lambda: queries.list_processings(user_id=user, page=page, with_texts=False, **asked)

    return {
        "a worker claims rows": lambda: leases.claim(name="storage.apply", ids=[1, 2, 3]),
        "a round of the dispatcher": lambda: due.names_of(list(HANDLERS)),
        "due rows to tell of, users in turns": lambda: due.take("ai.analyze", again=30, limit=80),
        "rows whose lease ran out": leases.recover_expired,
        "a suspect, to run alone": lambda: leases.claim_suspect(name="storage.apply"),
        "one processing": listing(processing_id=processing),
        "a user's processings, the newest first": listing(),
        "a vacancy's ranking": listing(requirements_id=requirements, sort_by="score"),
    }


def _explained(ask: Callable[[], Any]) -> str:
    from django.db import connection, transaction

    plans: list[str] = []

    def before(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(EXPLAINED):
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", parameters)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return execute(sql, parameters, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(before):
            ask()
        transaction.set_rollback(True)
    return "\n\n".join(plans)


def _main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resume_platform.settings")
    django.setup()
    questions = _questions(*map(int, sys.argv[1:]))
    sys.stdout.write(json.dumps({name: _explained(ask) for name, ask in questions.items()}) + "\n")


if __name__ == "__main__":
    _main()
