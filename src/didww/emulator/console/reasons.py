"""Rows of the journal: why a request failed, or what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from didww._jsonapi.document import NotJsonApiError, decode, decode_errors
from didww._jsonapi.graph import Graph
from didww._schema.resource import load
from didww.emulator.console.accounts import name_of_key
from didww.emulator.console.cells import summary, title_of
from didww.emulator.console.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.emulator.controls.journal import Entry

__all__ = ["JournalRow", "rows_of"]

_MAX_REASONS: Final = 5
_MAX_LENGTH: Final = 200


class JournalRow(NamedTuple):
    """A request for the list: the entry, the name of the account, why it failed, and what it did."""

    entry: Entry
    account: str
    reasons: list[str]
    summary: str


def rows_of(entries: Iterable[Entry]) -> list[JournalRow]:
    """Return entries of the journal as rows of the list."""
    return [
        JournalRow(
            entry,
            name_of_key(entry.key),
            _reasons(entry) if entry.status >= 400 else [],
            _summary(entry) if entry.status < 400 else "",
        )
        for entry in entries
    ]


def _reasons(entry: Entry) -> list[str]:
    """Return the errors of the response, each with the place in the request it is about."""
    reasons = dict.fromkeys(_reason(error) for error in decode_errors(entry.response.encode("utf-8", "replace")))
    if not reasons and entry.fault is None and not entry.response:
        return ["The response has no body."]
    return [reason for reason in reasons if reason][:_MAX_REASONS]


def _reason(error: dict[str, Any]) -> str:
    text = str(error.get("detail") or error.get("title") or "")
    pointer = str(_members(error.get("source")).get("pointer", ""))
    name = pointer.removeprefix("/data/attributes/").removeprefix("/data/relationships/")
    where = f" (in {pointer})" if name.startswith("/") or name.partition("/")[0] not in text else ""
    amounts = ", ".join(f"{key} {value}" for key, value in _members(error.get("meta")).items())
    return mask_text(f"{text}{where if pointer else ''}{f' ({amounts})' if amounts else ''}")[:_MAX_LENGTH]


def _members(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _summary(entry: Entry) -> str:
    """Return what a request did: the created record, the changed members, or how many records it found."""
    if entry.method == "PATCH":
        return ", ".join(_changed(entry.body))[:_MAX_LENGTH]
    if entry.method == "DELETE":
        return ""
    try:
        document = decode(entry.response.encode("utf-8", "replace"))
    except NotJsonApiError:
        return ""
    if isinstance(document.data, list):
        total = document.meta.get("total_records", document.meta.get("total_count"))
        shown = len(document.data)
        counted = f"{shown} of {total} records" if isinstance(total, int) and total != shown else f"{shown} records"
        return "1 record" if counted == "1 records" else counted
    nodes = Graph(document, load).nodes
    if not nodes:
        return ""
    return (summary(nodes[0]) if entry.method == "POST" else title_of(nodes[0]))[:_MAX_LENGTH]


class _Data(msgspec.Struct):
    attributes: dict[str, Any] = {}
    relationships: dict[str, Any] = {}


class _Body(msgspec.Struct):
    data: _Data


def _changed(body: str) -> list[str]:
    try:
        data = msgspec.json.decode(body.encode("utf-8", "replace"), type=_Body).data
    except msgspec.DecodeError:
        return []
    return [*data.attributes, *data.relationships]
