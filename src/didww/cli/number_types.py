"""The type of numbers, such as local: a related record until API version 2026-04-16, then an attribute."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from didww._schema.columns import versions_at
from didww.cli.choices import choice
from didww.enums import NumberType
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww._schema.resource import Resource

__all__ = ["filter_by", "filter_like", "in_version", "name_of"]


def in_version(client: Any, cls: type[Resource], paths: Iterable[str]) -> list[str]:
    """Return the include paths that the API version of a client has."""
    version = client._configuration.api_version
    return [path for path in paths if versions_at(cls, path).includes(version)]


def name_of(record: Any) -> str | None:
    """Return the type of numbers of a DID group or a requirement, loaded with its includes."""
    if "number_type" in record._attributes:
        return str(record.number_type.value)
    related = record.did_group_type
    return None if related is None else str(related.name)


def filter_by(client: Any, cls: type[Resource], text: str) -> dict[str, Any]:
    """Return the filter of a list of DID groups, available DIDs or requirements for a type of numbers.

    Args:
        client: The client.
        cls: The resource.
        text: The type; letter case, hyphens and underscores make no difference.

    Raises:
        InvalidValueError: There is no such type.
    """
    if not _is_related(client, cls):
        return {_key(cls): choice(NumberType, text, field="type").value}
    types = client.did_group_types().list().data
    wanted = _plain(text)
    for each in types:
        if _plain(each.name) == wanted:
            return {"did_group_type.id": each.id}
    names = ", ".join(each.name for each in types)
    raise InvalidValueError(f"There is no type of numbers {text!r:.80}. Types: {names}.", field="type")


def filter_like(record: Any) -> dict[str, Any]:
    """Return the filter for the type of numbers of a DID group or a requirement, loaded with its includes."""
    if "number_type" in record._attributes:
        return {"number_type": record.number_type.value}
    related = record.did_group_type
    return {"did_group_type.id": "" if related is None else related.id}


def _is_related(client: Any, cls: type[Resource]) -> bool:
    from didww._schema.filter_rules import filter_versions

    return filter_versions(cls)["did_group_type.id"].includes(client._configuration.api_version)


def _key(cls: type[Resource]) -> str:
    """Return the filter by the attribute; that of an available DID is an attribute of its DID group."""
    from didww._schema.filter_rules import filter_rules

    return next(name for name in ("number_type", "did_group.number_type") if name in filter_rules(cls))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
