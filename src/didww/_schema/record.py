"""Records: a raw JSON object that reads and writes as Python attributes and knows what was changed.

A record keeps the raw attributes as they came. Values that can be changed in place (lists, nested objects, dicts) are
converted once and compared with the raw ones when somebody asks for the changes. `Resource` (resource.py) adds identity
and relationships; `Nested` is an object inside an attribute, e.g. a trunk's configuration.
"""

from __future__ import annotations

import copy
from abc import ABCMeta
from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast, dataclass_transform

from didww._jsonapi.encode import RedactedDict
from didww._schema.annotations import Annotations, check_names
from didww._schema.fields import Field, attribute, relationship
from didww._schema.rules import OneOf
from didww._schema.types import FieldType, listed
from didww._util.coerce import Slotted
from didww._util.suggest import did_you_mean
from didww.exceptions import InvalidValueError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from inspect import Signature

    from didww._jsonapi.document import Data
    from didww._schema.rules import Broken, Rule

__all__ = ["Items", "Meta", "Nested", "Record", "RecordType", "inspected", "object_kind", "same_content"]

T = TypeVar("T")
MISSING: Any = object()

_first_change = Lock()


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(attribute, relationship))
class RecordType(type):
    """Collects the declared fields of a class and keeps its instances free of a `__dict__`."""

    _field_map: dict[str, Field]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> RecordType:
        namespace.setdefault("__slots__", ())
        made = super().__new__(cls, name, bases, namespace, **options)
        inherited: dict[str, Field] = {}
        for base in reversed(made.__mro__[1:]):
            inherited.update(getattr(base, "_field_map", {}))
        for key, field in inherited.items():
            if key in namespace:
                continue
            # A class of its own for each field, so that messages name the class that the caller knows.
            setattr(made, key, field.for_class(cast("type[Record]", made)))
        names = dict.fromkeys([*inherited, *namespace])
        found = {key: member for key in names if isinstance(member := made.__dict__.get(key), Field)}
        for key, field in found.items():
            if key in namespace and field.place != "meta":
                check_names(field.annotation, made.__module__, field.label)
        made._field_map = dict(sorted(found.items(), key=lambda one: one[1].place == "meta"))  # last, as in documents
        made.__annotations__ = Annotations(made.__module__, namespace.get("__annotations__", {}))
        return made

    @property
    def __signature__(cls) -> Signature:
        """What the constructor takes, made when somebody asks: the fields that a request to create may carry."""
        from inspect import Parameter, Signature

        return Signature(
            [
                Parameter(
                    name,
                    Parameter.KEYWORD_ONLY,
                    default=_LEFT_OUT,
                    annotation=field.annotation,
                )
                for name, field in cls._field_map.items()
                if field.create
            ],
            return_annotation=None,
        )


class _LeftOut:
    """The default of every keyword of a constructor: what is not given is not sent."""

    def __repr__(self) -> str:
        return "..."


_LEFT_OUT = _LeftOut()


class _UnreadablePropertyError(InvalidValueError, AttributeError):
    """A property that needs what cannot be sent; for tools that look at all attributes there is none."""


def inspected(make: Callable[[], T]) -> T:
    """What `make` gives, as a property.

    Raises:
        InvalidValueError: A list or dict that was changed in place holds what cannot be sent. It is an
            `AttributeError` too, so that `hasattr`, `inspect` and mocks pass over the property.
    """
    try:
        return make()
    except InvalidValueError as error:
        raise _UnreadablePropertyError(str(error), field=error.field) from None


def same_content(one: Record, other: Record) -> bool:
    """Whether both hold the same; what cannot be sent is compared as it is."""
    held: list[Any] = []
    for record in (one, other):
        try:
            held.append(record.to_dict())
        except InvalidValueError:
            held.append(record._compared())
    return bool(held[0] == held[1])


class State(Slotted):
    """What a record holds beyond what was loaded; made when first needed, since most records are only read.

    Attributes:
        assigned: Names of the fields that were assigned.
        values: Python values that can be changed in place, by field name.
        linkage: Assigned linkage, by relationship name.
        marker: The identifier that a creation gave it because its caller gave none; None if there was none.
        partial: Whether the service holds members that this object does not know.
        unresolved: The identifier under which it may have been created although no response said so; None if that is
            known.
    """

    __slots__ = ("assigned", "linkage", "marker", "partial", "unresolved", "values")

    def __init__(self) -> None:
        self.assigned: set[str] = set()
        self.values: dict[str, Any] = {}
        self.linkage: dict[str, Data] = {}
        self.marker: str | None = None
        self.partial = False
        self.unresolved: str | None = None


class Items(list[Any]):
    """A list of nested objects; each is checked and taken over as it is when it is put in."""

    __slots__ = ("_field",)

    def __init__(self, field: Field, values: Iterable[Any] = ()) -> None:
        super().__init__(values)
        self._field = field

    def _taken(self, values: Iterable[Any]) -> list[Any]:
        kind: FieldType = self._field.kind.detail
        return [kind.keep(one, kind.dump(one, self._field.label), self._field.label) for one in values]

    def append(self, value: Any) -> None:
        super().extend(self._taken([value]))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend(self._taken(values))

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc] # as of any list
        self.extend(values)
        return self

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, self._taken([value])[0])

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, self._taken(value) if isinstance(index, slice) else self._taken([value])[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return _items, (self._field.holder, self._field.name, list(self))


def _items(cls: type[Record], name: str, values: list[Any]) -> Items:
    return Items(cls._field_map[name], values)


class Record(metaclass=RecordType):
    """A raw JSON object with declared fields."""

    __slots__ = ("__weakref__", "_attributes", "_state")
    _field_map: ClassVar[dict[str, Field]] = {}
    _rules: ClassVar[tuple[Any, ...]] = ()  # of `Rule`; type hints are evaluated, and it is no resource class

    if TYPE_CHECKING:  # `attribute` keeps them out of the constructor that checkers make up
        _attributes: dict[str, Any] = attribute("")
        _state: State | None = attribute("")

    def __init__(self, **fields: Any) -> None:
        set_attributes(self, {})
        set_state(self, None)
        self._assign(fields)

    def _assign(self, fields: Mapping[str, Any]) -> None:
        """Set `fields`. What they imply for others holds unless these are among them: what is said outright wins."""
        for name, value in fields.items():
            other = self._field_map[name].excludes if name in self._field_map else None
            if other is not None and value is not None and fields.get(other) is not None:
                label = f"{type(self).__name__}.{other}"
                raise InvalidValueError(
                    f"{label} must be None beside {name}. Set {name} or {other}, not both.", field=label
                )
        for name, value in fields.items():
            field = self._field_map.get(name)
            if field is None:
                setattr(self, name, value)
            else:
                self._write(field, value, fields)

    def _unknown(self, name: str) -> str:
        hint = (
            next((f" It is a field of {home}." for home in self._homes(name)), "")
            or did_you_mean(name, self._field_map)
            or f" Its fields: {', '.join(self._field_map)}."
        )
        return f"{type(self).__name__} has no field {name!r}.{hint}"

    def _homes(self, name: str) -> Iterator[str]:
        """The objects that stand, or can stand, in this record and have a field `name` that may be written."""
        attributes = [field for field in self._field_map.values() if field.place == "attributes"]
        for field in attributes if not name.startswith("_") else ():
            kind = field.kind.detail if field.kind.name == "list" else field.kind
            for cls in cast("tuple[type[Nested], ...]", kind.detail) if kind.name == "object" else ():
                if name in cls._field_map and cls._field_map[name].create:
                    yield f"{field.name}: {cls.__name__}({name}=...)"

    if not TYPE_CHECKING:  # a checker must see a misspelt name as an error

        def __setattr__(self, name: str, value: Any) -> None:
            field = self._field_map.get(name)
            member = field or getattr(type(self), name, None)
            if field is not None:
                self._write(field, value)
            elif not isinstance(member, property):
                raise InvalidValueError(self._unknown(name), field=f"{type(self).__name__}.{name}")
            elif member.fset is None:
                raise ReadOnlyFieldError(f"{type(self).__name__}.{name} cannot be written.", field=name)
            else:
                member.fset(self, value)

        def __getattr__(self, name: str) -> Any:
            member = self._field_map.get(name) or getattr(type(self), name, None)
            if isinstance(member, (Field, property)):
                return member.__get__(self)  # its own AttributeError led here, and is to be seen
            if not name.startswith("_"):
                try:
                    return self._attributes[name]
                except KeyError:
                    pass
            raise AttributeError(self._unknown(name), name=name, obj=self)

        @property
        def __dict__(self) -> dict[str, Any]:
            # Web frameworks and `json.dumps(record, default=vars)` turn objects to JSON by it.
            return inspected(self.to_dict)

        def __dir__(self) -> list[str]:
            return sorted({*dir(type(self)), *self._attributes})

        def __replace__(self, **fields: Any) -> Self:
            twin = copy.copy(self)
            twin._assign(fields)
            return twin

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """What pydantic, and web frameworks on top of it, make of a record: its `to_dict()`, and back."""
        from pydantic_core import core_schema  # nobody else calls this

        def taken(value: Any) -> Record:
            return value if isinstance(value, cls) else cls.from_dict(value)

        def given(record: Record) -> dict[str, Any]:
            return record.to_dict()

        return core_schema.no_info_plain_validator_function(
            taken, serialization=core_schema.plain_serializer_function_ser_schema(given)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """What stands for a record in an OpenAPI document."""
        return {"type": "object", "title": cls.__name__}

    def _own(self) -> State:
        if self._state is None:
            with _first_change:  # two threads may get here at once; none of them shall lose what it changes
                if self._state is None:
                    set_state(self, State())
        return cast("State", self._state)

    # Reading

    def _read(self, field: Field) -> Any:
        name = field.name
        state = self._state
        if state is not None and name in state.values:
            return state.values[name]
        raw = self._attributes.get(name, MISSING)
        if raw is MISSING:
            return self._absent(field)
        if raw is None:
            return None
        kind = field.kind
        if kind.load is None:
            return raw
        value = kind.load(raw)
        if kind.mutable and value is not raw:  # a raw value that could not be converted stays the server's own
            return self._own().values.setdefault(name, _held(field, value))
        return value

    def _absent(self, field: Field) -> Any:
        """What a field reads as that is not there: a new list to fill, or None."""
        if field.kind.name in ("list", "many", "map") and not field.nullable:
            value: Any = {} if field.kind.name == "map" else []
            return self._own().values.setdefault(field.name, _held(field, value))
        return None

    # Writing

    def _exists(self) -> bool:
        return False

    def _write(self, field: Field, value: Any, together: Container[str] = ()) -> None:
        """Set a field, and what follows from it for other fields but those that are set `together` with it."""
        exists = self._exists()
        if not (field.update if exists else field.create):
            raise field.read_only(exists=exists)
        if field.kind.name == "list" and value is not None:
            value = listed(value, field.label, field.kind.accepts)
        raw = field.dump(value, filling=True)
        state = self._own()
        if isinstance(value, Nested) and value.merges and state.values.get(field.name) is value:
            return  # what was changed in it is known already
        if field.kind.mutable and value is not None:
            state.values[field.name] = _held(field, field.kind.keep(value, raw, field.label))
        else:
            state.values.pop(field.name, None)
            self._attributes[field.name] = raw
        state.assigned.add(field.name)
        for name, effect in field.effects(value).items():
            target = self._field_map[name]
            # A new record has no stored relationship to clear.
            idle = target.place == "relationships" and not exists and name not in state.linkage
            if name not in together and not idle:
                self._write(target, effect, together)

    # What to send, and what there is

    def _pending(self) -> dict[str, Any]:
        """Raw values of the attributes that were assigned or changed in place since they were loaded."""
        changed: dict[str, Any] = {}
        state = self._state
        if state is None:
            return changed
        for name, field in self._field_map.items():
            if field.place != "attributes":
                continue
            if name in state.values:
                value, loaded = state.values[name], self._attributes.get(name, MISSING)
                assigned = name in state.assigned
                if not assigned and loaded is MISSING and not value and not isinstance(value, Nested):
                    continue  # an empty list that reading made
                try:
                    if not assigned and isinstance(value, Nested) and value.merges:
                        if inner := value._members_to_merge(loaded):
                            changed[name] = {"type": value.type, "attributes": inner}
                        continue
                    raw = field.dump(value, filling=True)
                except InvalidValueError:
                    if not assigned and self._untouched(field, value, loaded):
                        continue
                    if not (field.update if self._exists() else field.create):
                        raise field.read_only(exists=self._exists()) from None
                    raise
                if assigned or raw != self._loaded_form(field, loaded):
                    changed[name] = raw
            elif name in state.assigned:
                changed[name] = self._attributes[name]
        return changed

    def _to_send(self) -> dict[str, Any]:
        """Raw values of what was changed.

        Raises:
            ReadOnlyFieldError: A list or object that this caller cannot write was changed in place.
        """
        changed = RedactedDict(self._pending())
        exists = self._exists()
        for name in changed:
            field = self._field_map[name]
            if not (field.update if exists else field.create):
                raise field.read_only(exists=exists)
        self._check_filled(changed)
        return changed

    def _check_filled(self, changed: Mapping[str, Any]) -> None:
        """Check that no list that is sent, of nested objects too, has too few items: nothing more is put into it.

        Raises:
            InvalidValueError: One has.
        """
        for name, raw in changed.items():
            value = self._state.values.get(name) if self._state is not None else None
            if isinstance(raw, list):
                self._field_map[name].check(raw)
            for one in cast("list[Any]", value) if isinstance(value, list) else [value]:
                if isinstance(one, Nested):
                    one._check_filled(one._pending())

    def _untouched(self, field: Field, value: Any, loaded: Any) -> bool:
        """Whether `value` is what was loaded, although we would not write such a thing."""
        return field.kind.load is not None and loaded is not MISSING and value == field.kind.load(loaded)

    def _loaded_form(self, field: Field, loaded: Any) -> Any:
        """`loaded` as it would be sent if nothing had been changed."""
        if loaded is MISSING or loaded is None or field.kind.load is None:
            return loaded
        try:
            return field.dump(field.kind.load(loaded), filling=True)
        except InvalidValueError:  # the server's value is one that we would not write
            return loaded

    def _missing(self, where: str = "", *, creating: bool = True) -> Iterator[str]:
        """Places of what a request must carry and does not: `Order.items[0].sku_id`.

        Args:
            where: The place of this record, if it stands inside another one.
            creating: Whether the request creates; an update needs no more than the objects it replaces as a whole.
        """
        where = where or type(self).__name__
        held = self._state.values if self._state is not None else {}
        linked = self._state.linkage if self._state is not None else {}
        for name, field in self._field_map.items():
            value, place = held.get(name), f"{where}.{name}"
            unset = name in held or self._attributes.get(name) in (None, [])
            if creating and field.required and field.create and value in (None, []) and name not in linked and unset:
                yield place
            elif isinstance(value, Nested):
                if creating or (not value.merges and name in self._pending()):
                    yield from value._missing(place)
            elif isinstance(value, list):
                for index, one in enumerate(cast("list[Any]", value)):
                    if isinstance(one, Nested):
                        yield from one._missing(f"{place}[{index}]")
        for rule in cast("tuple[Rule, ...]", self._rules) if creating else ():
            if isinstance(rule, OneOf) and rule.lacks(self._known(creating=True)):
                yield " or ".join(f"{where}.{name}" for name in rule.fields)

    def _known(self, *, creating: bool) -> dict[str, Any]:
        """What rules can judge: raw values by name. What nobody set is None in a creation, and unknown in an update."""
        known: dict[str, Any] = dict.fromkeys(self._field_map) if creating else {}
        return {**known, **self._attributes, **self._pending()}

    def _check_rules(
        self, *, creating: bool, where: str = "", whole: bool = False, stored: Mapping[str, Any] | None = None
    ) -> None:
        """Check the rules between fields, of nested objects too, as far as what is sent has to do with them.

        Args:
            creating: Whether the request creates.
            where: The place of this record, if it stands inside another one.
            whole: Whether all that is known of it is sent, and not what was changed alone.
            stored: What the service merges it with, as far as that is known.

        Raises:
            InvalidValueError: One is not kept.
        """
        where = where or type(self).__name__
        state = self._state
        if state is None and not creating:
            return
        if self._rules:
            known, changed = {**(stored or {}), **self._known(creating=creating)}, self._changed()
            sent = {*changed, *self._attributes} if whole else changed
            defaults = {
                name: field.default
                for name, field in (self._field_map.items() if creating else ())
                if field.default is not None and name not in changed and name not in self._attributes
            }
            for rule in cast("tuple[Rule, ...]", self._rules):
                if not creating and changed.isdisjoint(rule.fields):
                    continue
                for fault in rule.broken(known, defaults):
                    if not fault.barred or not sent.isdisjoint((fault.field, fault.by)):
                        raise self._broken(fault, {**known, **defaults}, where, changed, defaults)
        for name, value in (state.values if state is not None else {}).items():
            if isinstance(value, list):
                for index, one in enumerate(cast("list[Any]", value)):
                    if isinstance(one, Nested):
                        one._check_rules(creating=creating, where=f"{where}.{name}[{index}]", whole=True)
            elif isinstance(value, Nested):
                assigned = state is not None and name in state.assigned
                before = self._attributes.get(name) if assigned and value.merges and not creating else None
                stored = _stored(before, value.type)
                if stored is None and isinstance(before, dict):
                    value._check_kind(cast("dict[str, Any]", before), self._field_map[name])
                value._check_rules(creating=creating, whole=creating or assigned or not value.merges, stored=stored)

    def _changed(self) -> set[str]:
        """The names of all fields that were changed."""
        return set(self._pending())

    def _broken(
        self, fault: Broken, known: Mapping[str, Any], where: str, changed: set[str], defaults: Mapping[str, Any]
    ) -> InvalidValueError:
        value = known[fault.field]
        secret = self._field_map[fault.field].secret and value is not None
        shown = "***" if secret else _shown_raw(value)
        # What is stored does not go away by being left out.
        way_out = fault.way_out
        if fault.barred and fault.field not in changed:
            way_out = f"Set it to {fault.blank} as well, or change {fault.by}."
        default = " (its default)" if fault.by in defaults else ""
        return InvalidValueError(
            f"{where}.{fault.field} must be {fault.expected}{default}, got {shown}. {way_out}",
            field=f"{where}.{fault.field}",
        )

    def _settle(self, attributes: dict[str, Any]) -> None:
        """Take `attributes` as loaded: they have been saved. What was changed since they were sent stays changed."""
        state = self._own()
        for name, raw in attributes.items():
            value = state.values.get(name)
            if isinstance(value, Nested) and value.merges and value.type == raw["type"]:
                value._settle(raw["attributes"])
                self._attributes[name] = value._merged_into(self._attributes.get(name), raw)
                state.assigned.discard(name)
            elif name in state.values:
                # Changed in place or not since then: the comparison with what was saved will tell.
                self._attributes[name] = raw
                state.assigned.discard(name)
            elif self._attributes.get(name, MISSING) == raw:
                state.assigned.discard(name)

    def _current(self) -> dict[str, Any]:
        """Raw attributes with all changes applied; the caller's own."""
        changed = self._pending()
        state = self._state
        for name in changed if state is not None else ():
            value = state.values.get(name) if state is not None else None
            if isinstance(value, Nested) and state is not None and name not in state.assigned:
                changed[name] = value.to_dict()  # an update sends the changed members alone
        return copy.deepcopy({**self._attributes, **changed})

    def _compared(self) -> tuple[Any, ...]:
        """What to compare by if something that it holds cannot be sent."""
        state = self._state or State()
        return self._attributes, state.values, state.linkage

    def to_dict(self) -> dict[str, Any]:
        """All attributes as plain JSON values, as they came."""
        return self._current()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The record that `to_dict()` gave `data` of."""
        made = cls.__new__(cls)
        set_attributes(made, copy.deepcopy(dict(data)))
        set_state(made, None)
        return made

    def _shown(self) -> Iterator[tuple[str, Any]]:
        """Set fields for a repr, secrets masked; None only where it was assigned."""
        held, assigned = (self._state.values, self._state.assigned) if self._state is not None else ({}, ())
        for name, field in self._field_map.items():
            if field.place == "attributes" and (name in held or name in self._attributes):
                value = self._read(field)
                if value is None and name not in assigned:
                    continue
                # What should be an object and came in another shape may hold a password anywhere.
                hidden = field.secret or (field.kind.name == "object" and not isinstance(value, Nested))
                yield name, _Masked if hidden and value is not None else value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._shown())})"

    def __copy__(self) -> Self:
        # A copy that shared nested values would share changes too.
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        made.__setstate__({name: copy.deepcopy(value, memo) for name, value in self.__getstate__().items()})
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {"attributes": self._attributes, "state": self._state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        set_attributes(self, state["attributes"])
        set_state(self, state["state"])

    def __reduce__(self) -> tuple[Any, ...]:
        return _blank, (type(self),), self.__getstate__()


def _shown_raw(value: Any) -> str:
    """A raw value, or linkage, in a message."""
    if isinstance(value, list):
        count = len(cast("list[Any]", value))
        return f"{count} item{'' if count == 1 else 's'}"
    return f"{getattr(value, 'id', value)!r:.80}"


def _held(field: Field, value: Any) -> Any:
    """A value that can be changed in place as a record holds it."""
    kind = field.kind
    return Items(field, value) if kind.name == "list" and kind.detail.take is not None else value


class _MaskedType:
    def __repr__(self) -> str:
        return "'***'"


_Masked = _MaskedType()


def _blank(cls: type[Record]) -> Record:
    return cls.__new__(cls)


# Slots are set through their own descriptors: `__setattr__` is for the fields.
set_attributes = Record.__dict__["_attributes"].__set__
set_state = Record.__dict__["_state"].__set__


class Nested(Record):
    """An object inside an attribute: a `type` that tells its shape, and attributes.

    Equal to another of the same class with the same content. An object of a type that this SDK does not know is of the
    class that the others of its kind name as `fallback`: its attributes read as they came, and it is sent back as it
    came.

    `merges` is whether an update keeps the stored members that it does not carry; else the object is replaced.

    Class keywords say what holds for the object as a whole:

    Args:
        type: Its `type` in documents; several classes may share one, each for a use of its own.
        writable: Whether requests may carry it.
        rules: What holds between its fields. A field that the type always needs is declared `required` instead.
    """

    __slots__ = ("_type",)
    _type_name: ClassVar[str] = ""
    fallback: ClassVar[type[Nested]]
    writable: ClassVar[bool] = True
    merges: ClassVar[bool] = False

    if TYPE_CHECKING:
        _type: str = attribute("")

    def __init__(self, **fields: Any) -> None:
        _set_type(self, type(self)._type_name)
        super().__init__(**fields)

    def __init_subclass__(
        cls, *, type: str = "", writable: bool = True, rules: tuple[Rule, ...] = (), **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        if type:
            cls._type_name = type
        cls.writable = writable
        cls._rules = rules

    def _check_kind(self, stored: Mapping[str, Any], field: Field) -> None:
        """Refuse an object of another type than the one that it would be merged with."""
        type_ = stored.get("type")
        if isinstance(type_, str) and type_ != self._type:
            record = field.holder.__name__ if field.holder is not None else "record"
            raise InvalidValueError(
                f"{field.label} must be of the type {type_!r:.80}, which cannot change, got {self._type!r:.80}. "
                f"Create another {record} with it.",
                field=field.label,
            )

    def _homes(self, name: str) -> Iterator[str]:
        known = {field.name for field in self._field_map.values()}
        for cls in _with_subclasses(self.fallback) if name not in known and not name.startswith("_") else ():
            if name in cls._field_map and cls._field_map[name].create and cls is not Nested:
                yield cls.__name__

    def _members_to_merge(self, loaded: Any) -> dict[str, Any]:
        """The members that were changed, without those that became what was `loaded` again."""
        stored = _stored(loaded, self._type) or {}
        return {
            name: raw for name, raw in self._pending().items() if name not in stored or not _same(raw, stored[name])
        }

    def _merged_into(self, loaded: Any, sent: Mapping[str, Any]) -> dict[str, Any]:
        """What the service holds after it merged `sent` with what was `loaded`, as far as that is known."""
        before = _stored(loaded, self._type)
        if before is None:
            self._own().partial = True
        stored = {**(before or {}), **sent["attributes"]}
        for name, raw in stored.items():
            self._attributes.setdefault(name, copy.deepcopy(raw))
        return {"type": self._type, "attributes": stored}

    def _absent(self, field: Field) -> Any:
        if self._state is not None and self._state.partial:
            raise field.not_loaded("was not loaded: only a part of it was sent. Find the record to load it.")
        return super()._absent(field)

    @property
    def type(self) -> str:
        """The type that tells the shape, e.g. `sip_configurations`."""
        return self._type

    @classmethod
    def _loaded(cls, type_: str, attributes: dict[str, Any]) -> Self:
        made = cls.__new__(cls)
        _set_type(made, type_)
        set_attributes(made, dict(attributes))
        set_state(made, None)
        return made

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The object that `to_dict()` gave `data` of, as if it had been loaded.

        A base class gives an object of the class that `data` is of.

        Raises:
            InvalidValueError: `data` has no type and attributes, or is of another type.
        """
        where = f"{cls.__name__}.from_dict"
        type_, attributes = _shape(data, where)
        found = next((one for one in _with_subclasses(cls) if one._type_name == type_), None)
        if found is None and cls._type_name:
            raise InvalidValueError(f"{where} takes the type {cls._type_name!r}, not {type_!r:.80}.", field="type")
        return cast("Self", (found or cls.fallback)._loaded(type_, copy.deepcopy(attributes)))

    def _raw(self) -> dict[str, Any]:
        """What is sent: the type and every attribute that may be written, changed or not.

        Of a trunk's configuration that was loaded and changed in place, an update sends the changed members alone
        (`_pending` of its record): the service merges them with the stored ones. Read-only members would be refused,
        and unknown ones may be read-only; so would a None that only responses may hold.
        """
        current = self._current()
        if self._type == type(self)._type_name:
            fields = self._field_map
            current = {
                name: raw
                for name, raw in current.items()
                if name in fields and fields[name].create and (raw is not None or fields[name].clearable)
            }
        return {"type": self._type, "attributes": current}

    def to_dict(self) -> dict[str, Any]:
        """Type and all attributes as plain JSON values, secrets included."""
        return {"type": self._type, "attributes": self._current()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Nested):
            return NotImplemented
        return type(self) is type(other) and same_content(self, other)

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] # mutable, equal by content

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "type": self._type}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        _set_type(self, state["type"])


_set_type = Nested.__dict__["_type"].__set__
Nested.fallback = Nested


def _stored(loaded: Any, type_: str) -> dict[str, Any] | None:
    """The attributes of a loaded object, if it is of that type."""
    shape = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    stored = shape.get("attributes")
    return cast("dict[str, Any]", stored) if shape.get("type") == type_ and isinstance(stored, dict) else None


def _same(one: Any, other: Any) -> bool:
    """Whether two raw values are one in JSON, where 1 is not true."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _with_subclasses(cls: type[Nested]) -> Iterator[type[Nested]]:
    yield cls
    for one in cls.__subclasses__():
        yield from _with_subclasses(one)


def _shape(data: Any, where: str) -> tuple[str, dict[str, Any]]:
    """The type and the attributes of an object that is written as a dict."""
    shape: dict[str, Any] = {**cast("Mapping[str, Any]", data)} if isinstance(data, Mapping) else {}
    type_, attributes = shape.pop("type", None), shape.pop("attributes", {})
    if not isinstance(type_, str) or not isinstance(attributes, dict) or shape:
        raise InvalidValueError(
            f'{where} takes an object as a dict of its type and attributes: {{"type": ..., "attributes": {{...}}}}.',
            field=where,
        )
    return type_, cast("dict[str, Any]", attributes)


def object_kind(classes: tuple[type[Nested], ...]) -> FieldType:
    """The kind of an attribute that holds one of `classes`."""
    known: dict[str, list[type[Nested]]] = {}
    for cls in classes:
        known.setdefault(cls._type_name, []).append(cls)
    names = " or ".join(cls.__name__ for cls in classes if cls.writable)
    fallback = classes[0].fallback

    def load(raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        shape = cast("dict[str, Any]", raw)
        type_, attributes = shape.get("type"), shape.get("attributes")
        if not isinstance(type_, str) or not isinstance(attributes, dict):
            return copy.deepcopy(shape)
        return known.get(type_, [fallback])[0]._loaded(type_, cast("dict[str, Any]", attributes))

    def object_of(value: Any, where: str) -> Nested:
        """The object that is written as a dict, with the same checks as one that is made by its class."""
        if not isinstance(value, dict):
            if not isinstance(value, classes) and not (type(value) in (Nested, fallback) and value.type):
                raise InvalidValueError(f"{where} takes {names}, not {type(value).__name__}.", field=where)
            return cast("Nested", value)
        type_, attributes = _shape(value, where)
        if type_ not in known:
            types = " or ".join(repr(one) for one in known)
            hint = did_you_mean(type_, known)
            raise InvalidValueError(f"{where} takes the types {types}, not {type_!r:.80}.{hint}", field=where)
        # Where several classes share a type, the attributes tell which one is meant.
        fitting = [cls for cls in known[type_] if attributes.keys() <= cls._field_map.keys()]
        made = (fitting or known[type_])[0]
        _check_writable(made, where)
        # What `to_dict()` gives of a loaded object has members that the service makes: they are left out, as of the
        # object. One that another class of the type can write is a mistake: `qty` beside `available_did_id`.
        named = [cls._field_map[name] for cls in known[type_] for name in attributes if name in cls._field_map]
        read_only = {field.name for field in named} - {field.name for field in named if field.create}
        return made(**{str(name): one for name, one in attributes.items() if name not in read_only})

    def _check_writable(cls: type[Nested], where: str) -> None:
        if not cls.writable:
            raise ReadOnlyFieldError(
                f"{where}: {cls.__name__} is made by the service and cannot be sent; use {names}.", field=where
            )

    def dump(value: Any, where: str) -> Any:
        made = object_of(value, where)
        _check_writable(type(made), where)
        return made._raw()

    def take(value: Any, where: str) -> Nested:
        made = object_of(value, where)
        return copy.deepcopy(made) if made is value else made

    return FieldType("object", load=load, dump=dump, accepts=names, mutable=True, take=take, detail=classes)


class Meta(Record):
    """A resource's `meta` object: facts that come beside the attributes, read only.

    What is declared reads as typed attributes. It is a mapping, too, of all members as they came.

    Example:
        >>> meta = Meta.from_dict({"setup_price": "1.5"})
        >>> meta["setup_price"], meta.get("monthly_price"), "setup_price" in meta
        ('1.5', None, True)
    """

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        made = cls.__new__(cls)
        set_attributes(made, raw)
        set_state(made, None)
        return made

    def __getitem__(self, name: str) -> Any:
        return self._attributes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the raw member `name`, or `default` if there is none."""
        return self._attributes.get(name, default)

    def keys(self) -> KeysView[str]:
        """The names of all members."""
        return self._attributes.keys()

    def values(self) -> ValuesView[Any]:
        """All members as they came."""
        return self._attributes.values()

    def items(self) -> ItemsView[str, Any]:
        """The names of all members, with what came."""
        return self._attributes.items()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return dict(self._attributes) == dict(cast("Mapping[str, Any]", other))

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] # equal by content

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield from super()._shown()
        yield from ((name, value) for name, value in self._attributes.items() if name not in self._field_map)


ABCMeta.register(cast("ABCMeta", Mapping), Meta)  # not a base: metaclasses do not mix
