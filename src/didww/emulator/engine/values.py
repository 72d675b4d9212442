"""Validation of written values against their declaration, and their defaults."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

from didww._schema.versions import versions_of_values
from didww.emulator.controls.clock import stamp
from didww.emulator.engine import overrides
from didww.emulator.engine.errors import HttpError, attribute_error, missing, not_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww._schema.fields import Field
    from didww._schema.nested import Nested
    from didww._schema.rules import Rule
    from didww._schema.types import FieldType
    from didww.emulator.engine.store import Record

__all__ = ["Checker", "default"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_AMOUNT = re.compile(r"-?\d{1,16}(\.\d{1,8})?", re.ASCII)
_MAX_INTEGER = 2**31 - 1  # the service's columns are whole numbers of 32 bits, as far as their bounds tell


_OBJECT = frozenset({"type", "attributes"})

# What the service says of a limit that is not kept, by the limit and whether it is one of a list.
_FAULTS = {
    ("ge", False): "must be greater than or equal to {field.ge}",
    ("le", False): "must be less than or equal to {field.le}",
    ("ge", True): "is too short (minimum is {field.ge})",
    ("le", True): "is too long (maximum is {field.le})",
    ("max_length", False): "is too long (maximum is {field.max_length} characters)",
    ("form", False): "is invalid",
    ("form", True): "is invalid",
    ("distinct", True): "must not hold the same twice",
    ("alike", True): "must be of one type",
}


class _InvalidValueError(Exception):
    """The value is invalid; the message is for the response."""


class Checker:
    """Validate the values of one request and collect their errors.

    Attributes:
        creating: Whether the request creates; otherwise it updates.
        version: API version of the request; None accepts the members and values of all versions.
        forbidden: Errors of members that cannot be written (400); reported first.
        errors: Errors of invalid values (422).
        values: Valid values, as stored in a record.
    """

    def __init__(self, *, creating: bool, version: str | None) -> None:
        self.creating = creating
        self.version = version
        self.forbidden: list[HttpError] = []
        self.errors: list[HttpError] = []
        self.values: Record = {}

    def check(self, field: Field, value: Any) -> None:
        """Check the value of an attribute."""
        self.values[field.name] = self._member(field, value, field.member, field.member)

    def _member(self, field: Field, value: Any, path: str, label: str) -> Any:
        if field.name in overrides.ANY_NUMBER and _is_number(value):
            return value
        if value is None:
            if not field.clearable:
                self._add_error(path, label, "can't be blank")
            return None
        if field.required and isinstance(value, str) and not value.strip():
            self._add_error(path, label, "can't be blank")
            return None
        result = self._value(field.kind, value, path, label)
        if result is not None:
            self._bounds(field, result, path, label)
        return result

    def _bounds(self, field: Field, value: Any, path: str, label: str) -> None:
        if isinstance(value, list) and None in value:
            return  # an item has an error already
        for message in limit_errors(field, value):
            self._add_error(path, label, message)

    def _add_error(self, path: str, label: str, message: str) -> None:
        self.errors.append(attribute_error(label, message, path=path))

    def _value(self, kind: FieldType, value: Any, path: str, label: str) -> Any:
        name = kind.name
        if name == "list":
            return self._list(kind, value, path)
        if name == "object":
            return self._object(kind, value, path, label)
        try:
            checked = _CHECKS[name](kind, value)
        except _InvalidValueError as wrong:
            self._add_error(path, label, str(wrong))
            return None
        limited = versions_of_values(kind.detail).get(value) if name == "enum" and self.version is not None else None
        if limited is not None and not limited.includes(str(self.version)):
            self._add_error(path, label, "is invalid")
            return None
        return checked

    def _list(self, kind: FieldType, value: Any, path: str) -> Any:
        if not isinstance(value, list):
            self._add_error(path, path, "is invalid")
            return None
        item: FieldType = kind.detail
        values = cast("list[Any]", value)
        return [self._value(item, one, f"{path}/{n}", f"{path}/{n}") for n, one in enumerate(values)]

    def _object(self, kind: FieldType, value: Any, path: str, label: str) -> Any:
        shape = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        self.forbidden += [not_allowed(name) for name in shape if name not in _OBJECT]
        type_, attributes = shape.get("type"), shape.get("attributes", {})
        if not isinstance(type_, str) or not isinstance(attributes, dict):
            self._add_error(path, label, "is invalid")
            return None
        fields = {
            name: field
            for name, field in members(kind, type_).items()
            if self.version is None or field.versions.includes(self.version)
        }
        # In a list, an error includes the index; in a single object, only the member.
        place = f"{path}/" if "/" in path else ""
        if not fields:
            self._add_error(f"{path}/type", f"{place}type", "is invalid")
            return None
        if not any(field.create or field.update for field in fields.values()):
            how = "creation" if self.creating else "update"
            self._add_error(f"{path}/type", f"{place}type", f"is not allowed for {how}")
            return None
        checked: dict[str, Any] = {}
        for name, one in cast("dict[str, Any]", attributes).items():
            field = fields.get(name)
            if field is None or not field.create:
                self.forbidden.append(not_allowed(name))
                continue
            checked[name] = self._member(field, one, f"{path}/{name}", f"{place}{name}")
        for name, field in fields.items():
            if field.required and name not in checked and (self.creating or not merges(kind, type_)):
                self._missing(name, path, label, place)
        return {"type": type_, "attributes": checked}

    def _missing(self, name: str, path: str, label: str, place: str) -> None:
        if place:  # contract file orders: items without data that is required are malformed
            self.forbidden.append(missing(name))
        elif name in overrides.WHOLE_INVALID:
            self._add_error(path, label, "is invalid")
        else:
            self._add_error(f"{path}/{name}", name, "can't be blank")


def limit_errors(field: Field, value: Any) -> list[str]:
    """What the service says of the limit_errors of a field that a value, or the linkage of a list, does not keep."""
    listed = isinstance(value, list)
    return [_FAULTS[(fault.limit, listed)].format(field=field) for fault in field.faults(value)]


def merges(kind: FieldType, named: str) -> bool:
    """Return whether an update merges an object of the type `named` with the stored one."""
    return any(cls._type_name == named and cls.merges for cls in cast("tuple[type[Nested], ...]", kind.detail))


def rules_of(kind: FieldType, named: str) -> tuple[Rule, ...]:
    """Return the cross-field rules of the type `named`; none where several classes share it."""
    classes = [cls for cls in cast("tuple[type[Nested], ...]", kind.detail) if cls._type_name == named]
    return classes[0]._rules if len(classes) == 1 else ()


def members(kind: FieldType, named: str) -> dict[str, Field]:
    """Return the fields of the type `named`, of all classes that share it."""
    fields: dict[str, Field] = {}
    for cls in cast("tuple[type[Nested], ...]", kind.detail):
        if cls._type_name == named:
            for name, field in cls._field_map.items():
                if name not in fields or (field.create and not fields[name].create):
                    fields[name] = field
    return fields


def complete(kind: FieldType, value: Any) -> Any:
    """Return an object with all its readable members, and no others."""
    if kind.name == "list" and isinstance(value, list):
        return [complete(kind.detail, item) for item in cast("list[Any]", value)]
    if kind.name != "object" or not isinstance(value, dict):
        return value
    shape = cast("dict[str, Any]", value)
    fields = members(kind, shape["type"])
    attributes: Mapping[str, Any] = shape["attributes"]
    completed = {
        name: attributes[name] if name in attributes else default(field)
        for name, field in fields.items()
        if field.readable
    }
    return {"type": shape["type"], "attributes": completed}


def default(field: Field, moment: datetime | None = None) -> Any:
    """Return the default of a field: null if nullable, else an empty value of its kind."""
    kind = field.kind
    if field.clearable or (field.nullable and not field.create and not field.update):
        return None
    if kind.name == "enum":
        return next(iter(kind.detail)).value
    if kind.name == "datetime":
        return stamp(moment or datetime.now(UTC))
    return _EMPTY[kind.name]() if kind.name in _EMPTY else field.ge if field.ge is not None else 0


_EMPTY: dict[str, Callable[[], Any]] = {
    "text": str,
    "date": str,
    "boolean": bool,
    "decimal": lambda: "0.0",
    "list": list,
    "map": dict,
    "object": lambda: None,
}


# One function for each plain kind: the value as it is stored.


def _text(_kind: FieldType, value: Any) -> Any:
    if not isinstance(value, str):
        raise _InvalidValueError("is invalid")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER


def _integer(_kind: FieldType, value: Any) -> Any:
    if not _is_number(value):
        raise _InvalidValueError("is invalid")
    return value


def _boolean(_kind: FieldType, value: Any) -> Any:
    if not isinstance(value, bool):
        raise _InvalidValueError("is invalid")
    return value


def _decimal(_kind: FieldType, value: Any) -> Any:
    text = value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""
    if isinstance(value, bool) or not _AMOUNT.fullmatch(text):
        raise _InvalidValueError("is invalid")
    try:
        return text if "." in text else f"{Decimal(text)}.0"
    except InvalidOperation:  # pragma: no cover the pattern lets nothing through that is none
        raise _InvalidValueError("is invalid") from None


def _datetime(_kind: FieldType, value: Any) -> Any:
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        raise _InvalidValueError("is invalid")
    try:
        moment = datetime.fromisoformat(value)
        return stamp(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    except (ValueError, OverflowError):
        raise _InvalidValueError("is invalid") from None


def _date(_kind: FieldType, value: Any) -> Any:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _InvalidValueError("is invalid")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise _InvalidValueError("is invalid") from None
    return value


def _enum(kind: FieldType, value: Any) -> Any:
    make: Any = kind.detail
    wanted = str if issubclass(kind.detail, str) else int
    if isinstance(value, bool) or not isinstance(value, wanted) or not make(value).is_known:
        raise _InvalidValueError("is invalid")
    return value


def _map(_kind: FieldType, value: Any) -> Any:
    if not isinstance(value, dict):
        raise _InvalidValueError("is invalid")
    return cast("dict[str, Any]", value)


def _text_or_map(_kind: FieldType, value: Any) -> Any:
    if not isinstance(value, (str, dict)):
        raise _InvalidValueError("is invalid")
    return cast("str | dict[str, Any]", value)


_CHECKS: dict[str, Callable[[FieldType, Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "decimal": _decimal,
    "datetime": _datetime,
    "date": _date,
    "enum": _enum,
    "map": _map,
    "text or map": _text_or_map,
}
