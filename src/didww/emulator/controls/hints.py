"""Hints for refused requests: similar names from the declarations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from didww._jsonapi.document import decode_errors
from didww._util.suggest import did_you_mean
from didww.emulator.engine.schema import table_of
from didww.version import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from didww.emulator.engine.schema import Table

__all__ = ["hints", "version_hint"]

_FIRST_WORD: Final = re.compile(r"\S+")


def version_hint(headers: Mapping[str, str]) -> list[str]:
    """Return a hint if a request asks for another API version, which the service silently ignores."""
    version = headers.get("x-didww-api-version", API_VERSION)
    if version == API_VERSION:
        return []
    what = f"X-DIDWW-API-Version asks for {version[:40]}, which is ignored: the response is of {API_VERSION}"
    return [f"{what}, the only version the emulator supports. Names and values may differ in others."]


def hints(method: str, path: str, query: list[tuple[str, str]], status: int, body: bytes) -> list[str]:
    """Return a hint for each error that a similar name explains."""
    parts = path.removeprefix("/v3").strip("/").split("/")
    table = _table(parts[0])
    if status == 401:
        return ["Send the key in the header Api-Key; the emulator accepts any key, unless it was started with one."]
    if table is None:
        return [f"There is no /{parts[0]}.{did_you_mean(f'/{parts[0]}', _paths())}"] if status == 404 else []
    hints: list[str] = []
    for error in decode_errors(body)[:20]:
        hint = _hint(table, method, query, error)
        if hint and hint not in hints:
            hints.append(hint)
    return hints


def _hint(table: Table, method: str, query: list[tuple[str, str]], error: dict[str, Any]) -> str:
    detail, code = str(error.get("detail", "")), error.get("code")
    word = _FIRST_WORD.match(detail)
    name = word[0] if word is not None else ""
    if code == "102":
        return _named(f"filter[{name}]", name, table.filters)
    if code == "112":
        at = table_of(detail.rpartition(" ")[2]) or table  # the type at the invalid part of a nested path
        return _named(f"include={name}", name, at.includable)
    if code == "114":
        return _named(f"sort={name}", name.lstrip("-"), table.sorts)
    if code == "104":
        for one, _ in query:
            other = _table(one.removeprefix("fields[").removesuffix("]")) if one.startswith("fields[") else None
            if other is not None:
                return _named(f"{one}={name}", name, [*other.attributes, *other.visible_relations])
        return ""
    if code == "105":
        fields = table.cls._field_map
        if name in fields:
            when = "written" if method == "POST" else "changed"
            return f"{name} is one of {table.type}, but cannot be {when} by a request."
        return _named(name, name, [one for one, field in fields.items() if field.create or field.update])
    return ""


def _named(shown: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    guess = did_you_mean(name, names) or f" There are: {', '.join(names[:40])}."
    return f"{shown} is not allowed.{guess}"


def _table(first: str) -> Table | None:
    for type in (first, f"{first}s"):
        table = table_of(type)
        if table is not None and table.cls._path == first:
            return table
    return None


def _paths() -> list[str]:
    from didww._schema.registry import all_classes

    return sorted(f"/{cls._path}" for cls in all_classes() if cls._operations or cls._extra_operations)
