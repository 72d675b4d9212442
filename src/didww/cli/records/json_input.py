"""`--json FILE|-`: JSON:API documents, or objects of fields as `-o json` prints them, one or a list."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from didww._schema.registry import class_named
from didww._util.suggest import did_you_mean
from didww.cli.records import values
from didww.cli.records.slots import slots
from didww.cli.records.targets import key_fields
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww._schema.resource import Resource
    from didww.cli.records.slots import Slot
    from didww.cli.records.targets import Targets

__all__ = ["Entry", "entries", "load"]

_MAX_BYTES: Final = 20_000_000


class Entry(NamedTuple):
    """A record of the input.

    Attributes:
        id: Its id, number or name, if it has one.
        values: The values to write.
        left_out: The read-only fields that were left out.
    """

    id: str | None
    values: dict[str, Any]
    left_out: tuple[str, ...]


def load(path: str) -> Any:
    """Return the JSON value of a file, or of standard input for `-`.

    Raises:
        InvalidValueError: It cannot be read, or is not JSON.
    """
    try:
        if path == "-":
            content = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:  # noqa: PTH123 paths of users are text
                content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _error(f"{path} cannot be read: {error.strerror}.") from None
    source = "standard input" if path == "-" else path
    if len(content) > _MAX_BYTES:
        raise _error(f"{source} is larger than {_MAX_BYTES // 1_000_000} MB.")
    try:
        return json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise _error(f"{source} is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise _error(f"{source} is not JSON in UTF-8.") from None


def entries(
    cls: type[Resource], document: Any, *, creating: bool, targets: Targets, named: bool = False
) -> list[Entry]:
    """Return the records of a document.

    Args:
        cls: The resource.
        document: The JSON value.
        creating: Whether the records are new.
        targets: Finds related records.
        named: Whether the record is given elsewhere. Otherwise, one without an id is given by its number or name.

    Raises:
        InvalidValueError: It has another shape, another type, or an unknown field.
    """
    if isinstance(document, dict) and "data" in document:
        document = cast("dict[str, Any]", document)["data"]
    items = cast("list[Any]", document if isinstance(document, list) else [document])
    if not items:
        raise _error("the list is empty.")
    return [
        _entry(cls, item, f"[{index}] " if len(items) > 1 else "", creating, targets, named=named or creating)
        for index, item in enumerate(items)
    ]


def _entry(cls: type[Resource], item: Any, where: str, creating: bool, targets: Targets, *, named: bool) -> Entry:
    if not isinstance(item, dict):
        raise _error(f"{where}an object of fields is needed, or a list of them, got {type(item).__name__}.")
    record = cast("dict[str, Any]", item)
    type_ = record.get("type")
    if isinstance(type_, str) and "type" not in cls._field_map and type_ != cls._type_name:
        raise _error(f"{where}the type must be {cls._type_name}, got {type_!r:.80}.")
    fields = _fields(record)
    id = record.get("id")
    if not named and id is None:
        key = next((name for name in key_fields(cls) if isinstance(fields.get(name), str)), None)
        id = fields.pop(key) if key is not None else None
    known = slots(cls, creating=creating)
    given: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in fields.items():
        field = cls._field_map.get(name)
        if field is not None and field.kind.name == "object" and (field.create if creating else field.update):
            given |= _nested(known, name, value, where, targets)
        elif name in known:
            given[name] = _value(known[name], value, where, targets)
        elif field is not None:
            left_out.append(name)
        else:
            raise _error(f"{where}{cls._type_name} has no field {name!r:.80}.{did_you_mean(name, known)}")
    return Entry(id if isinstance(id, str) and not creating else None, given, tuple(left_out))


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a resource object, or of an object that has them directly."""
    attributes, relationships = (_object(record.get(name)) for name in ("attributes", "relationships"))
    if attributes or relationships:
        return attributes | {name: _object(linkage).get("data") for name, linkage in relationships.items()}
    return {name: value for name, value in record.items() if name not in ("id", "type", "meta")}


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _nested(known: dict[str, Slot], name: str, value: Any, where: str, targets: Targets) -> dict[str, Any]:
    """Return the values of the members of a nested object, and of its type."""
    type_slot = known[f"{name}_type"]
    if not isinstance(value, dict):
        raise _error(f"{where}{name} must be an object, got {type(value).__name__}.")
    shape = dict(cast("dict[str, Any]", value))
    type_ = shape.pop("type", None)
    members = cast("dict[str, Any]", shape.pop("attributes")) if isinstance(shape.get("attributes"), dict) else shape
    given: dict[str, Any] = {}
    if isinstance(type_, str):
        given[type_slot.name] = _checked(type_slot, [type_], where, targets)
    by_member = {slot.field.name: slot for slot in known.values() if slot.parent is type_slot.field}
    read_only = {member for cls in (type_slot.types or {}).values() for member in cls._field_map} - by_member.keys()
    for member, inner in members.items():
        if member in by_member:
            given[by_member[member].name] = _value(by_member[member], inner, where, targets)
        elif member not in read_only:
            raise _error(f"{where}{name} has no field {member!r:.80}.{did_you_mean(member, by_member)}")
    return given


def _value(slot: Slot, value: Any, where: str, targets: Targets) -> Any:
    kind = slot.field.kind
    if value is None:
        return _guarded(slot, where, lambda: values.blank(slot.field))
    if kind.name in ("one", "many"):
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        texts = [_linked(slot, item, where) for item in items]
        if kind.name == "many":
            return [] if not texts else _checked(slot, texts, where, targets)
        return _checked(slot, texts, where, targets) if texts != [""] else values.blank(slot.field)
    if isinstance(value, str) and kind.name in ("enum", "datetime"):
        return _checked(slot, [value], where, targets)
    if kind.name == "list" and kind.detail.name == "enum" and isinstance(value, list):
        texts = [str(item) for item in cast("list[Any]", value)]
        return _checked(slot, texts, where, targets) if texts else []
    if kind.name == "list" and kind.detail.name == "object" and isinstance(value, list):
        items = cast("list[Any]", value)
        value = [
            _guarded(slot, where, partial(values.nested, kind.detail, item)) if isinstance(item, dict) else item
            for item in items
        ]
    _guarded(slot, where, lambda: slot.field.dump(value, filling=True))
    return value


def _linked(slot: Slot, item: Any, where: str) -> str:
    """Return the text for a related record: an id or name, or an object with an id."""
    if isinstance(item, dict):
        shape = cast("dict[str, Any]", item)
        id, type_ = shape.get("id"), shape.get("type")
        names = slot.field.kind.detail.names
        if len(names) > 1 and isinstance(type_, str):
            from didww._schema.registry import singular

            return f"{singular(type_)}:{id}"
        item = "" if id is None else id
    if not isinstance(item, str):
        accepted = " or ".join(class_named(name)._type_name for name in slot.field.kind.detail.names)
        raise _error(f"{where}{slot.name} must be an id or name of {accepted}, got {type(item).__name__}.")
    return item


def _checked(slot: Slot, texts: list[str], where: str, targets: Targets) -> Any:
    return _guarded(slot, where, lambda: values.parse(slot, texts, targets))


def _guarded(slot: Slot, where: str, make: Any) -> Any:
    from didww.cli.records.options import cell_error

    try:
        return make()
    except InvalidValueError as error:
        raise _error(f"{where}{slot.name}: {cell_error(slot, error)}") from None


def _error(message: str) -> InvalidValueError:
    return InvalidValueError(message, field="json")
