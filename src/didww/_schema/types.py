"""The types of field values, with conversion from raw JSON to Python and back.

Reading is lenient: a value that cannot be converted is returned unchanged. Writing is strict: a value of the wrong type
raises `InvalidValueError` with the name of the field. The type of a field is derived from its annotation (`kind_of`).
"""

from __future__ import annotations

import copy
import enum
import re
import types
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard, Union, cast, get_args, get_origin, is_typeddict

from didww._jsonapi.document import MAX_LEVELS, nested_deeper
from didww._schema.registry import class_called, singular
from didww._util.coerce import is_uuid, truth_value, whole_number
from didww._util.datetimes import utc_text
from didww._util.suggest import close_names, question
from didww.enums import OpenIntEnum, OpenStrEnum
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._schema.resource import Resource

__all__ = [
    "PLAIN_TYPES",
    "DateText",
    "FieldType",
    "Ref",
    "kind_of",
    "listed",
    "register_nested",
    "register_resource",
]

# Base classes of nested objects, with what returns their field type, and of resources. Their modules import this one.
_nested: dict[type, Callable[[tuple[Any, ...]], FieldType]] = {}
_resources: list[type] = []


def register_nested(base: type, object_kind: Callable[[tuple[Any, ...]], FieldType]) -> None:
    """Register the base class of nested objects, and the function that returns the field type for some of them."""
    _nested[base] = object_kind


def register_resource(base: type) -> None:
    """Register the base class of resources, whose ids are accepted for text."""
    _resources.append(base)


def _is_resource(value: object) -> TypeGuard[Resource]:
    return isinstance(value, tuple(_resources))


class FieldType:
    """The type of a field value.

    Attributes:
        name: Name: text, integer, boolean, decimal, datetime, date, enum, list, object, map, text or map,
            one (relationship), many (relationship).
        load: Converts raw JSON to Python; None if they are the same.
        mutable: Whether the Python value can be changed in place, and must be compared before an update.
        accepts: Accepted values, in words.
        take: Converts an assigned value to the value that the record stores; None to load the raw value.
        detail: The enum class, the item type of a list, the classes of an object, or the `Ref` of a relationship.
    """

    __slots__ = ("accepts", "detail", "dump", "load", "mutable", "name", "take")

    def __init__(
        self,
        name: str,
        *,
        load: Callable[[Any], Any] | None,
        dump: Callable[[Any, str], Any],
        accepts: str,
        mutable: bool = False,
        take: Callable[[Any, str], Any] | None = None,
        detail: Any = None,
    ) -> None:
        self.name = name
        self.load = load
        self.dump = dump
        self.take = take
        self.mutable = mutable
        self.accepts = accepts
        self.detail = detail

    def keep(self, value: Any, raw: Any, where: str) -> Any:
        """Return the value that a record stores for an assigned mutable `value`, whose raw form is `raw`.

        It is a copy: later changes to the list, dict or nested object of the caller do not affect the record.
        """
        if self.take is not None:
            return self.take(value, where)
        return self.load(raw) if self.load is not None else raw

    def __repr__(self) -> str:
        return f"FieldType({self.name!r})"


def _wrong(where: str, accepts: str, value: object, hint: str = "") -> InvalidValueError:
    if isinstance(value, int) and not _fits(value):
        shown = "an int of more than 64 bits"
    else:
        plain = isinstance(value, (str, int, float, Decimal, enum.Enum))
        shown = f"{value!r:.80}" if plain else type(value).__name__
    return InvalidValueError(f"{where} must be {accepts}, got {shown}.{hint}", field=where)


def _text(value: Any, where: str) -> str:
    if is_uuid(value):
        return str(value)
    if not isinstance(value, str):
        hint = " Write str(path)." if hasattr(value, "__fspath__") else _id_hint(value)
        raise _wrong(where, "a str", value, hint)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValueError(
            f"{where} must be text that UTF-8 can encode, got a lone surrogate.", field=where
        ) from None
    return str.__str__(value)  # for an enum member its value: `str()` may return its name


def _id_hint(value: Any) -> str:
    """Return a hint for a record that was passed instead of its id."""
    return f" Write {singular(value.type)}.id." if _is_resource(value) else ""


def _integer(value: Any, where: str) -> int:
    whole = whole_number(value)
    if whole is None or not _fits(whole):
        digits = isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdecimal()
        raise _wrong(where, "an int", value, f" Write {int(value)}." if digits else "")
    return whole


def _fits(value: int) -> bool:
    """Return whether an integer fits into 64 bits, as JSON parsers require; Python may not format larger ones."""
    return -(1 << 63) <= value < 1 << 63


def _boolean(value: Any, where: str) -> bool:
    truth = truth_value(value)
    if truth is None:
        raise _wrong(where, "True or False", value)
    return truth


def _load_decimal(raw: Any) -> Any:
    try:
        # A JSON number is converted from its text, so that 0.1 stays exactly 0.1.
        return Decimal(raw if isinstance(raw, str) else str(raw))
    except InvalidOperation:
        return raw


_MAX_DIGITS = 50


def _dump_decimal(value: Any, where: str) -> str:
    if isinstance(value, float):
        raise _wrong(where, "a Decimal, str or int", value, f" A float is not exact: write Decimal({str(value)!r}).")
    whole = whole_number(value)
    if whole is None and (isinstance(value, bool) or not isinstance(value, (Decimal, str))):
        raise _wrong(where, "a Decimal, str or int", value)
    try:
        amount = Decimal(value if whole is None else whole)
    except InvalidOperation:
        raise InvalidValueError(
            f"{where} must be an amount such as Decimal('3.60'), got {value!r}.", field=where
        ) from None
    # In full notation, 1e300000000 would exhaust the memory.
    if (
        not amount.is_finite()
        or not -_MAX_DIGITS < amount.adjusted() < _MAX_DIGITS
        or len(amount.as_tuple().digits) > _MAX_DIGITS
    ):
        raise InvalidValueError(
            f"{where} must be a finite amount of at most {_MAX_DIGITS} digits, got {amount!s:.80}.", field=where
        )
    return format(amount or abs(amount), "f")  # zero without a sign


def _load_datetime(raw: Any) -> Any:
    try:
        parsed = datetime.fromisoformat(raw)
    except (ValueError, TypeError):
        return raw
    # Some responses contain no time zone; all times of the service are in UTC.
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:  # the offset moves it before year 1 or after year 9999
        return raw


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _dump_date(value: Any, where: str) -> str:
    if _is_date(value):
        return str(value.isoformat())
    try:
        if isinstance(value, str) and _DATE.fullmatch(value) and date.fromisoformat(value):
            return str.__str__(value)
    except ValueError:
        pass
    shown = repr(value[:20]) if isinstance(value, str) else type(value).__name__
    hint = " For a datetime, use its date()." if hasattr(value, "date") else ""
    raise InvalidValueError(f"{where} must be a date as text, YYYY-MM-DD, got {shown}.{hint}", field=where)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


DateText = Annotated[str, "date"]
"""A date as text: `YYYY-MM-DD`."""

TEXT = FieldType("text", load=None, dump=_text, accepts="a str")
INTEGER = FieldType("integer", load=None, dump=_integer, accepts="an int")
BOOLEAN = FieldType("boolean", load=None, dump=_boolean, accepts="True or False")
DECIMAL = FieldType("decimal", load=_load_decimal, dump=_dump_decimal, accepts="a Decimal, str or int")
DATETIME = FieldType("datetime", load=_load_datetime, dump=utc_text, accepts="a datetime with a time zone")
DATE = FieldType("date", load=None, dump=_dump_date, accepts="a date as text, YYYY-MM-DD")

PLAIN_TYPES: dict[str, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "Decimal": Decimal,
    "datetime": datetime,
    "DateText": DateText,
}
"""The types of plain values, by name in annotations."""

_PLAIN: dict[object, FieldType] = dict(
    zip(PLAIN_TYPES.values(), (TEXT, INTEGER, BOOLEAN, DECIMAL, DATETIME, DATE), strict=True)
)


def enum_kind(cls: type[OpenStrEnum | OpenIntEnum]) -> FieldType:
    """Return the field type of an open enum; `cls(value)` also writes values unknown to this SDK version."""
    wire = str if issubclass(cls, str) else int
    make = cast("Callable[[Any], Any]", cls)

    def load(raw: Any) -> Any:
        try:
            return make(raw)
        except ValueError:
            return raw

    def dump(value: Any, where: str) -> Any:
        if isinstance(value, enum.Enum) and not isinstance(value, cls):
            # A member of the caller's own enum stands for its value; a member of another DIDWW enum is an error.
            if isinstance(value, (OpenStrEnum, OpenIntEnum)):
                raise _wrong(where, cls.__name__, value)
            value = cast("object", value.value)
        raw = whole_number(value) if wire is int else value if isinstance(value, str) else None
        if raw is None or (isinstance(raw, int) and not _fits(raw)):
            raise _wrong(where, cls.__name__, value, _suggest(cls, value))
        member = make(raw)
        if not member.is_known and not isinstance(value, cls):
            known = ", ".join(repr(item.value) for item in list(cast("Any", cls))[:50])
            shown = f"{value!r:.80}"
            raise InvalidValueError(
                f"{where} must be a known {cls.__name__} ({known}), got {shown}.{_suggest(cls, value)} "
                f"If the service accepts it, write {cls.__name__}({shown}).",
                field=where,
            )
        return member.value

    return FieldType("enum", load=load, dump=dump, accepts=cls.__name__, detail=cls)


def _suggest(cls: type[OpenStrEnum | OpenIntEnum], value: object) -> str:
    """Return a question that suggests the known values closest to a text, by name or raw value."""
    members: dict[str, Any] = {}
    for member in cast("Any", cls):
        members[member.name.lower()] = members[str(member.value).lower()] = member
    close = close_names(value.lower(), members) if isinstance(value, str) else ()
    suggestions = dict.fromkeys(members[name] for name in close)
    return question(
        repr(member.value) if issubclass(cls, str) else f"{cls.__name__}.{member.name}" for member in suggestions
    )


def listed(value: Any, where: str, accepts: str) -> list[Any]:
    """Return the items of an iterable as a new list.

    Raises:
        InvalidValueError: `value` is a single value or a dict.
    """
    if isinstance(value, (str, bytes, bytearray, dict)) or not hasattr(value, "__iter__"):
        raise _wrong(where, accepts, cast("object", value))
    return list(value)


def list_kind(item: FieldType) -> FieldType:
    """Return the field type of a list with items of type `item`."""

    def load(raw: Any) -> Any:
        if isinstance(raw, str) and item.name in ("text", "enum"):
            raw = [raw] if raw else []  # older records contain a single text
        if not isinstance(raw, list):
            return raw
        values = cast("list[Any]", raw)
        return list(values) if item.load is None else [item.load(value) for value in values]

    def for_each(convert: Callable[[Any, str], Any]) -> Callable[[Any, str], list[Any]]:
        def convert_all(value: Any, where: str) -> list[Any]:
            items = listed(value, where, f"a list ({item.accepts} each)")
            return [convert(value, f"{where}[{index}]") for index, value in enumerate(items)]

        return convert_all

    take = None if item.take is None else for_each(item.take)
    return FieldType(
        "list", load=load, dump=for_each(item.dump), accepts="a list", mutable=True, take=take, detail=item
    )


def _dump_outer_map(value: Any, where: str) -> dict[str, Any]:
    if nested_deeper(value, MAX_LEVELS):
        raise InvalidValueError(
            f"{where} must not be nested more than {MAX_LEVELS} levels deep or contain itself.",
            field=where,
        )
    return _dump_map(value, where)


def _dump_map(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where, "a dict", value)
    plain: dict[str, Any] = {}
    for key, member in cast("dict[Any, Any]", value).items():
        name = _text(key, f"the key of {where}")
        inner = f"{where}[{name!r}]"
        plain[name] = _dump_any(_ids_of(member, name, inner) if name.endswith(".id") else member, inner)
    return plain


def _ids_of(value: Any, name: str, where: str) -> Any:
    """Return the ids of the records passed for `name`, one or a list; return other values unchanged."""
    if isinstance(value, (list, tuple)):
        return [_id_of(item, name, where) for item in cast("list[Any]", value)]
    return _id_of(value, name, where)


def _id_of(value: Any, name: str, where: str) -> Any:
    """Return the id of a record passed for `name`, e.g. `voice_out_trunk.id`; return other values unchanged."""
    if not _is_resource(value):
        return value
    cls = class_called(name.split(".")[-2])
    if cls is not None and not isinstance(value, cls):
        raise _wrong(where, f"{cls.__name__} or its id", value)
    if not value.id:
        raise InvalidValueError(
            f"{where} must be an existing record, got one without an id. Create it first.", field=where
        )
    return value.id


def _dump_any(value: Any, where: str) -> Any:
    if (truth := truth_value(value)) is not None or value is None:
        return truth
    if isinstance(value, datetime):
        # The only free-form dict of the API, the filters of an export, has datetimes in this format.
        return utc_text(value, where)[:19].replace("T", " ")
    if _is_date(value):
        raise InvalidValueError(
            f"{where} must be a datetime with a time zone, got a date. Write the start of the day, e.g. "
            f"datetime({value.year}, {value.month}, {value.day}, tzinfo=timezone.utc).",
            field=where,
        )
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str) or is_uuid(value):
        return _text(value, where)
    if whole_number(value) is not None:
        return _integer(value, where)
    if isinstance(value, dict):
        return _dump_map(value, where)
    if isinstance(value, (list, tuple)):
        return [_dump_any(item, where) for item in cast("list[Any]", value)]
    raise _wrong(where, "text, numbers, datetimes, lists and dicts", value)


MAP = FieldType(
    "map",
    load=copy.deepcopy,
    dump=_dump_outer_map,
    accepts="a dict",
    mutable=True,
)


def _dump_text_or_map(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        return _dump_outer_map(value, where)
    if not isinstance(value, str):
        raise _wrong(where, "a str or a dict", value)
    return _text(value, where)


TEXT_OR_MAP = FieldType(
    "text or map",
    load=copy.deepcopy,
    dump=_dump_text_or_map,
    accepts="a str or a dict",
    mutable=True,
)


class Ref:
    """Resource classes in an annotation, imported only when needed (resources refer to each other in cycles)."""

    __slots__ = ("names", "nullable")

    def __init__(self, *names: str, nullable: bool = False) -> None:
        self.names = names
        self.nullable = nullable

    def __or__(self, other: Ref | None) -> Ref:
        if other is None:
            return Ref(*self.names, nullable=True)
        return Ref(*self.names, *other.names, nullable=self.nullable or other.nullable)

    def __repr__(self) -> str:
        return " or ".join(self.names)


def kind_of(annotation: Any) -> tuple[FieldType, bool]:
    """Return the field type for `annotation`, and whether it allows None."""
    nullable = False
    if isinstance(annotation, Ref):
        return FieldType("one", load=None, dump=_text, accepts=repr(annotation), detail=annotation), annotation.nullable
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        nullable = len(members) < len(get_args(annotation))
        annotation = members[0] if len(members) == 1 else tuple(members)
    return _kind(annotation), nullable


def _kind(annotation: Any) -> FieldType:
    if not isinstance(annotation, tuple) and annotation in _PLAIN:
        return _PLAIN[annotation]
    if get_origin(annotation) is list:
        inner = get_args(annotation)[0]
        if isinstance(inner, Ref):
            return FieldType("many", load=None, dump=_text, accepts=f"a list of {inner!r}", mutable=True, detail=inner)
        return list_kind(kind_of(inner)[0])
    if get_origin(annotation) is dict or annotation is dict:
        return MAP
    if isinstance(annotation, type) and issubclass(annotation, (OpenStrEnum, OpenIntEnum)):
        return enum_kind(annotation)
    classes: tuple[Any, ...] = cast("Any", annotation if isinstance(annotation, tuple) else (annotation,))
    if {get_origin(cls) or cls for cls in classes} == {str, dict}:
        return TEXT_OR_MAP
    if all(is_typeddict(cls) for cls in classes):
        return MAP
    for nested, object_kind in _nested.items():
        if all(isinstance(cls, type) and issubclass(cls, nested) for cls in classes):
            return object_kind(classes)
    raise TypeError(f"no kind of value for the annotation {annotation!r}")
