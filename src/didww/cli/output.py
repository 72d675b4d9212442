"""Print rows and records as a table, JSON, CSV or YAML. Data goes to standard output, all else to standard error."""

from __future__ import annotations

import csv
import importlib
import io
import itertools
import json
import re
import sys
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import click

from didww._schema.columns import Column, check_path, columns_of, includes_of, value_at, versions_at
from didww._schema.record import Record
from didww._schema.tables import label
from didww._schema.versions import unsupported
from didww._util.masking import SECRET_NAME
from didww._util.text import printable
from didww.cli.messages import colored
from didww.cli.objects import MASK, is_secret, json_object, without_secrets
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from didww._schema.resource import Resource
    from didww.cli.session import Settings
    from didww.version import ApiVersion

__all__ = ["RecordTable", "Row", "csv_cell", "plain", "print_row", "print_rows", "print_value"]

Row: TypeAlias = "Mapping[str, Any]"


# Rows


def print_rows(settings: Settings, rows: Iterable[Row], names: Sequence[str], *, more: Sequence[str] = ()) -> None:
    """Print rows in the chosen format.

    Args:
        settings: The output options.
        rows: The values by name.
        names: The names: headings of the table, and with underscores the names in JSON and CSV.
        more: Further names, in JSON and CSV and for `--columns` only.
    """
    table = settings.query is None and settings.output == "table"
    chosen = _chosen(settings, (*names, *more)) if settings.columns is not None or not table else names
    if table:
        _print_table([[row.get(name) for name in chosen] for row in rows], chosen)
    elif settings.query is None and settings.output == "csv":
        _print_csv(([row.get(name) for name in chosen] for row in rows), [_key(name) for name in chosen])
    else:
        _print_values(settings, ({_key(name): plain(row.get(name)) for name in chosen} for row in rows))


def print_row(settings: Settings, row: Row) -> None:
    """Print one row: a table has a line for each value, JSON is an object."""
    chosen = _chosen(settings, list(row))
    if settings.query is None and settings.output == "table":
        _print_lines({name: row[name] for name in chosen})
    elif settings.query is None and settings.output == "csv":
        print_rows(settings, [row], list(row))
    else:
        print_value(settings, {_key(name): plain(row[name]) for name in chosen})


def _chosen(settings: Settings, names: Sequence[str]) -> Sequence[str]:
    """Return the names that `--columns` selects."""
    if settings.columns is None:
        return names
    known = {_key(name): name for name in names}
    return [known.get(_key(name)) or _no_column(name, known) for name in _split(settings.columns)]


def _no_column(name: str, known: Iterable[str]) -> Any:
    from didww._util.suggest import did_you_mean

    raise InvalidValueError(
        f"There is no column {name!r}.{did_you_mean(name, known)} Columns: {', '.join(known)}.", field="columns"
    )


def _split(names: str) -> list[str]:
    found = [name.strip() for name in names.split(",") if name.strip()]
    if not found:
        raise InvalidValueError("--columns names no column.", field="columns")
    return found


def _key(heading: str) -> str:
    return heading.replace(" ", "_")


# Records


class RecordTable:
    """The columns of the records of a resource.

    Args:
        settings: The output options.
        cls: The resource.
        secrets: Whether to print credentials.
    """

    def __init__(self, settings: Settings, cls: type[Resource], *, secrets: bool = False) -> None:
        self._settings = settings
        self._cls = cls
        self._secrets = secrets
        self._version: ApiVersion = settings.version
        declared = {column.heading: column for column in columns_of(cls, self._version)}
        if settings.columns is None:
            self.columns = list(declared.values())
        else:
            self.columns = [
                declared.get(name.replace("_", " ")) or self._column(name) for name in _split(settings.columns)
            ]

    def _column(self, path: str) -> Column:
        try:
            check_path(self._cls, path)
        except InvalidValueError as error:
            headings = ", ".join(_key(column.heading) for column in columns_of(self._cls, self._version))
            raise InvalidValueError(f"{error} Headings: {headings}.", field="columns") from None
        versions = versions_at(self._cls, path)
        if not versions.includes(self._version):
            what = f"{self._cls._type_name} have no column {path!r}"
            raise unsupported(what, versions, self._version, "columns")
        return Column(path, (path,))

    @property
    def includes(self) -> list[str]:
        """The include paths that the columns need."""
        return includes_of(self._cls, [path for column in self.columns for path in column.paths])

    def print(self, records: Iterable[Resource]) -> None:
        """Print records as they arrive; a table of a terminal, when all have arrived."""
        settings = self._settings
        headings = [column.heading for column in self.columns]
        if settings.query is None and settings.output == "table":
            _print_table([self._cells(record) for record in records], headings)
        elif settings.query is None and settings.output == "csv":
            columns = self.columns if settings.columns is not None else self._csv_columns()
            names = [_key(column.heading) for column in columns]
            _print_csv(([self._value(record, column) for column in columns] for record in records), names)
        else:
            _print_values(settings, (self.object(record) for record in records))

    def print_one(self, record: Resource, more: Row | None = None) -> None:
        """Print one record: a table has a line for each value.

        Args:
            record: The record.
            more: More values by name, which CSV and `--columns` leave out.
        """
        settings = self._settings
        more = {} if more is None or settings.columns is not None else more
        if settings.query is None and settings.output == "table":
            values = self._lines(record) if settings.columns is None else self._by_heading(record)
            _print_lines({**values, **more})
        elif settings.query is None and settings.output == "csv":
            self.print([record])
        else:
            print_value(settings, self.object(record) | {_key(name): plain(value) for name, value in more.items()})

    def object(self, record: Resource) -> dict[str, Any]:
        """Return a record as a JSON object, with included records in the place of their relationship."""
        if self._settings.columns is not None:
            return {_key(name): plain(value) for name, value in self._by_heading(record).items()}
        return json_object(record, secrets=self._secrets)

    def _by_heading(self, record: Resource) -> dict[str, Any]:
        return {column.heading: self._value(record, column) for column in self.columns}

    def _lines(self, record: Resource) -> dict[str, Any]:
        """Return the columns, then the other attributes that have a value, then the labels of related records."""
        lines = {"id": record.id, **self._by_heading(record)}
        shown = {column.found(record)[0] for column in self.columns}
        listed = {path for column in self.columns for path in column.paths}
        fields = record._field_map
        for path, value in record.to_dict(flat=True).items():
            name = path.partition(".")[0]
            if (
                path not in shown
                and name in fields
                and fields[name].place == "attributes"
                and value not in (None, [], {})
            ):
                loaded = value_at(record, path)
                lines[self._label(path, lines)] = self._masked(record, path, value if loaded is None else loaded)
        for name in record.to_dict().get("relationships", {}):
            related = record._included(name)
            if related is not None and not any(path.startswith(f"{name}.") for path in listed):
                lines[_heading(name)] = label(related)
        return lines

    def _label(self, path: str, lines: Row) -> str:
        """Return the label of an attribute: that of a member of a nested object is without the name of the object."""
        name, _, member = path.partition(".")
        short = _heading(member)
        plain = not member or self._cls._field_map[name].kind.name != "object" or member in self._cls._field_map
        return _heading(path) if plain or short in lines else short

    def _csv_columns(self) -> list[Column]:
        """Return the columns of a CSV file: the same for all records, so that files can be joined."""
        attributes = [
            name
            for name, field in self._cls._field_map.items()
            if field.place == "attributes"
            and field.readable
            and field.kind.name != "object"
            and field.versions.includes(self._version)
        ]
        paths = [path for column in self.columns for path in column.paths]
        return [Column(path, (path,)) for path in dict.fromkeys(["id", *attributes, *paths])]

    def _cells(self, record: Resource) -> list[Any]:
        return [self._value(record, column) for column in self.columns]

    def _value(self, record: Resource, column: Column) -> Any:
        path, value = column.found(record)
        return value if value is None else self._masked(record, path, value)

    def _masked(self, record: Resource, path: str, value: Any) -> Any:
        if self._secrets or value is None:
            return value
        names = path.split(".")
        for place, name in enumerate(names):  # a map can be secret as a whole, such as the headers of a request
            holder = value_at(record, ".".join(names[:place])) if place else record
            holders = cast("list[Any]", holder) if isinstance(holder, list) else [holder]
            if any(is_secret(each, name) for each in holders if isinstance(each, Record)):
                return MASK
        return MASK if SECRET_NAME.search(names[-1]) else without_secrets(value)


def _heading(path: str) -> str:
    return path.replace("_", " ").replace(".", " ")


# Values


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in cast("dict[str, Any]", value).items()}
    return value


def print_value(settings: Settings, value: Any) -> None:
    """Print a JSON value, filtered by `--query`."""
    if settings.query is not None:
        value = _search(settings.query, value)
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    if settings.output == "yaml":
        yaml: Any = importlib.import_module("yaml")  # the types of its functions differ between versions
        click.echo(yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip().removesuffix("\n..."))
    elif settings.output == "jsonl":
        for item in items:
            click.echo(_json(item))
    elif settings.output == "json" or not (isinstance(value, list) or _is_plain(value)):
        click.echo(_json(value, indent=2))
    elif settings.output == "csv" or not all(map(_is_plain, items)):
        _print_items(settings, items)
    else:
        for item in items:
            click.echo(_for_terminal(item) if isinstance(item, str) else _json(item))


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (list, dict))


def _print_items(settings: Settings, items: list[Any]) -> None:
    """Print the objects or lists that a query selected as rows."""
    objects = [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
    names = list(dict.fromkeys(name for item in objects for name in item))
    if objects and len(objects) == len(items):
        rows = [[item.get(name) for name in names] for item in objects]
    else:
        names, rows = [], [cast("list[Any]", item) if isinstance(item, list) else [item] for item in items]
    if settings.output == "csv":
        _print_csv(rows, names)
    else:
        for row in ([names] if names else []) + rows:
            click.echo("\t".join(_cell(value) for value in row))


def _print_values(settings: Settings, values: Iterable[dict[str, Any]]) -> None:
    if settings.output == "jsonl" and settings.query is None:
        for value in values:
            click.echo(_json(value))
    else:
        print_value(settings, list(values))


def _search(query: str, value: Any) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(query, value)
    except JMESPathError as error:
        raise click.UsageError(f"--query is not valid JMESPath: {str(error).splitlines()[0]}") from None


def _json(value: Any, indent: int | None = None) -> str:
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return text if text.isprintable() else _CONTROL.sub(lambda match: json.dumps(match[0])[1:-1], text)


# Characters that a terminal would obey, and those that change the direction of text.
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _for_terminal(text: str) -> str:
    return printable(text) if sys.stdout.isatty() else text


def _print_csv(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> None:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    terminal = sys.stdout.isatty()
    for cells in itertools.chain([names] if names else (), ([csv_cell(value) for value in row] for row in rows)):
        writer.writerow([printable(str(cell)) for cell in cells] if terminal else cells)
        click.echo(lines.getvalue(), nl=False)
        lines.seek(0)
        lines.truncate()


def csv_cell(value: Any) -> Any:
    """Return a value as text of a CSV file; text that a spreadsheet would run as a formula gets an apostrophe."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(map(_is_plain, cast("list[Any]", value))):
        return "; ".join(str(csv_cell(item)) for item in cast("list[Any]", value))
    if isinstance(value, (list, dict)):
        return _json(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _cell(value: Any) -> str:
    """Return a value for a person."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(item) for item in cast("list[Any]", value))
    value = plain(value)
    return printable(_json(value) if isinstance(value, dict) else str(value))


def _print_lines(values: Mapping[str, Any]) -> None:
    """Print a line for each value."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        label = f"{name:<{width}}"
        click.echo(f"{click.style(label, bold=True)}  {_cell(value) or '-'}", color=colored(sys.stdout))


def _print_table(rows: list[Sequence[Any]], headings: Sequence[str]) -> None:
    """Print a table fitted to the terminal; in a pipe, values separated by tabs."""
    if not sys.stdout.isatty():
        click.echo("\t".join(headings))
        for row in rows:
            click.echo("\t".join(_cell(value) for value in row))
        return
    if not rows:
        click.echo("Nothing found.", err=True)
        return
    from didww.cli.terminal import print_table

    numeric = [all(isinstance(row[i], (int, Decimal, type(None))) for row in rows) for i in range(len(headings))]
    print_table([[_cell(value) for value in row] for row in rows], headings, numeric, color=colored(sys.stdout))
