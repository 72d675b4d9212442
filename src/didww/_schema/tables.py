"""Records as rows: flat dicts for CSV files and data frames, and HTML tables for notebooks."""

from __future__ import annotations

import html
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from didww._schema.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from didww._schema.resource import Resource

__all__ = ["RecordList", "flat", "html_table", "label"]

R = TypeVar("R")

_DEPTH: Final = 4
"""Related records that a row follows, one inside the other."""


class RecordList(list[R]):
    """A list of records that notebooks display as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return html_table(cast("list[Any]", self))


def flat(record: Resource, above: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """Return the content of `record` as one level of JSON values, with dotted names for nested values.

    Args:
        record: The record.
        above: Type and id of the records on the path to it, which are not repeated.
    """
    data = record.to_dict()
    row: dict[str, Any] = {}
    for name, value in data["attributes"].items():
        row |= _flat_value(name, value)
    row = {"id": data["id"], **{name: value for name, value in row.items() if name != "id"}}
    above = (*above, (record.type, record.id))
    for name, linkage in data.get("relationships", {}).items():
        linked = linkage["data"]
        if isinstance(linked, list):
            row[name] = [identifier["id"] for identifier in cast("list[dict[str, str]]", linked)]
            continue
        row[f"{name}.id"] = linked["id"] if linked else None
        related = record._included(name)
        if related is not None and len(above) <= _DEPTH and (related.type, related.id) not in above:
            row |= {f"{name}.{inner}": value for inner, value in flat(related, above).items()}
    return row


def _flat_value(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {name: value}
    nested = cast("dict[str, Any]", value)
    members: Mapping[str, Any] = nested
    if nested.keys() == {"type", "attributes"} and isinstance(nested["attributes"], dict):
        members = {"type": nested["type"], **nested["attributes"]}
    return {
        path: inner for key, child in members.items() for path, inner in _flat_value(f"{name}.{key}", child).items()
    }


def html_table(records: Sequence[Any]) -> str:
    """Return an HTML table with one row per record, without empty columns and with secrets masked."""
    rows = [dict(_cells(record)) if isinstance(record, Record) else {"": repr(record)} for record in records]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    kinds = ", ".join(dict.fromkeys(type(record).__name__ for record in records))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(row.get(name, ''))}</td>" for name in columns) + "</tr>" for row in rows
    )
    caption = f"<caption>{len(rows)} {html.escape(kinds)}</caption>" if rows else "<caption>no records</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(record: Record) -> Iterable[tuple[str, str]]:
    from didww._schema.resource import Resource

    resource = record if isinstance(record, Resource) else None
    if resource is not None and resource.id:
        yield "id", resource.id
    for name, value in record._shown():
        yield name, _text(value)
    for name, field in record._field_map.items():
        if resource is not None and field.place == "relationships":
            related = resource._included(name)
            if related is not None:
                yield name, label(related)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, list):
        return ", ".join(_text(item) for item in cast("list[Any]", value))
    return value if isinstance(value, str) else repr(value) if hasattr(value, "_shown") else str(value)


def label(record: Resource) -> str:
    """Return a label for `record`: its name, number or reference, or else its id."""
    shown = dict(record._shown())
    return next((str(shown[name]) for name in ("name", "number", "reference") if shown.get(name)), record.id)
