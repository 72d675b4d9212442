"""A record as a JSON object: included records in the place of their relationship, secrets masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from didww._schema.record import Record, is_nested
from didww._util.masking import SECRET_NAME, mask

if TYPE_CHECKING:
    from didww._schema.resource import Resource

__all__ = ["MASK", "is_secret", "json_object", "without_secrets"]

MASK: Final = "***"
_DEPTH: Final = 4
"""Related records that are followed, one inside the other."""


def json_object(record: Resource, *, secrets: bool = False, above: tuple[Resource, ...] = ()) -> dict[str, Any]:
    """Return a record as a JSON object.

    Args:
        record: The record.
        secrets: Whether to include credentials.
        above: The records around it, which are not repeated.
    """
    data = record.to_dict()
    result: dict[str, Any] = {"id": record.id}
    for name, value in data["attributes"].items():
        result[name] = value if secrets else _masked(record, name, value)
        if is_nested(getattr(record, name, None)) and isinstance(value, dict):
            result[name] = _members(result[name])
    for name, linkage in data.get("relationships", {}).items():
        related = _related(record, name, linkage["data"])
        many = isinstance(linkage["data"], list)
        objects = [_object(each, (*above, record), secrets=secrets) for each in related]
        result[name] = objects if many else next(iter(objects), None)
    if meta := data.get("meta"):
        result["meta"] = meta
    return result


def _object(record: Resource, above: tuple[Resource, ...], *, secrets: bool) -> dict[str, Any]:
    if record._source == "stub" or record in above or len(above) > _DEPTH:
        return {"id": record.id}
    return json_object(record, secrets=secrets, above=above)


def _related(record: Resource, name: str, data: Any) -> list[Resource]:
    if not data:
        return []
    related: Any = record._read_relationship(name, record._field_map.get(name))
    return cast("list[Resource]", related) if isinstance(related, list) else [related]


def _members(value: dict[str, Any]) -> dict[str, Any]:
    """Return a nested object with its members beside its type."""
    return {"type": value["type"], **value["attributes"]} if value.keys() == {"type", "attributes"} else value


def _masked(record: Record, name: str, value: Any) -> Any:
    """Return an attribute without the secrets in it."""
    if value is None:
        return None
    if is_secret(record, name):
        return MASK
    loaded = getattr(record, name, None)
    if is_nested(loaded) and isinstance(value, dict):
        whole = cast("dict[str, Any]", value)
        members = cast("dict[str, Any]", whole.get("attributes", {}))
        return {**whole, "attributes": {member: _masked(loaded, member, each) for member, each in members.items()}}
    return mask(value)


def without_secrets(value: Any) -> Any:
    """Return a value of a field as JSON, if it is an object or a list of them, without the secrets in it."""
    if isinstance(value, list):
        return [without_secrets(item) for item in cast("list[Any]", value)]
    if is_nested(value):
        members = value.to_dict()["attributes"] if "attributes" in value.to_dict() else value.to_dict()
        return {name: _masked(value, name, each) for name, each in members.items()}
    return mask(value) if isinstance(value, dict) else value


def is_secret(record: Record, name: str) -> bool:
    """Return whether an attribute holds a secret: by its declaration, or else by its name."""
    field = record._field_map.get(name)
    return field.secret if field is not None else SECRET_NAME.search(name) is not None
