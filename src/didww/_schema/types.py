"""The kinds of value a field can have, each with its two directions: raw JSON to Python, and Python to raw JSON.

Reading is tolerant: what cannot be converted is returned unchanged. Writing is strict: a value of the wrong kind
raises `InvalidValueError` with the field's name. Which kind a field has follows from its annotation (`kind_of`).
"""

from __future__ import annotations

import copy
import enum
import re
import types
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Union, cast, get_args, get_origin, is_typeddict

from didww._jsonapi.document import MAX_LEVELS, nested_deeper
from didww._util.coerce import is_uuid, truth_value, whole_number
from didww._util.datetimes import utc_text
from didww._util.suggest import close_names, question
from didww.enums import OpenIntEnum, OpenStrEnum
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PLAIN_TYPES", "DateText", "FieldType", "Ref", "kind_of", "listed"]


class FieldType:
    """A kind of value.

    Attributes:
        name: What the contract calls it: text, integer, boolean, decimal, datetime, date, enum, list, object, map,
            one (relationship), many (relationship).
        load: Raw JSON to Python; None when they are the same.
        mutable: Whether the Python value can be changed in place and so must be compared before an update.
        accepts: What may be assigned, in words.
        take: An assigned value to what the record keeps of it; None if the raw value says it all.
        detail: The enum class, the item's kind of a list, the classes of an object, the `Ref` of a relationship.
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
        """What a record keeps of an assigned `value` of a mutable kind, whose raw form is `raw`.

        It is taken over as it is now: what becomes of the caller's own list, dict or nested object is the caller's.
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
    return InvalidValueError(f"{where} takes {accepts}, not {shown}.{hint}", field=where)


def _text(value: Any, where: str) -> str:
    if is_uuid(value):
        return str(value)
    if not isinstance(value, str):
        hint = " Write str(path)." if hasattr(value, "__fspath__") else _id_hint(value)
        raise _wrong(where, "a str", value, hint)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValueError(f"{where} holds a lone surrogate, which UTF-8 cannot carry.", field=where) from None
    return str.__str__(value)  # of an enum's member its value: `str` may give its name


def _id_hint(value: Any) -> str:
    """The way out for those who give a record where its id is wanted."""
    from didww._schema.registry import singular
    from didww._schema.resource import Resource

    return f" Write {singular(value.type)}.id." if isinstance(value, Resource) else ""


def _integer(value: Any, where: str) -> int:
    whole = whole_number(value)
    if whole is None or not _fits(whole):
        digits = isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdecimal()
        raise _wrong(where, "an int", value, f" Write {int(value)}." if digits else "")
    return whole


def _fits(value: int) -> bool:
    """Whether an integer is one that JSON readers take; larger ones may not even have a text in Python."""
    return -(1 << 63) <= value < 1 << 63


def _boolean(value: Any, where: str) -> bool:
    truth = truth_value(value)
    if truth is None:
        raise _wrong(where, "True or False", value)
    return truth


def _load_decimal(raw: Any) -> Any:
    try:
        # A JSON number goes through its text, so that 0.1 stays 0.1.
        return Decimal(raw if isinstance(raw, str) else str(raw))
    except InvalidOperation:
        return raw


_MAX_DIGITS = 50


def _dump_decimal(value: Any, where: str) -> str:
    if isinstance(value, float):
        raise _wrong(
            where, "a Decimal, str or int", value, f" A float is no exact amount: write Decimal({str(value)!r})."
        )
    whole = whole_number(value)
    if whole is None and (isinstance(value, bool) or not isinstance(value, (Decimal, str))):
        raise _wrong(where, "a Decimal, str or int", value)
    try:
        amount = Decimal(value if whole is None else whole)
    except InvalidOperation:
        raise InvalidValueError(
            f"{where} takes an amount such as Decimal('3.60'), not {value!r}.", field=where
        ) from None
    # Written out in full, 1e300000000 would fill the memory.
    if (
        not amount.is_finite()
        or not -_MAX_DIGITS < amount.adjusted() < _MAX_DIGITS
        or len(amount.as_tuple().digits) > _MAX_DIGITS
    ):
        raise InvalidValueError(f"{where} takes a finite amount of at most {_MAX_DIGITS} digits.", field=where)
    return format(amount or abs(amount), "f")  # nothing has no sign


def _load_datetime(raw: Any) -> Any:
    try:
        moment = datetime.fromisoformat(raw)
    except (ValueError, TypeError):
        return raw
    # Some responses carry no zone (behaviour sheet, section 8): all times of the service are UTC.
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # before the year 1 or after 9999, by its offset
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
    hint = " Of a datetime, write its date()." if hasattr(value, "date") else ""
    raise InvalidValueError(f"{where} takes a date as text, YYYY-MM-DD, not {shown}.{hint}", field=where)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


DateText = Annotated[str, "date"]
"""A date without time, as text: `YYYY-MM-DD`."""

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
"""The types of plain values, by the names that they have in annotations."""

_PLAIN: dict[object, FieldType] = dict(
    zip(PLAIN_TYPES.values(), (TEXT, INTEGER, BOOLEAN, DECIMAL, DATETIME, DATE), strict=True)
)


def enum_kind(cls: type[OpenStrEnum | OpenIntEnum]) -> FieldType:
    """The kind of an open enum: any str (or int) is written as it is, so that a value newer than this SDK can be."""
    wire = str if issubclass(cls, str) else int
    make = cast("Callable[[Any], Any]", cls)

    def load(raw: Any) -> Any:
        try:
            return make(raw)
        except ValueError:
            return raw

    def dump(value: Any, where: str) -> Any:
        if isinstance(value, enum.Enum) and not isinstance(value, cls):
            # Of the caller's own enum the value is meant; a member of another one of ours is a mistake.
            if isinstance(value, (OpenStrEnum, OpenIntEnum)):
                raise _wrong(where, cls.__name__, value)
            value = cast("object", value.value)
        raw = whole_number(value) if wire is int else value if isinstance(value, str) else None
        if raw is None or (isinstance(raw, int) and not _fits(raw)):
            raise _wrong(where, cls.__name__, value, _meant(cls, value))
        member = make(raw)
        if not member.is_known and not isinstance(value, cls):
            known = ", ".join(repr(item.value) for item in list(cast("Any", cls))[:50])
            shown = f"{value!r:.80}"
            raise InvalidValueError(
                f"{where} takes {cls.__name__}; {shown} is none that is known ({known}).{_meant(cls, value)} "
                f"If the service accepts it, write {cls.__name__}({shown}).",
                field=where,
            )
        return member.value

    return FieldType("enum", load=load, dump=dump, accepts=cls.__name__, detail=cls)


def _meant(cls: type[OpenStrEnum | OpenIntEnum], value: object) -> str:
    """The known value that some text comes near to, by its name or its raw value, as a question."""
    members: dict[str, Any] = {}
    for member in cast("Any", cls):
        members[member.name.lower()] = members[str(member.value).lower()] = member
    close = close_names(value.lower(), members) if isinstance(value, str) else ()
    found = dict.fromkeys(members[one] for one in close)
    return question(repr(one.value) if issubclass(cls, str) else f"{cls.__name__}.{one.name}" for one in found)


def listed(value: Any, where: str, accepts: str) -> list[Any]:
    """What `value` runs through, as a new list.

    Raises:
        InvalidValueError: It is one value and not several.
    """
    if isinstance(value, (str, bytes, bytearray, dict)) or not hasattr(value, "__iter__"):
        raise _wrong(where, accepts, cast("object", value))
    return list(value)


def list_kind(item: FieldType) -> FieldType:
    """The kind of a list, each item of kind `item`."""

    def load(raw: Any) -> Any:
        if isinstance(raw, str) and item.name in ("text", "enum"):
            raw = [raw] if raw else []  # older records hold a single text
        if not isinstance(raw, list):
            return raw
        values = cast("list[Any]", raw)
        return list(values) if item.load is None else [item.load(value) for value in values]

    def each(do: Callable[[Any, str], Any]) -> Callable[[Any, str], list[Any]]:
        def all_of(value: Any, where: str) -> list[Any]:
            ones = listed(value, where, f"a list ({item.accepts} each)")
            return [do(one, f"{where}[{index}]") for index, one in enumerate(ones)]

        return all_of

    take = None if item.take is None else each(item.take)
    return FieldType("list", load=load, dump=each(item.dump), accepts="a list", mutable=True, take=take, detail=item)


def _dump_outer_map(value: Any, where: str) -> dict[str, Any]:
    if nested_deeper(value, MAX_LEVELS):
        raise InvalidValueError(
            f"{where} is nested too deeply (more than {MAX_LEVELS} levels), or holds itself.", field=where
        )
    return _dump_map(value, where)


def _dump_map(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where, "a dict", value)
    plain: dict[str, Any] = {}
    for key, one in cast("dict[Any, Any]", value).items():
        name = _text(key, f"the key of {where}")
        inner = f"{where}[{name!r}]"
        plain[name] = _dump_any(_id_of(one, name, inner) if name.endswith(".id") else one, inner)
    return plain


def _id_of(value: Any, name: str, where: str) -> Any:
    """The id of the record that `name`, e.g. `voice_out_trunk.id`, names; other values as they are."""
    from didww._schema.registry import class_called
    from didww._schema.resource import Resource

    if not isinstance(value, Resource):
        return value
    cls = class_called(name.split(".")[-2])
    if cls is not None and not isinstance(value, cls):
        raise _wrong(where, f"{cls.__name__} or its id", value)
    if not value.id:
        raise InvalidValueError(f"{where} must be a record that exists, got one without an id.", field=where)
    return value.id


def _dump_any(value: Any, where: str) -> Any:
    if (truth := truth_value(value)) is not None or value is None:
        return truth
    if isinstance(value, datetime):
        # The one free dict of the contract, an export's filters, has times in this form (cdr-exports sheet, section 2).
        return utc_text(value, where)[:19].replace("T", " ")
    if _is_date(value):
        raise InvalidValueError(
            f"{where} takes a datetime with a time zone, not a date: say when the day begins, e.g. "
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
        return [_dump_any(one, where) for one in cast("list[Any]", value)]
    raise _wrong(where, "text, numbers, datetimes, lists and dicts", value)


MAP = FieldType(
    "map",
    load=copy.deepcopy,
    dump=_dump_outer_map,
    accepts="a dict",
    mutable=True,
)


class Ref:
    """Resource classes named in an annotation, imported only when needed (resources refer to each other in circles)."""

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
    """The kind that `annotation` stands for, and whether None is allowed."""
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
    from didww._schema.record import Nested, object_kind

    classes: tuple[Any, ...] = cast("Any", annotation if isinstance(annotation, tuple) else (annotation,))
    if all(is_typeddict(cls) for cls in classes):
        return MAP
    if not all(isinstance(cls, type) and issubclass(cls, Nested) for cls in classes):
        raise TypeError(f"no kind of value for the annotation {annotation!r}")
    return object_kind(classes)
