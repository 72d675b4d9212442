"""SQL about a table of calls, on the engine that has it."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from didww.cdr.answer import Answer
from didww.exceptions import InvalidValueError

__all__ = ["NAME", "sql"]

NAME: Final = "calls"
"""Name of the calls in a query."""


def sql(calls: Any, query: str) -> Answer:
    """Return the answer to a query. See `Calls.sql`."""
    text = query.strip().rstrip(";").strip()
    if not text:
        raise InvalidValueError("The query is empty. Write one such as SELECT count(*) AS n FROM calls.", field="query")
    backend = calls.get_backend()
    backend._run_pre_execute_hooks(calls)  # hands over tables that are in memory
    # A temporary view tells the types of the columns on every engine. It lasts as long as the connection.
    view = f"didww_query_{uuid4().hex}"
    table = f"{NAME} AS ({backend.compile(calls)})"
    backend.raw_sql(f"CREATE TEMPORARY VIEW {view} AS WITH {table} SELECT * FROM (\n{text}\n) AS answer")
    table = backend.table(view)
    return Answer(table, {name: str(type) for name, type in table.schema().items()}, sort=None)
