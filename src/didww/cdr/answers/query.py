"""SQL about a table of calls, on the engine that has it."""

from __future__ import annotations

import warnings
from typing import Any, Final
from uuid import uuid4

from didww.cdr.answer import Answer, backend_of
from didww.exceptions import InvalidValueError

__all__ = ["NAME", "sql"]

NAME: Final = "calls"
"""Name of the calls in a query."""


def sql(calls: Any, query: str) -> Answer:
    """Return the answer to a query. See `Calls.sql`."""
    if not isinstance(query, str):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"query must be text, not {query!r:.80}.", field="query")
    text = query.strip().rstrip(";").strip()
    if not text:
        raise InvalidValueError("The query is empty. Write one such as SELECT count(*) AS n FROM calls.", field="query")
    backend = backend_of(calls)
    backend._run_pre_execute_hooks(calls)  # hands over tables that are in memory
    # Temporary views tell the types of the columns on every engine. They last as long as the connection. The calls have
    # a view of their own, for they can come from a table that is called `calls`, too.
    source, answer = (f"didww_{kind}_{uuid4().hex}" for kind in ("calls", "answer"))
    backend.raw_sql(f"CREATE TEMPORARY VIEW {source} AS {backend.compile(calls)}")
    whole = f"WITH {NAME} AS (SELECT * FROM {source}) SELECT * FROM (\n{text}\n) AS answer"
    try:
        backend.raw_sql(f"CREATE TEMPORARY VIEW {answer} AS {whole}")
    except Exception as error:  # each engine has errors of its own
        reason = str(error).strip().partition("\n")[0]
        raise InvalidValueError(f"The engine refused the query: {reason}", field="query") from error
    with warnings.catch_warnings():  # Ibis calls a method of DuckDB by its former name
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        table = backend.table(answer)
    return Answer(table, {name: str(type) for name, type in table.schema().items()}, sort=None)
