"""Records: raw JSON objects with typed Python attributes and change tracking.

A record keeps the raw attributes of the response. Mutable values (lists, nested objects, dicts) are converted once and
compared with the raw ones to find changes. `Resource` (resource.py) adds identity and relationships; `Nested`
(nested.py) is an object inside an attribute, e.g. the configuration of a trunk.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeGuard, TypeVar, cast, dataclass_transform

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
    from didww._schema.nested import Nested
    from didww._schema.rules import Broken, Rule

__all__ = [
    "MISSING",
    "Items",
    "Record",
    "RecordType",
    "inspected",
    "is_nested",
    "same_content",
    "set_attributes",
    "set_state",
    "stored_attributes",
]

T = TypeVar("T")
MISSING: Any = object()

_first_change = Lock()


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(attribute, relationship))
class RecordType(type):
    """Collects the declared fields of a class and keeps its instances free of a `__dict__`."""

    _field_map: dict[str, Field]
    _renamed: dict[str, str]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> RecordType:
        namespace.setdefault("__slots__", ())
        record_class = super().__new__(cls, name, bases, namespace, **options)
        inherited: dict[str, Field] = {}
        for base in reversed(record_class.__mro__[1:]):
            inherited.update(getattr(base, "_field_map", {}))
        for key, field in inherited.items():
            if key in namespace:
                continue
            # Each class gets its own copy of the field, so that messages contain the name of that class.
            setattr(record_class, key, field.for_class(cast("type[Record]", record_class)))
        names = dict.fromkeys([*inherited, *namespace])
        fields = {key: member for key in names if isinstance(member := record_class.__dict__.get(key), Field)}
        for key, field in fields.items():
            if key in namespace and field.place != "meta":
                check_names(field.annotation, record_class.__module__, field.label)
        # `meta` is last, as in documents.
        record_class._field_map = dict(sorted(fields.items(), key=lambda item: item[1].place == "meta"))
        record_class._renamed = {field.member: name for name, field in fields.items() if field.member != name}
        record_class.__annotations__ = Annotations(record_class.__module__, namespace.get("__annotations__", {}))
        return record_class

    @property
    def __signature__(cls) -> Signature:
        """The signature of the constructor: the fields that a create request may contain."""
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
    """The default of constructor keywords: fields that are not passed are not sent."""

    def __repr__(self) -> str:
        return "..."


_LEFT_OUT = _LeftOut()


class _UnreadablePropertyError(InvalidValueError, AttributeError):
    """The error of a property whose record contains an invalid value; to `hasattr` the property does not exist."""


def inspected(make: Callable[[], T]) -> T:
    """Return the result of `make`, for a property.

    Raises:
        InvalidValueError: A list or dict that was changed in place contains an invalid value. The error is also an
            `AttributeError`, so that `hasattr`, `inspect` and mocks skip the property.
    """
    try:
        return make()
    except InvalidValueError as error:
        raise _UnreadablePropertyError(str(error), field=error.field) from None


def same_content(first: Record, second: Record) -> bool:
    """Return whether both records have the same content; invalid values are compared unconverted."""
    contents: list[Any] = []
    for record in (first, second):
        try:
            contents.append(record.to_dict())
        except InvalidValueError:
            contents.append(record._compared())
    return bool(contents[0] == contents[1])


class State(Slotted):
    """The state of a record beyond the loaded data; created on demand, because most records are only read.

    Attributes:
        assigned: Names of assigned fields.
        values: Mutable Python values, by field name.
        linkage: Assigned linkage, by relationship name.
        marker: The `external_reference_id` generated by a create request without one, or None.
        partial: Whether the stored object has members that this object does not know.
        unresolved: The identifier of a create request whose outcome is unknown, or None.
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
    """A list of nested objects, which validates and copies each object when it is added."""

    __slots__ = ("_field",)

    def __init__(self, field: Field, values: Iterable[Any] = ()) -> None:
        super().__init__(values)
        self._field = field

    def _convert(self, values: Iterable[Any]) -> list[Any]:
        kind: FieldType = self._field.kind.detail
        return [kind.keep(value, kind.dump(value, self._field.label), self._field.label) for value in values]

    def append(self, value: Any) -> None:
        super().extend(self._convert([value]))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend(self._convert(values))

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc] # as of any list
        self.extend(values)
        return self

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, self._convert([value])[0])

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, self._convert(value) if isinstance(index, slice) else self._convert([value])[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return _items, (self._field.holder, self._field.name, list(self))


def _items(cls: type[Record], name: str, values: list[Any]) -> Items:
    return Items(cls._field_map[name], values)


class Record(metaclass=RecordType):
    """A raw JSON object with declared fields."""

    __slots__ = ("__weakref__", "_attributes", "_state")
    _field_map: ClassVar[dict[str, Field]] = {}
    _renamed: ClassVar[dict[str, str]] = {}
    """Names of attributes in documents, mapped to those of their fields, where the names differ."""
    _is_nested: ClassVar[bool] = False
    _rules: ClassVar[tuple[Any, ...]] = ()  # `Any`, not `Rule`: type hints are evaluated, and `Rule` is not imported

    if TYPE_CHECKING:  # `attribute` keeps them out of the constructor that type checkers synthesize
        _attributes: dict[str, Any] = attribute("")
        _state: State | None = attribute("")

    def __init__(self, **fields: Any) -> None:
        set_attributes(self, {})
        set_state(self, None)
        self._assign(fields)

    def _assign(self, fields: Mapping[str, Any]) -> None:
        """Set `fields`. Their effects on other fields (`on_set`) do not apply to fields in `fields`."""
        for name, value in fields.items():
            other = self._field_map[name].excludes if name in self._field_map else None
            if other is not None and value is not None and fields.get(other) is not None:
                label = f"{type(self).__name__}.{other}"
                raise InvalidValueError(
                    f"{label} must be None if {name} is set. Set {name} or {other}, not both.", field=label
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
            or f" Fields: {', '.join(self._field_map)}."
        )
        return f"{type(self).__name__} has no field {name!r}.{hint}"

    def _homes(self, name: str) -> Iterator[str]:
        """Yield the nested objects of this record that have a writable field `name`."""
        attributes = [field for field in self._field_map.values() if field.place == "attributes"]
        for field in attributes if not name.startswith("_") else ():
            kind = field.kind.detail if field.kind.name == "list" else field.kind
            for cls in cast("tuple[type[Nested], ...]", kind.detail) if kind.name == "object" else ():
                if name in cls._field_map and cls._field_map[name].create:
                    yield f"{field.name}: {cls.__name__}({name}=...)"

    if not TYPE_CHECKING:  # type checkers must report a misspelled name

        def __setattr__(self, name: str, value: Any) -> None:
            field = self._field_map.get(name)
            member = field or getattr(type(self), name, None)
            if field is not None:
                self._write(field, value)
            elif not isinstance(member, property):
                raise InvalidValueError(self._unknown(name), field=f"{type(self).__name__}.{name}")
            elif member.fset is None:
                raise ReadOnlyFieldError(f"{type(self).__name__}.{name} cannot be set: it is read-only.", field=name)
            else:
                member.fset(self, value)

        def __getattr__(self, name: str) -> Any:
            member = self._field_map.get(name) or getattr(type(self), name, None)
            if isinstance(member, (Field, property)):
                return member.__get__(self)  # raises its AttributeError again, which led here
            if not name.startswith("_"):
                try:
                    return self._attributes[name]
                except KeyError:
                    pass
            raise AttributeError(self._unknown(name), name=name, obj=self)

        @property
        def __dict__(self) -> dict[str, Any]:
            # Used by web frameworks and `json.dumps(record, default=vars)`.
            return inspected(self.to_dict)

        def __dir__(self) -> list[str]:
            return sorted({*dir(type(self)), *self._attributes})

        def __replace__(self, **fields: Any) -> Self:
            record = copy.copy(self)
            record._assign(fields)
            return record

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Return the pydantic schema of a record: serialize with `to_dict()`, validate with `from_dict()`."""
        from pydantic_core import core_schema  # only pydantic calls this

        def validate(value: Any) -> Record:
            return value if isinstance(value, cls) else cls.from_dict(value)

        def serialize(record: Record) -> dict[str, Any]:
            return record.to_dict()

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(serialize)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Return the JSON schema of a record, for OpenAPI documents."""
        return {"type": "object", "title": cls.__name__}

    def _own(self) -> State:
        if self._state is None:
            with _first_change:  # two threads may get here at once; neither may lose its changes
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
        if kind.mutable and value is not raw:  # a raw value that could not be converted is not copied
            return self._own().values.setdefault(name, _held(field, value))
        return value

    def _absent(self, field: Field) -> Any:
        """Return the value of a missing field: a new list or dict, or None."""
        if field.kind.name in ("list", "many", "map") and not field.nullable:
            value: Any = {} if field.kind.name == "map" else []
            return self._own().values.setdefault(field.name, _held(field, value))
        return None

    # Writing

    def _exists(self) -> bool:
        return False

    def _write(self, field: Field, value: Any, together: Container[str] = ()) -> None:
        """Set a field, and apply its effects on other fields except those that are set `together` with it."""
        exists = self._exists()
        if not (field.update if exists else field.create):
            raise field.read_only(exists=exists)
        if field.kind.name == "list" and value is not None:
            value = listed(value, field.label, field.kind.accepts)
        raw = field.dump(value, filling=True)
        state = self._own()
        if is_nested(value) and value.merges and state.values.get(field.name) is value:
            return  # the object tracks its own changes
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

    # Changes and content

    def _pending(self) -> dict[str, Any]:
        """Return the raw values of the attributes that were assigned or changed in place since loading."""
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
                if not assigned and loaded is MISSING and not value and not is_nested(value):
                    continue  # an empty list created by reading
                try:
                    if not assigned and is_nested(value) and value.merges:
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
        """Return the raw values of the changed attributes.

        Raises:
            ReadOnlyFieldError: A read-only list or object was changed in place.
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
        """Check the minimum number of items of all lists to send, including those of nested objects.

        Raises:
            InvalidValueError: A list has too few items.
        """
        for name, raw in changed.items():
            value = self._state.values.get(name) if self._state is not None else None
            if isinstance(raw, list):
                self._field_map[name].check(raw)
            for item in cast("list[Any]", value) if isinstance(value, list) else [value]:
                if is_nested(item):
                    item._check_filled(item._pending())

    def _untouched(self, field: Field, value: Any, loaded: Any) -> bool:
        """Return whether `value` equals the loaded value, even if it is not valid for a request."""
        return field.kind.load is not None and loaded is not MISSING and value == field.kind.load(loaded)

    def _loaded_form(self, field: Field, loaded: Any) -> Any:
        """Return `loaded` in the form that a request would contain if nothing were changed."""
        if loaded is MISSING or loaded is None or field.kind.load is None:
            return loaded
        try:
            return field.dump(field.kind.load(loaded), filling=True)
        except InvalidValueError:  # the loaded value is not valid for a request
            return loaded

    def _missing(self, where: str = "", *, creating: bool = True) -> Iterator[str]:
        """Yield the paths of missing required fields, e.g. `Order.items[0].sku_id`.

        Args:
            where: The path of this record, if it is inside another one.
            creating: Whether it is a create request. An update needs only the fields of objects it replaces as a whole.
        """
        where = where or type(self).__name__
        values = self._state.values if self._state is not None else {}
        linked = self._state.linkage if self._state is not None else {}
        for name, field in self._field_map.items():
            value, place = values.get(name), f"{where}.{name}"
            unset = name in values or self._attributes.get(name) in (None, [])
            if creating and field.required and field.create and value in (None, []) and name not in linked and unset:
                yield place
            elif is_nested(value):
                if creating or (not value.merges and name in self._pending()):
                    yield from value._missing(place)
            elif isinstance(value, list):
                for index, item in enumerate(cast("list[Any]", value)):
                    if is_nested(item):
                        yield from item._missing(f"{place}[{index}]")
        for rule in cast("tuple[Rule, ...]", self._rules) if creating else ():
            if isinstance(rule, OneOf) and rule.lacks(self._known(creating=True)):
                yield " or ".join(f"{where}.{name}" for name in rule.fields)

    def _known(self, *, creating: bool) -> dict[str, Any]:
        """Return the raw values for rules, by name. Unset fields are None on create, and unknown on update."""
        known: dict[str, Any] = dict.fromkeys(self._field_map) if creating else {}
        return {**known, **self._attributes, **self._pending()}

    def _check_rules(
        self, *, creating: bool, where: str = "", whole: bool = False, stored: Mapping[str, Any] | None = None
    ) -> None:
        """Check the rules between fields that the request affects, including those of nested objects.

        Args:
            creating: Whether it is a create request.
            where: The path of this record, if it is inside another one.
            whole: Whether all known fields are sent, not only the changed ones.
            stored: The known stored values that the service merges the request into.

        Raises:
            InvalidValueError: A rule is violated.
        """
        where = where or type(self).__name__
        state = self._state
        if state is None and not creating:
            return
        stored_of = {} if creating or state is None else self._stored_objects(state)
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
                for index, item in enumerate(cast("list[Any]", value)):
                    if is_nested(item):
                        item._check_rules(creating=creating, where=f"{where}.{name}[{index}]", whole=True)
            elif is_nested(value):
                assigned = state is not None and name in state.assigned
                value._check_rules(
                    creating=creating, whole=creating or assigned or not value.merges, stored=stored_of.get(name)
                )

    def _stored_objects(self, state: State) -> dict[str, dict[str, Any] | None]:
        """Return the stored members of the assigned objects that the service merges, by field.

        Raises:
            InvalidValueError: An object has another type than the stored one. Checked first: the rules between fields
                depend on the type.
        """
        found: dict[str, dict[str, Any] | None] = {}
        for name, value in state.values.items():
            before = self._attributes.get(name)
            if is_nested(value) and value.merges and name in state.assigned and isinstance(before, dict):
                found[name] = stored_attributes(before, value.type)
                if found[name] is None:
                    value._check_kind(cast("dict[str, Any]", before), self._field_map[name])
        return found

    def _changed(self) -> set[str]:
        """Return the names of all changed fields."""
        return set(self._pending())

    def _broken(
        self, fault: Broken, known: Mapping[str, Any], where: str, changed: set[str], defaults: Mapping[str, Any]
    ) -> InvalidValueError:
        value = known[fault.field]
        secret = self._field_map[fault.field].secret and value is not None
        shown = "***" if secret else _shown_raw(value)
        # Leaving a field out does not clear its stored value.
        way_out = fault.way_out
        if fault.barred and fault.field not in changed:
            way_out = f"Also set it to {fault.blank}, or change {fault.by}."
        default = " (its default)" if fault.by in defaults else ""
        return InvalidValueError(
            f"{where}.{fault.field} must be {fault.expected}{default}, got {shown}. {way_out}",
            field=f"{where}.{fault.field}",
        )

    def _settle(self, attributes: dict[str, Any]) -> None:
        """Mark the saved `attributes` as loaded. Changes made after the request was sent remain changes."""
        state = self._own()
        for name, raw in attributes.items():
            value = state.values.get(name)
            if is_nested(value) and value.merges and value.type == raw["type"]:
                value._settle(raw["attributes"])
                self._attributes[name] = value._merged_into(self._attributes.get(name), raw)
                state.assigned.discard(name)
            elif name in state.values:
                # Comparing with the saved value shows whether it was changed in place since then.
                self._attributes[name] = raw
                state.assigned.discard(name)
            elif self._attributes.get(name, MISSING) == raw:
                state.assigned.discard(name)

    def _current(self) -> dict[str, Any]:
        """Return a copy of the raw attributes with all changes applied."""
        changed = self._pending()
        state = self._state
        for name in changed if state is not None else ():
            value = state.values.get(name) if state is not None else None
            if is_nested(value) and state is not None and name not in state.assigned:
                changed[name] = value.to_dict()  # an update sends only the changed members
        return copy.deepcopy({**self._attributes, **changed})

    def _compared(self) -> tuple[Any, ...]:
        """Return the content for a comparison if the record contains invalid values."""
        state = self._state or State()
        return self._attributes, state.values, state.linkage

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes as plain JSON values."""
        return self._current()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Create a record from the result of `to_dict()`."""
        record = cls.__new__(cls)
        set_attributes(record, copy.deepcopy(dict(data)))
        set_state(record, None)
        return record

    def _shown(self) -> Iterator[tuple[str, Any]]:
        """Yield the fields for a repr, with secrets masked; None only if it was assigned."""
        values, assigned = (self._state.values, self._state.assigned) if self._state is not None else ({}, ())
        for name, field in self._field_map.items():
            if field.place == "attributes" and (name in values or name in self._attributes):
                value = self._read(field)
                if value is None and name not in assigned:
                    continue
                # An object of an unexpected shape may contain a password anywhere.
                hidden = field.secret or (field.kind.name == "object" and not is_nested(value))
                yield name, _Masked if hidden and value is not None else value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._shown())})"

    def __copy__(self) -> Self:
        # A copy that shared nested values would also share their changes.
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        record = type(self).__new__(type(self))
        memo[id(self)] = record
        record.__setstate__({name: copy.deepcopy(value, memo) for name, value in self.__getstate__().items()})
        return record

    def __getstate__(self) -> dict[str, Any]:
        return {"attributes": self._attributes, "state": self._state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        set_attributes(self, state["attributes"])
        set_state(self, state["state"])

    def __reduce__(self) -> tuple[Any, ...]:
        return _blank, (type(self),), self.__getstate__()


def _shown_raw(value: Any) -> str:
    """Return a raw value, or linkage, for a message."""
    if isinstance(value, list):
        count = len(cast("list[Any]", value))
        return f"{count} item{'' if count == 1 else 's'}"
    return f"{getattr(value, 'id', value)!r:.80}"


def _held(field: Field, value: Any) -> Any:
    """Return a mutable value in the form that a record stores."""
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


def stored_attributes(loaded: Any, type_: str) -> dict[str, Any] | None:
    """Return the attributes of a loaded object if it has the type `type_`; otherwise None."""
    shape = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    stored = shape.get("attributes")
    return cast("dict[str, Any]", stored) if shape.get("type") == type_ and isinstance(stored, dict) else None


def is_nested(value: object) -> TypeGuard[Nested]:
    """Return whether `value` is an object inside an attribute, and not a related resource."""
    return isinstance(value, Record) and value._is_nested
