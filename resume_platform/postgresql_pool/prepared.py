"""Statements that a busy connection has parsed and planned before: the price of half of each.

SQL's own PREPARE and EXECUTE, since psycopg2 knows no other way. Nothing is prepared where
DATABASE_URL may lead to a transaction pooler, whose server connections remember for others.
"""

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

# So often within so many seconds is a statement used before it is prepared. Then it is forgotten:
# a plan was made for tables of a size that they may have had minutes ago.
USES_BEFORE = 3
KEPT_SECONDS = 30.0

_PARAMETER = re.compile(r"%\((\w+)\)s(::\w+(?:\[\])?)?")


@dataclass
class _Uses:
    since: float = field(default_factory=time.monotonic)
    count: int = 0
    is_prepared: bool = False


STATEMENTS: dict[str, "Statement"] = {}
# By psycopg2's connections: what the server remembers ends with them.
_uses: WeakKeyDictionary[Any, defaultdict[str, _Uses]] = WeakKeyDictionary()


class Statement:
    """One SQL statement with named parameters.

    Where a parameter's type does not show from its place, a cast says it: `%(ids)s::int[]`.
    `first`: a statement that is sent in front of it each time, in the same round trip.
    """

    def __init__(self, name: str, sql: str, *, first: str = "") -> None:
        if STATEMENTS.setdefault(name, self) is not self:
            raise ValueError(f"two statements are named {name}")
        self.name = name
        casts: dict[str, str] = {}
        for parameter, cast in _PARAMETER.findall(sql):
            casts[parameter] = casts.get(parameter) or cast
        places = {parameter: f"${place}" for place, parameter in enumerate(casts, start=1)}
        types = ", ".join(cast.removeprefix("::") or "unknown" for cast in casts.values())
        values = ", ".join(f"%({parameter})s{cast}" for parameter, cast in casts.items())
        body = _PARAMETER.sub(lambda found: places[found[1]] + (found[2] or ""), sql)
        before = f"{first};" if first else ""
        self.sql = before + sql
        self.preparation = f"PREPARE {name} ({types}) AS {body}"
        self.execution = f"{before} EXECUTE {name} ({values})"

    def execute(self, cursor: Any, parameters: dict[str, Any]) -> None:
        """As `cursor.execute` of the whole would, with a cursor of the thread's connection."""
        cursor.execute(self.execution if self._is_prepared() else self.sql, parameters)

    def _is_prepared(self) -> bool:
        if not settings.IS_DATABASE_DIRECT:
            return False
        raw = connection.connection
        statements = _uses.setdefault(raw, defaultdict(_Uses))
        uses = statements[self.name]
        if time.monotonic() - uses.since > KEPT_SECONDS:
            if uses.is_prepared:
                self._send(raw, f"DEALLOCATE {self.name}")
            uses = statements[self.name] = _Uses()
        uses.count += 1
        if uses.count > USES_BEFORE and not uses.is_prepared:
            self._send(raw, self.preparation)
            uses.is_prepared = True
        return uses.is_prepared

    def _send(self, raw: Any, sql: str) -> None:
        with connection.wrap_database_errors, raw.cursor() as cursor:
            cursor.execute(sql)
