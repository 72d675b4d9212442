"""Records: a raw JSON object that reads and writes as Python attributes and knows what was changed.

A record keeps the raw attributes as they came. Values that can be changed in place (lists, nested objects, dicts) are
converted once and compared with the raw ones when somebody asks for the changes. `Resource` (base.py) adds identity
and relationships; `Nested` is an object inside an attribute, e.g. a trunk's configuration.
"""

from __future__ import annotations

import copy
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, dataclass_transform

from didww.exceptions import InvalidValue, ReadOnlyFieldError
from didww.jsonapi.encode import Veiled
from didww.plain import Slotted
from didww.resources.fields import Field, attribute, meta, relationship
from didww.resources.kinds import Kind, listed
from didww.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from inspect import Signature

    from didww.jsonapi.document import Data

__all__ = ["Meta", "Nested", "Record", "RecordType", "object_kind"]

MISSING: Any = object()

_first_change = Lock()


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(attribute, relationship, meta))
class RecordType(type):
    """Collects the declared fields of a class and keeps its instances free of a `__dict__`."""

    _fields: dict[str, Field]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> RecordType:  # noqa: D102 a class statement calls it
        namespace.setdefault("__slots__", ())
        made = super().__new__(cls, name, bases, namespace, **options)
        inherited: dict[str, Field] = {}
        for base in reversed(made.__mro__[1:]):
            inherited.update(getattr(base, "_fields", {}))
        for key, field in inherited.items():
            if key in namespace:
                continue
            # A class of its own for each field, so that messages name the class that the caller knows.
            setattr(made, key, field.for_class(cast("type[Record]", made)))
        names = dict.fromkeys([*inherited, *namespace])
        found = {key: made.__dict__.get(key) for key in names}
        made._fields = {key: member for key, member in found.items() if isinstance(member, Field)}
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
                    annotation=cast("type", field.owner).__annotations__[name],
                )
                for name, field in cls._fields.items()
                if field.create
            ],
            return_annotation=None,
        )


class _LeftOut:
    """The default of every keyword of a constructor: what is not given is not sent."""

    def __repr__(self) -> str:
        return "..."


_LEFT_OUT = _LeftOut()


class State(Slotted):
    """What a record holds beyond what was loaded; made when first needed, since most records are only read.

    Attributes:
        assigned: Names of the fields that were assigned.
        values: Python values that can be changed in place, by field name.
        linkage: Assigned linkage, by relationship name.
    """

    __slots__ = ("assigned", "linkage", "values")

    def __init__(self) -> None:
        self.assigned: set[str] = set()
        self.values: dict[str, Any] = {}
        self.linkage: dict[str, Data] = {}


class Record(metaclass=RecordType):
    """A raw JSON object with declared fields."""

    __slots__ = ("_attributes", "_state")
    _fields: ClassVar[dict[str, Field]] = {}

    if TYPE_CHECKING:  # `attribute` keeps them out of the constructor that checkers make up
        _attributes: dict[str, Any] = attribute("")
        _state: State | None = attribute("")

    def __init__(self, **fields: Any) -> None:
        set_attributes(self, {})
        set_state(self, None)
        # Fields that imply others go first, so that what is said outright wins.
        for name in sorted(fields, key=self._implies_none):
            setattr(self, name, fields[name])

    def _implies_none(self, name: str) -> bool:
        field = self._fields.get(name)
        return field is None or field.implies is None

    def _unknown(self, name: str) -> str:
        hint = did_you_mean(name, self._fields) or f" Its fields: {', '.join(self._fields)}."
        return f"{type(self).__name__} has no field {name!r}.{hint}"

    if not TYPE_CHECKING:  # a checker must see a misspelt name as an error

        def __setattr__(self, name: str, value: Any) -> None:
            field = self._fields.get(name)
            if field is None:
                if isinstance(getattr(type(self), name, None), property):
                    raise ReadOnlyFieldError(f"{type(self).__name__}.{name} cannot be written.", field=name)
                raise InvalidValue(self._unknown(name), field=f"{type(self).__name__}.{name}")
            self._write(field, value)

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_"):
                try:
                    return self._attributes[name]
                except KeyError:
                    pass
            raise AttributeError(self._unknown(name), name=name, obj=self)

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
            return self._own().values.setdefault(name, value)
        return value

    def _absent(self, field: Field) -> Any:
        """What a field reads as that is not there: a new list to fill, or None."""
        if field.kind.name in ("list", "many", "map") and not field.nullable:
            value: Any = {} if field.kind.name == "map" else []
            return self._own().values.setdefault(field.name, value)
        return None

    # Writing

    def _exists(self) -> bool:
        return False

    def _write(self, field: Field, value: Any) -> None:
        exists = self._exists()
        if not (field.update if exists else field.create):
            raise field.read_only(exists=exists)
        if field.kind.name == "list" and value is not None:
            value = listed(value, field.label, field.kind.accepts)
        raw = field.dump(value)
        state = self._own()
        if field.kind.mutable and value is not None:
            state.values[field.name] = field.kind.keep(value, raw)
        else:
            state.values.pop(field.name, None)
            self._attributes[field.name] = raw
        state.assigned.add(field.name)
        if field.implies is not None:
            for name, implied in field.implies.get(value, {}).items():
                setattr(self, name, implied)

    # What to send, and what there is

    def _pending(self) -> dict[str, Any]:
        """Raw values of the attributes that were assigned or changed in place since they were loaded."""
        changed: dict[str, Any] = {}
        state = self._state
        if state is None:
            return changed
        for name, field in self._fields.items():
            if field.place != "attributes":
                continue
            if name in state.values:
                loaded = self._attributes.get(name, MISSING)
                try:
                    raw = field.dump(state.values[name])
                except InvalidValue:
                    if name not in state.assigned and self._untouched(field, state.values[name], loaded):
                        continue
                    raise
                empty = loaded is MISSING and not raw
                if name in state.assigned or (raw != self._loaded_form(field, loaded) and not empty):
                    changed[name] = raw
            elif name in state.assigned:
                changed[name] = self._attributes[name]
        return changed

    def _to_send(self) -> dict[str, Any]:
        """Raw values of what was changed.

        Raises:
            ReadOnlyFieldError: A list or object that this caller cannot write was changed in place.
        """
        changed = Veiled(self._pending())
        exists = self._exists()
        for name in changed:
            field = self._fields[name]
            if not (field.update if exists else field.create):
                raise field.read_only(exists=exists)
        return changed

    def _untouched(self, field: Field, value: Any, loaded: Any) -> bool:
        """Whether `value` is what was loaded, although we would not write such a thing."""
        return field.kind.load is not None and loaded is not MISSING and value == field.kind.load(loaded)

    def _loaded_form(self, field: Field, loaded: Any) -> Any:
        """`loaded` as it would be sent if nothing had been changed."""
        if loaded is MISSING or loaded is None or field.kind.load is None:
            return loaded
        try:
            return field.dump(field.kind.load(loaded))
        except InvalidValue:  # the server's value is one that we would not write
            return loaded

    def _missing(self, where: str = "") -> Iterator[str]:
        """Places of what a request to create must carry and does not: `Order.items[0].qty`.

        Args:
            where: The place of this record, if it stands inside another one.
        """
        where = where or type(self).__name__
        held = self._state.values if self._state is not None else {}
        linked = self._state.linkage if self._state is not None else {}
        for name, field in self._fields.items():
            value, place = held.get(name), f"{where}.{name}"
            unset = name in held or name not in self._attributes
            if field.required and field.create and value in (None, []) and name not in linked and unset:
                yield place
            elif isinstance(value, Nested):
                yield from value._missing(place)
            elif isinstance(value, list):
                for index, one in enumerate(cast("list[Any]", value)):
                    if isinstance(one, Nested):
                        yield from one._missing(f"{place}[{index}]")

    def _settle(self, attributes: dict[str, Any]) -> None:
        """Take `attributes` as loaded: they have been saved. What was changed since they were sent stays changed."""
        state = self._own()
        for name, raw in attributes.items():
            if name in state.values:
                # Changed in place or not since then: the comparison with what was saved will tell.
                self._attributes[name] = raw
                state.assigned.discard(name)
            elif self._attributes.get(name, MISSING) == raw:
                state.assigned.discard(name)

    def _current(self) -> dict[str, Any]:
        """Raw attributes with all changes applied; the caller's own."""
        return copy.deepcopy({**self._attributes, **self._pending()})

    def _shown(self) -> Iterator[tuple[str, Any]]:
        """Set fields for a repr, secrets masked; None only where it was assigned."""
        held, assigned = (self._state.values, self._state.assigned) if self._state is not None else ({}, ())
        for name, field in self._fields.items():
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

    Equal to another of the same class with the same content. An object of a type that this SDK does not know is a
    plain `Nested`: its attributes read as they came, and it is sent back as it came.

    Class keywords say what holds for the object as a whole:

    Args:
        type: Its `type` in documents; several classes may share one, each for a use of its own.
        writable: Whether requests may carry it.
        needs: What this use of the type needs: of each group of fields, one at least. A field that the type itself
            requires is declared `required` instead.
    """

    __slots__ = ("_held", "_type")
    type_: ClassVar[str] = ""
    writable: ClassVar[bool] = True
    needs: ClassVar[tuple[tuple[str, ...], ...]] = ()

    if TYPE_CHECKING:
        _type: str = attribute("")
        _held: bool = attribute("")

    def __init__(self, **fields: Any) -> None:
        _set_type(self, type(self).type_)
        _set_held(self, False)
        super().__init__(**fields)

    def __init_subclass__(
        cls, *, type: str = "", writable: bool = True, needs: tuple[tuple[str, ...], ...] = (), **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        if type:
            cls.type_ = type
        cls.writable = writable
        cls.needs = needs

    def _missing(self, where: str = "") -> Iterator[str]:
        yield from super()._missing(where)
        for group in self.needs:
            if all(self._attributes.get(name) is None for name in group):
                yield f"{where or type(self).__name__}.{group[0]}"

    @property
    def type(self) -> str:
        """The type that tells the shape, e.g. `sip_configurations`."""
        return self._type

    @classmethod
    def _loaded(cls, type_: str, attributes: dict[str, Any]) -> Self:
        made = cls.__new__(cls)
        _set_type(made, type_)
        _set_held(made, True)
        set_attributes(made, dict(attributes))
        set_state(made, None)
        return made

    def _taken(self) -> Self:
        """This object for a record that it is assigned to; a copy if another one holds it already.

        Shared, a change for one record would be sent for the other as well, and reroute its calls.
        """
        if self._held:
            return copy.copy(self)
        _set_held(self, True)
        return self

    def _raw(self) -> dict[str, Any]:
        """What is sent: the type and every attribute that may be written, changed or not.

        The service replaces such an object as a whole (contract; DIDWW's own notes say it merges): sending all that
        was loaded means the same either way. Read-only members would be refused, and unknown ones may be read-only.
        """
        current = self._current()
        if type(self) is not Nested:
            fields = self._fields
            current = {name: raw for name, raw in current.items() if name in fields and fields[name].create}
        return {"type": self._type, "attributes": current}

    def to_dict(self) -> dict[str, Any]:
        """Type and all attributes as plain JSON values, secrets included."""
        return {"type": self._type, "attributes": self._current()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Nested):
            return NotImplemented
        return type(self) is type(other) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] # mutable, equal by content

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "type": self._type, "held": self._held}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        _set_type(self, state["type"])
        _set_held(self, state["held"])


_set_type = Nested.__dict__["_type"].__set__
_set_held = Nested.__dict__["_held"].__set__


def object_kind(classes: tuple[type[Nested], ...]) -> Kind:
    """The kind of an attribute that holds one of `classes`."""
    known: dict[str, type[Nested]] = {}
    for cls in classes:
        known.setdefault(cls.type_, cls)
    names = " or ".join(cls.__name__ for cls in classes if cls.writable)

    def load(raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        shape = cast("dict[str, Any]", raw)
        type_, attributes = shape.get("type"), shape.get("attributes")
        if not isinstance(type_, str) or not isinstance(attributes, dict):
            return copy.deepcopy(shape)
        return known.get(type_, Nested)._loaded(type_, cast("dict[str, Any]", attributes))

    def dump(value: Any, where: str) -> Any:
        if not isinstance(value, (*classes, Nested)):
            raise InvalidValue(f"{where} takes {names}, not {type(value).__name__}.", field=where)
        if type(value) is not Nested and not isinstance(value, classes):
            raise InvalidValue(f"{where} takes {names}, not {type(value).__name__}.", field=where)
        if not value.writable:
            raise ReadOnlyFieldError(
                f"{where}: {type(value).__name__} is made by the service and cannot be sent; use {names}.", field=where
            )
        return value._raw()

    return Kind("object", load=load, dump=dump, accepts=names, mutable=True, detail=classes)


class Meta(Record):
    """A resource's `meta` object: facts that come beside the attributes, read only."""

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        made = cls.__new__(cls)
        set_attributes(made, raw)
        set_state(made, None)
        return made

    def to_dict(self) -> dict[str, Any]:
        """The members as they came."""
        return copy.deepcopy(self._attributes)
