"""The rows of an answer: for Python, Arrow, polars and pandas, and as text or HTML."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Final, cast

from didww._util.extras import need
from didww._util.suggest import did_you_mean
from didww._util.text import printable
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

__all__ = ["Answer", "backend_of", "cell_text", "fetched", "places_of"]

_SHOWN: Final = 40
"""Rows that the text and the HTML of an answer have."""
_WIDEST: Final = 60
"""Characters of a cell of the text."""
_CENTS: Final = 2
_NUMBERS: Final = (int, float, Decimal)


class Answer:
    """The answer to a question about call records: rows and named columns.

    It is computed when you first read it, by the engine that has the calls, and then kept. Iterate over it, or
    print it. Amounts are `Decimal`, times aware datetimes in UTC. Rows are sorted by code point, on every engine.

    Args:
        table: The Ibis table with the rows.
        schema: Names of the columns, and names of their Ibis types.
        sort: Names of columns to sort by, or one; descending with `-` before the name. Null comes last, equal rows
            come in the order of the other columns. None: the order of the engine.
        limit: The most rows.

    Raises:
        InvalidValueError: There is no such column to sort by, or the limit is not positive.

    Example:
        >>> import ibis, pyarrow
        >>> table = ibis.memtable(pyarrow.table({"trunk": ["Office", "Desk"], "calls": [3, 4]}))
        >>> Answer(table, {"trunk": "string", "calls": "int64"}, sort="-calls")
        trunk   calls
        Desk        4
        Office      3
    """

    def __init__(
        self,
        table: Any,
        schema: Mapping[str, str],
        *,
        sort: str | Iterable[str] | None = (),
        limit: int | None = None,
    ) -> None:
        self._schema = dict(schema)
        self._sort = [] if sort is None else _sort_keys(sort, self._schema)
        if limit is not None and (type(limit) is not int or limit < 1):
            raise InvalidValueError(f"limit must be a whole number of at least 1, not {limit!r:.80}.", field="limit")
        self._limit = limit
        self._all = table.select(**{name: table[name].cast(type) for name, type in schema.items()})

    @property
    def table(self) -> Any:
        """The answer as an Ibis table (`ibis.expr.types.Table`), to go on with on the same engine."""
        ibis: Any = need("ibis")
        keys = [(ibis.desc if down else ibis.asc)(name, nulls_first=False) for name, down in self._sort]
        table = self._all.order_by(keys) if keys else self._all
        return table if self._limit is None else table.limit(self._limit)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._schema)

    @cached_property
    def _arrow(self) -> pa.Table:
        found: pa.Table = fetched(self._all)
        ibis: Any = need("ibis")
        schema: Any = ibis.schema(self._schema).to_pyarrow()
        found = found.select(schema.names).cast(schema)
        if self._sort:
            found = found.take(_sorted(found, self._sort))
        return found if self._limit is None else found.slice(0, self._limit)

    def arrow(self) -> pa.Table:
        """Return the answer as an Arrow table, with the same schema on every engine."""
        return self._arrow

    def polars(self) -> Any:
        """Return the answer as a `polars.DataFrame`.

        Raises:
            InvalidValueError: polars is not installed.
        """
        polars: Any = need("polars", "")
        return polars.from_arrow(self._arrow)

    def pandas(self) -> Any:
        """Return the answer as a `pandas.DataFrame`; amounts are `Decimal`.

        Raises:
            InvalidValueError: pandas is not installed.
        """
        need("pandas", "")
        found: Any = self._arrow
        return found.to_pandas()

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as dictionaries: `Decimal`, aware datetimes in UTC, dates, integers and text."""
        return rows_of(self._arrow)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __bool__(self) -> bool:
        return len(self) > 0

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self.rows[place]

    def __str__(self) -> str:
        return _as_text(self.columns, self._first(), len(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _as_html(self.columns, self._first(), len(self))

    def _first(self) -> list[list[Any]]:
        return [list(row.values()) for row in rows_of(self._arrow.slice(0, _SHOWN))]


def backend_of(table: Any) -> Any:
    """Return the Ibis backend of a table; of one in memory, the default: DuckDB."""
    ibis: Any = need("ibis")
    return ibis.get_backend(table)


def fetched(table: Any) -> Any:
    """Return the rows of an Ibis table as an Arrow table.

    Spark hands over Arrow data itself: by way of pandas, as Ibis does it, integers with nulls become floating point.
    """
    backend = backend_of(table)
    if backend.name == "pyspark":
        backend._run_pre_execute_hooks(table)
        frame = backend.raw_sql(backend.compile(table))
        if hasattr(frame, "toArrow"):
            return frame.toArrow()
    return table.to_pyarrow()


def rows_of(found: Any) -> list[dict[str, Any]]:
    """Return the rows of an Arrow table as dictionaries, with times as aware datetimes in UTC."""
    pa: Any = need("pyarrow")
    zoned = [field.name for field in found.schema if pa.types.is_timestamp(field.type) and field.type.tz]
    for name in zoned:
        place = found.schema.get_field_index(name)
        found = found.set_column(
            place, name, found.column(name).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
        )
    rows = cast("list[dict[str, Any]]", found.to_pylist())
    for row in rows:
        for name in zoned:
            if row[name] is not None:
                row[name] = row[name].replace(tzinfo=UTC)
    return rows


def _sort_keys(sort: str | Iterable[str], schema: Mapping[str, str]) -> list[tuple[str, bool]]:
    if not isinstance(sort, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"sort must be names of columns, not {sort!r:.80}.", field="sort")
    names = [part.strip() for part in sort.split(",") if part.strip()] if isinstance(sort, str) else list(sort)
    if not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"sort must be names of columns, not {names!r:.80}.", field="sort")
    keys = [(name.removeprefix("-"), name.startswith("-")) for name in names]
    for name, _ in keys:
        if name not in schema:
            raise InvalidValueError(
                f"There is no column {name!r:.80} to sort by.{did_you_mean(name, schema)} "
                f"Columns: {', '.join(schema)}.",
                field="sort",
            )
    sorted_by = dict(keys)
    # Equal rows come in the order of all other columns: an engine has no order of its own.
    return list(sorted_by.items()) + [(name, False) for name in schema if name not in sorted_by]


def _sorted(found: Any, keys: Sequence[tuple[str, bool]]) -> Any:
    """Return the places of the rows in sorted order, null last."""
    compute: Any = need("pyarrow.compute")
    pa: Any = need("pyarrow")
    columns = {name: found.column(name) for name, _ in keys}
    flags = {f"null {name}": compute.is_null(column).cast("int8") for name, column in columns.items()}
    order = [
        (each, way)
        for name, down in keys
        for each, way in (
            (f"null {name}", "ascending"),
            (name, "descending" if down else "ascending"),
        )
    ]
    return compute.sort_indices(pa.table({**columns, **flags}), sort_keys=order)


def cell_text(value: Any, places: int = 0) -> str:
    """Return a value as people read it: amounts without needless zeros, times without fractions of a second.

    Args:
        value: The value.
        places: Digits that an amount has behind the point, at least.

    Example:
        >>> cell_text(Decimal("12.500000000")), cell_text(Decimal("0.003")), cell_text(None)
        ('12.50', '0.003', '')
        >>> cell_text(Decimal("12.5"), 3)
        '12.500'
    """
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        whole, _, digits = text.partition(".")
        digits = (digits[:_CENTS] + digits[_CENTS:].rstrip("0")).ljust(places, "0")
        return f"{whole}.{digits}" if digits else whole
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    return printable(str(value))


def places_of(values: Iterable[Any]) -> int:
    """Return the digits behind the point that the amounts of a column need."""
    texts = (cell_text(value) for value in values if isinstance(value, Decimal))
    return max((len(text.partition(".")[2]) for text in texts), default=0)


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _to_the_right(rows: Sequence[Sequence[Any]], place: int) -> bool:
    values = [row[place] for row in rows if row[place] is not None]
    return bool(values) and all(isinstance(value, _NUMBERS) for value in values)


def _rest(shown: int, whole: int) -> str:
    return f"... and {whole - shown} more rows" if whole > shown else ""


def _as_text(columns: Sequence[str], rows: Sequence[Sequence[Any]], whole: int) -> str:
    places = [places_of(row[place] for row in rows) for place in range(len(columns))]
    lines = [list(columns), *(list(map(_short, map(cell_text, row, places))) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    right = [_to_the_right(rows, place) for place in range(len(columns))]
    texts = [
        "  ".join(
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*texts, *filter(None, [_rest(len(rows), whole)])])


def _as_html(columns: Sequence[str], rows: Sequence[Sequence[Any]], whole: int) -> str:
    right = [' style="text-align:right"' if _to_the_right(rows, place) else "" for place in range(len(columns))]
    head = "".join(f"<th{way}>{escape(name)}</th>" for name, way in zip(columns, right, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{way}>{escape(cell_text(value))}</td>" for value, way in zip(row, right, strict=True))
        + "</tr>"
        for row in rows
    )
    rest = _rest(len(rows), whole)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" + (f"<p>{rest}</p>" if rest else "")
