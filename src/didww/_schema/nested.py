"""Nested objects: typed objects inside an attribute, e.g. the configuration of a trunk."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from didww._schema.fields import attribute
from didww._schema.record import Record, same_content, set_attributes, set_state, stored_attributes
from didww._schema.types import FieldType, register_nested
from didww._util.suggest import did_you_mean
from didww.exceptions import InvalidValueError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww._schema.fields import Field
    from didww._schema.rules import Rule

__all__ = ["Nested", "object_kind"]


class Nested(Record):
    """An object inside an attribute, with a `type` and attributes.

    Objects of the same class with the same content are equal. An object of an unknown type has the class `fallback`:
    its attributes are raw JSON values, and updates send it back unchanged.

    `merges` is True if an update keeps the stored members that it does not contain; otherwise it replaces the object.

    Class keywords:

    Args:
        type: The `type` in documents. Several classes may share a type.
        writable: Whether requests may contain the object.
        rules: Rules between fields. A field that the type always needs is declared `required` instead.
    """

    __slots__ = ("_type",)
    _type_name: ClassVar[str] = ""
    _is_nested = True
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
        """Reject an object of a different type than the stored one that it would be merged into."""
        type_ = stored.get("type")
        if isinstance(type_, str) and type_ != self._type:
            record = field.holder.__name__ if field.holder is not None else "record"
            raise InvalidValueError(
                f"{field.label} must be of type {type_!r:.80}, which cannot be changed, got {self._type!r:.80}. "
                f"Create a new {record} instead.",
                field=field.label,
            )

    def _homes(self, name: str) -> Iterator[str]:
        known = {field.name for field in self._field_map.values()}
        for cls in _with_subclasses(self.fallback) if name not in known and not name.startswith("_") else ():
            if name in cls._field_map and cls._field_map[name].create and cls is not Nested:
                yield cls.__name__

    def _members_to_merge(self, loaded: Any) -> dict[str, Any]:
        """Return the changed members, without those that equal the `loaded` value again."""
        stored = stored_attributes(loaded, self._type) or {}
        return {
            name: raw for name, raw in self._pending().items() if name not in stored or not _same(raw, stored[name])
        }

    def _merged_into(self, loaded: Any, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the known stored object after the service merged `sent` into `loaded`."""
        before = stored_attributes(loaded, self._type)
        if before is None:
            self._own().partial = True
        stored = {**(before or {}), **sent["attributes"]}
        for name, raw in stored.items():
            self._attributes.setdefault(name, copy.deepcopy(raw))
        return {"type": self._type, "attributes": stored}

    def _absent(self, field: Field) -> Any:
        if self._state is not None and self._state.partial:
            raise field.not_loaded("was not loaded: only part of the object was sent. Find the record to load it.")
        return super()._absent(field)

    @property
    def type(self) -> str:
        """The type of the object, e.g. `sip_configurations`."""
        return self._type

    @classmethod
    def _loaded(cls, type_: str, attributes: dict[str, Any]) -> Self:
        nested = cls.__new__(cls)
        _set_type(nested, type_)
        set_attributes(nested, dict(attributes))
        set_state(nested, None)
        return nested

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Create the object from the result of `to_dict()`, as if it were loaded.

        Called on a base class, it returns an object of the subclass for the type in `data`.

        Raises:
            InvalidValueError: `data` has no type and attributes, or has a different type.
        """
        where = f"{cls.__name__}.from_dict"
        type_, attributes = _shape(data, where)
        matching = next((subclass for subclass in _with_subclasses(cls) if subclass._type_name == type_), None)
        if matching is None and cls._type_name:
            raise InvalidValueError(f"{where} expects the type {cls._type_name!r}, got {type_!r:.80}.", field="type")
        return cast("Self", (matching or cls.fallback)._loaded(type_, copy.deepcopy(attributes)))

    def _raw(self) -> dict[str, Any]:
        """Return the object for a request: the type and every writable attribute, changed or not.

        For a trunk configuration that was loaded and changed in place, an update sends only the changed members
        (`_pending` of the record), because the service merges them into the stored ones. Read-only members, unknown
        members (which may be read-only) and a None that only responses may contain are omitted: they would be rejected.
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
        """Return type and all attributes as plain JSON values, including secrets."""
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


def _same(first: Any, second: Any) -> bool:
    """Return whether two raw values are equal in JSON, where 1 is not true."""
    return bool(first == second) and isinstance(first, bool) == isinstance(second, bool)


def _with_subclasses(cls: type[Nested]) -> Iterator[type[Nested]]:
    yield cls
    for subclass in cls.__subclasses__():
        yield from _with_subclasses(subclass)


def _shape(data: Any, where: str) -> tuple[str, dict[str, Any]]:
    """Return the type and the attributes of an object passed as a dict."""
    shape: dict[str, Any] = {**cast("Mapping[str, Any]", data)} if isinstance(data, Mapping) else {}
    type_, attributes = shape.pop("type", None), shape.pop("attributes", {})
    if not isinstance(type_, str) or not isinstance(attributes, dict) or shape:
        keys = (
            f"keys {', '.join(map(repr, cast('Any', data))) or 'none'}"
            if isinstance(data, Mapping)
            else type(data).__name__
        )
        raise InvalidValueError(
            f'{where} expects a dict of type and attributes, {{"type": ..., "attributes": {{...}}}}, got {keys:.100}.',
            field=where,
        )
    return type_, cast("dict[str, Any]", attributes)


def object_kind(classes: tuple[type[Nested], ...]) -> FieldType:
    """Return the field type of an attribute that contains one of `classes`."""
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
        """Return the object for a value, with the same checks for a dict as for its constructor."""
        if not isinstance(value, dict):
            if not isinstance(value, classes) and not (type(value) in (Nested, fallback) and value.type):
                raise InvalidValueError(f"{where} must be {names}, got {type(value).__name__}.", field=where)
            return cast("Nested", value)
        type_, attributes = _shape(value, where)
        if type_ not in known:
            types = " or ".join(repr(name) for name in known)
            hint = did_you_mean(type_, known)
            raise InvalidValueError(f"{where} must have the type {types}, got {type_!r:.80}.{hint}", field=where)
        # If several classes share a type, the attributes determine the class.
        fitting = [cls for cls in known[type_] if attributes.keys() <= cls._field_map.keys()]
        chosen = (fitting or known[type_])[0]
        _check_writable(chosen, where)
        # The `to_dict()` of a loaded object has read-only members: they are omitted, as for the object itself. A member
        # that another class of the same type can write is an error: `qty` beside `available_did_id`.
        named = [cls._field_map[name] for cls in known[type_] for name in attributes if name in cls._field_map]
        read_only = {field.name for field in named} - {field.name for field in named if field.create}
        return chosen(**{str(name): member for name, member in attributes.items() if name not in read_only})

    def _check_writable(cls: type[Nested], where: str) -> None:
        if not cls.writable:
            raise ReadOnlyFieldError(
                f"{where} must be {names}, got {cls.__name__}, which only the service can create.", field=where
            )

    def dump(value: Any, where: str) -> Any:
        nested = object_of(value, where)
        _check_writable(type(nested), where)
        return nested._raw()

    def take(value: Any, where: str) -> Nested:
        nested = object_of(value, where)
        return copy.deepcopy(nested) if nested is value else nested

    return FieldType("object", load=load, dump=dump, accepts=names, mutable=True, take=take, detail=classes)


register_nested(Nested, object_kind)
