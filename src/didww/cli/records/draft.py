"""A record with the values that a person gave, and what it shows before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from didww._core.operations import check_whole
from didww._schema.record import is_nested
from didww._schema.resource import Resource
from didww._schema.rules import Typed
from didww.cli.choices import word
from didww.cli.lookups import new_name
from didww.cli.objects import MASK
from didww.cli.output import plain
from didww.cli.records.slots import short_type
from didww.cli.records.targets import label
from didww.cli.records.values import Texts
from didww.cli.records.words import words
from didww.exceptions import InvalidValueError, NotLoadedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from didww._schema.nested import Nested
    from didww._schema.record import Record
    from didww.cli.records.slots import Slot

__all__ = ["assign", "check", "differences", "includes", "missing", "new", "shown"]


def missing(values: Mapping[str, Any], known: Mapping[str, Slot]) -> list[Slot]:
    """Return what a new record needs and `values` lack; if nothing, what its nested objects need.

    Raises:
        InvalidValueError: It is unknown which type a nested object has.
    """
    given = {(known[name].parent or known[name].field).name for name in values}
    lacking = [
        slot for slot in known.values() if slot.parent is None and slot.field.required and slot.field.name not in given
    ]
    return lacking or [
        slot
        for name, members in _grouped(values, known)[1].items()
        for slot in _needed(name, _type_of(name, members, known), known)
        if slot.name not in members
    ]


def _needed(name: str, cls: type[Nested], known: Mapping[str, Slot]) -> list[Slot]:
    """Return what a nested object of a field must have."""
    short = short_type(cls, known[f"{name}_type"].field)
    return [slot for slot in known.values() if short in slot.homes and cls._field_map[slot.field.name].required]


def new(cls: type[Resource], values: Mapping[str, Any], known: Mapping[str, Slot]) -> Resource:
    """Return a new record."""
    plain_values, nested = _grouped(values, known)
    for name, members in nested.items():
        plain_values[name] = _object(name, members, known)
    return cls(**plain_values)


def assign(record: Resource, values: Mapping[str, Any], known: Mapping[str, Slot]) -> None:
    """Assign values to a loaded record. Members of a nested object that are not given stay as they are."""
    plain_values, nested = _grouped(values, known)
    for name, members in nested.items():
        current = getattr(record, name)
        chosen = members.get(f"{name}_type")
        types = known[f"{name}_type"].types or {}
        if is_nested(current) and (chosen is None or types[chosen] is type(current)):
            _check_homes(name, short_type(type(current), known[f"{name}_type"].field), members, known)
            given = {known[member].field.name: value for member, value in _members(name, members).items()}
            current._assign(_settled(type(current), given, current))
        else:
            plain_values[name] = _object(name, members, known)
    record._assign(plain_values)


def check(record: Resource, *, creating: bool) -> None:
    """Check a record as its request will, before anything is sent."""
    record._to_send()
    record._pending_relationships()
    check_whole(type(record), record, creating=creating)


def _grouped(values: Mapping[str, Any], known: Mapping[str, Slot]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the values of plain fields, and the members of nested objects by field."""
    plain_values: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        slot = known[name]
        holder = slot.parent or (slot.field if slot.types is not None else None)
        if holder is None:
            plain_values[name] = new_name(value) if name == "name" and isinstance(value, str) else value
        else:
            nested.setdefault(holder.name, {})[name] = value
    return plain_values, nested


def _members(name: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in members.items() if member != f"{name}_type"}


def _object(name: str, members: Mapping[str, Any], known: Mapping[str, Slot]) -> Any:
    """Return a new nested object of the chosen type, or of the only one that has the members."""
    cls = _type_of(name, members, known)
    given = {known[member].field.name: value for member, value in _members(name, members).items()}
    return cls(**_settled(cls, given))


def _type_of(name: str, members: Mapping[str, Any], known: Mapping[str, Slot]) -> type[Nested]:
    """Return the chosen type of a nested object, or the only one that has the members.

    Raises:
        InvalidValueError: It is unknown, or does not have a member.
    """
    types = known[f"{name}_type"].types or {}
    chosen = members.get(f"{name}_type")
    inner = _members(name, members)
    fitting = [short for short in types if all(short in known[member].homes for member in inner)]
    if chosen is None and len(fitting) == 1:
        chosen = fitting[0]
    if chosen is None:
        option = known[f"{name}_type"].option
        raise InvalidValueError(f"{option} is needed: {' or '.join(fitting or types)}.", field=f"{name}_type")
    _check_homes(name, chosen, inner, known)
    return types[chosen]


def _settled(cls: type[Record], given: Mapping[str, Any], current: Record | None = None) -> dict[str, Any]:
    """Return values with texts as a text or a map: which one is decided by another field, of `given` or `current`."""
    settled = dict(given)
    for rule in cls._rules:
        if isinstance(rule, Typed) and isinstance(texts := settled.get(rule.field), Texts):
            other = given.get(rule.by, getattr(current, rule.by, None))
            if getattr(other, "value", other) in rule.values:
                settled[rule.field] = texts.as_(rule.type, rule.field)
    return {name: value.as_(str, name) if isinstance(value, Texts) else value for name, value in settled.items()}


def _check_homes(name: str, chosen: str, members: Mapping[str, Any], known: Mapping[str, Slot]) -> None:
    """Check that all members belong to the type of a nested object."""
    for slot in (known[member] for member in members):
        if slot.homes and chosen not in slot.homes:
            raise InvalidValueError(
                f"{slot.name} needs the {words(name)} type {' or '.join(slot.homes)}, got {chosen}.", field=slot.name
            )


def includes(cls: type[Resource], slots: Sequence[Slot]) -> list[str]:
    """Return the relationships to load, so that a change can be shown from what to what."""
    plain_fields = [slot.field for slot in slots if slot.parent is None and slot.types is None]
    names = {name for field in plain_fields for name in (field.name, field.excludes) if name is not None}
    return sorted(name for name in names if cls._field_map[name].include)


def shown(record: Resource, slot: Slot) -> str:
    """Return the value of a field for a person, with secrets masked; empty if it has none."""
    try:
        holder: Any = getattr(record, slot.parent.name) if slot.parent is not None else record
        value = getattr(holder, slot.field.name, None)
    except NotLoadedError:
        return ""
    if slot.types is not None:
        return next((short for short, cls in slot.types.items() if type(value) is cls), "")
    if value in (None, [], ""):
        return ""
    return MASK if slot.field.secret else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Resource):
        return label(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in cast("list[Any]", value))
    if hasattr(value, "is_known"):
        return word(value)
    return str(plain(value))


def differences(record: Resource, values: Mapping[str, Any], known: Mapping[str, Slot]) -> dict[str, tuple[str, str]]:
    """Assign values to a loaded record and return what they change, from what to what, for a person.

    Raises:
        InvalidValueError: The values do not fit the record.
    """
    names = _affected(values, known)
    before = {name: (shown(record, known[name]), _raw(record, known[name])) for name in names}
    assign(record, values, known)
    check(record, creating=False)
    changed: dict[str, tuple[str, str]] = {}
    for name in names:
        text, raw = before[name]
        after = shown(record, known[name])
        differs = raw != _raw(record, known[name])
        if differs and text == after:
            after = f"{after} (another)"
        changed[name] = (text, after) if differs else (text, text)
    return {name: pair for name, pair in changed.items() if name in values or pair[0] != pair[1]}


def _affected(values: Mapping[str, Any], known: Mapping[str, Slot]) -> list[str]:
    """Return the names of what is set, and of what the client sets with it: a trunk clears the group."""
    names = dict.fromkeys(values)
    for name in values:
        field = known[name].field
        others = {field.excludes} if field.excludes else set[str]()
        if known[name].types is None:
            others |= set(field.effects(values[name]))
        names |= dict.fromkeys(sorted(other for other in others if other in known))
    return list(names)


def _raw(record: Resource, slot: Slot) -> Any:
    """Return the value of a field for a comparison."""
    try:
        holder: Any = getattr(record, slot.parent.name) if slot.parent is not None else record
        value = getattr(holder, slot.field.name, None)
    except NotLoadedError:
        return None
    if slot.types is not None:
        return type(cast("object", value))
    if isinstance(value, Resource):
        return value.id
    if slot.field.kind.name == "many":
        return sorted(str(item.id) for item in cast("list[Any]", value or []))
    return plain(value)
