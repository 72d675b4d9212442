"""Resources: records with an id, relationships, and a place in a response's graph.

A resource is new (made by its constructor, no id), built (`build(id)`: the id and nothing else), loaded (from an
response), or a stub (named by a response's linkage, but not in the response). What can be read and written follows from
that. Requests are built elsewhere (`didww._core`).
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, TypeAlias, TypeVar, cast

from msgspec import UNSET

from didww._jsonapi.document import Document, Identifier, ResourceObject, resource_object
from didww._jsonapi.graph import Graph
from didww._schema.fields import Field, MetaField, attribute
from didww._schema.fields import meta as resource_meta
from didww._schema.record import MISSING, Meta, Record, inspected, same_content, set_attributes, set_state
from didww._schema.registry import class_named, class_of, singular
from didww._schema.types import listed
from didww._util.coerce import is_uuid
from didww.exceptions import InvalidValueError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from uuid import UUID

    from didww._jsonapi.document import Data
    from didww._schema.rules import Rule
    from didww._schema.types import Ref

__all__ = ["Operation", "Resource", "UnknownResource", "WaitSpec", "load"]

Operation: TypeAlias = Literal["list", "find", "create", "update", "delete"]


class WaitSpec(NamedTuple):
    """What a background job of the service comes to, so that it can be waited for.

    Attributes:
        field: The field that tells.
        success: Its values that a wait is for by default.
        terminal: Its values after which nothing else comes.
        blocked: Its values at which nothing goes on by itself: somebody has to act first.
        reasons: The fields that say why it came to a bad end.
    """

    field: str
    success: tuple[str, ...]
    terminal: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class Resource(Record):
    """A resource of the API.

    Class keywords say what the contract says of the type as a whole:

    Args:
        type: Type in documents; also the path unless `path` says otherwise.
        operations: What the contract offers.
        extra_operations: What callers asked for beyond it; the server decides.
        filters: Filters that are not at a field: their type, by name.
        sorts: Sort keys that are no field.
        includes: Include paths of more than two steps that editors complete.
        paginated: Whether its list comes in pages.
        page_size: Records in a page unless a request says otherwise.
        largest_page: Most records in a page, as documented; the service can allow an account more.
        singleton: Whether there is just one, found without an id.
        outcome: What it can be waited for.
        repeatable: Whether creating it stores nothing, so that it can be sent twice.
        lookup: What one that was just created is found by, beside the `external_reference_id` that a caller gave: a
            name that the service keeps unique, or a relationship to something that only one can have.
        marked: Whether creating it spends money, so that a request without an `external_reference_id` is given one.
        rules: What holds between its fields.
    """

    __slots__ = ("_object", "_source")

    _type_name: ClassVar[str] = ""
    _path: ClassVar[str] = ""
    _operations: ClassVar[frozenset[Operation]] = frozenset()
    _extra_operations: ClassVar[frozenset[Operation]] = frozenset()
    _paginated: ClassVar[bool] = True
    _page_size: ClassVar[int] = 50
    _largest_page: ClassVar[int] = 100
    _singleton: ClassVar[bool] = False
    _outcome: ClassVar[WaitSpec | None] = None
    _repeatable: ClassVar[bool] = False
    _lookup: ClassVar[str | None] = None
    _marked: ClassVar[bool] = False
    _filters: ClassVar[Mapping[str, Any]] = {}
    _sorts: ClassVar[tuple[str, ...]] = ()
    _includes: ClassVar[tuple[str, ...]] = ()

    meta = resource_meta(Meta, "What came beside the attributes: a mapping, empty if there is nothing.")

    if TYPE_CHECKING:
        _object: ResourceObject = attribute("")
        _source: Graph | str = attribute("")

    def __init_subclass__(
        cls,
        *,
        type: str = "",
        path: str = "",
        operations: Iterable[Operation] = (),
        extra_operations: Iterable[Operation] = (),
        paginated: bool = True,
        page_size: int = 50,
        largest_page: int = 100,
        singleton: bool = False,
        outcome: WaitSpec | None = None,
        repeatable: bool = False,
        lookup: str | None = None,
        marked: bool = False,
        rules: tuple[Rule, ...] = (),
        filters: Mapping[str, Any] | None = None,
        sorts: tuple[str, ...] = (),
        includes: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        super().__init_subclass__(**options)
        cls._type_name = type
        cls._path = path or type
        cls._operations = frozenset(operations)
        cls._extra_operations = frozenset(extra_operations)
        cls._paginated = paginated
        cls._page_size = page_size
        cls._largest_page = largest_page
        cls._singleton = singleton
        cls._outcome = outcome
        cls._repeatable = repeatable
        cls._lookup = lookup
        cls._marked = marked
        cls._rules = rules
        cls._filters = filters or {}
        cls._sorts = sorts
        cls._includes = includes

    def __init__(self, **fields: Any) -> None:
        _set_object(self, ResourceObject(self._type_name))
        _set_source(self, "new")
        super().__init__(**fields)

    @classmethod
    def build(cls, id: str | UUID, **fields: Any) -> Self:
        """This resource by its id alone, without asking the server: to link to it, or to update it.

        Only the `fields` given, and what is assigned to it afterwards, is sent by an update. Reading anything else but
        the id raises.

        Args:
            id: The resource's id.
            **fields: Fields to change, each as if it were assigned.

        Raises:
            InvalidValueError: `id` is no usable id (a country's code, a phone number), or a field cannot be changed.

        Example:
            >>> from didww.resources.did import Did
            >>> did = Did.build("8d1a3c5e-0000-4000-8000-000000000001", capacity_limit=5)
            >>> did.description = None
            >>> did.changes
            {'attributes': {'description': None, 'capacity_limit': 5}}
        """
        built = _made(cls, ResourceObject(cls._type_name, checked_id(id, f"{cls.__name__}.build", cls)), "built")
        built._assign(fields)
        return built

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, included: Iterable[Mapping[str, Any]] = ()) -> Self:
        """The record that `to_dict()` gave `data` of, as if it had just been loaded: nothing of it is a change.

        For unit tests, and for records that were kept as JSON. Without an id it is a new record, and what may be
        written is still to be sent.

        Args:
            data: A resource object as JSON:API has it: `type`, `id`, `attributes`, `relationships`, `meta`; all but the
                id may be left out.
            included: Resource objects that its relationships lead to.

        Raises:
            InvalidValueError: `data` is no resource object, or of another type.

        Example:
            >>> from didww.resources.order import Order
            >>> order = Order.from_dict({"id": "8d1a3c5e-0000-4000-8000-000000000001", "attributes": {"amount": "3.5"}})
            >>> order.amount, order.changes
            (Decimal('3.5'), {})
        """
        where = f"{cls.__name__}.from_dict"
        raw, *others = (_object_of(one, cls._type_name if one is data else "", where) for one in (data, *included))
        found = class_of(raw.type) or UnknownResource
        target = cls if issubclass(cls, found) else cast("type[Self]", found)
        if not issubclass(target, cls):
            raise InvalidValueError(f"{where} takes the type {cls._type_name!r}, not {raw.type!r:.80}.", field="type")
        if not raw.id:
            return target._new_from(raw)
        graph = Graph(Document([], others), load)
        record = _made(target, raw, graph)
        graph.nodes.append(record)
        return record

    @classmethod
    def _new_from(cls, raw: ResourceObject) -> Self:
        """A new record with the attributes and the linkage of `raw`, of which all that may be written is a change."""
        record = _made(cls, raw, "new")
        fields = cls._field_map
        record._own().assigned.update(
            name
            for name, value in raw.attributes.items()
            if name in fields and fields[name].create and (value is not None or fields[name].clearable)
        )
        for name, linkage in raw.relationships.items():
            if name in fields and fields[name].create and linkage.data is not UNSET:
                data = linkage.data
                record._write(
                    fields[name], [stub(one) for one in data] if isinstance(data, list) else data and stub(data)
                )
        return record

    @property
    def id(self) -> str:
        """The server's id of it.

        None while the record is new. Typed as `str`, since every record from the service has one.
        """
        return cast("str", self._object.id or None)

    @id.setter
    def id(self, id: str) -> None:
        """Make a new record one that exists, as `build` does; what was assigned to it remains a change."""
        label = f"{type(self).__name__}.id"
        if self._object.id:
            raise ReadOnlyFieldError(
                f"{label} cannot be written: the record has one. For another one: {type(self).__name__}.build(id).",
                field="id",
            )
        self._object.id = checked_id(id, label)
        if self._source == "new":
            _set_source(self, "built")

    @property
    def type(self) -> str:
        """Its type in documents, e.g. `dids`."""
        return self._object.type

    # Reading

    def _read(self, field: Field) -> Any:
        if field.place == "attributes":
            return super()._read(field)
        if field.place == "meta":
            return self._read_meta(cast("MetaField[Any]", field))
        return self._read_relationship(field.name, field)

    def _read_meta(self, field: MetaField[Any]) -> Any:
        if self._object.meta is None and (why := self._why_unloaded()):
            raise field.not_loaded(why)
        return self._own().values.setdefault(field.name, field.cls._of(self._object.meta or {}))

    def _read_relationship(self, name: str, field: Field | None = None) -> Any:
        state = self._state
        if state is not None and name in state.values:
            return state.values[name]
        if state is not None and name in state.linkage:
            data = state.linkage[name]
        elif state is not None and field is not None and state.linkage.get(field.excludes or "") is not None:
            data = None
        else:
            linkage = self._object.relationships.get(name)
            if linkage is None or linkage.data is UNSET:
                if field is None:
                    path = self._include_path(name)
                    raise Field("relationships", "").not_loaded(f"{name} was not included: add include={path!r}.")
                return self._absent(field)
            data = linkage.data
        if isinstance(data, list):
            return self._own().values.setdefault(name, [self._resolve(identifier) for identifier in data])
        return None if data is None else self._resolve(data)

    def _resolve(self, identifier: Identifier) -> Any:
        source = self._source
        if not isinstance(source, Graph):
            return stub(identifier)
        found = source.resolve(identifier)
        if found is None:
            found = source.remember(identifier, stub(identifier))
        return found

    def _absent(self, field: Field) -> Any:
        if self._source == "new" or not field.readable:
            return super()._absent(field)
        sparse = isinstance(self._source, Graph) and field.name not in self._source.fieldsets.get(
            self.type, (field.name,)
        )
        if isinstance(self._source, Graph) and field.place == "attributes" and field.nullable and not sparse:
            return None
        raise field.not_loaded(self._why_missing(field))

    def _why_unloaded(self) -> str:
        """Why a record has nothing that was loaded; empty if it has, or is new."""
        if self._source == "built":
            return f"was not loaded: {type(self).__name__}.build() knows the id only. Use find({self.id!r}) to load it."
        if self._source == "stub":
            return f"was not loaded: the response names {self.type} {self.id} without fields. Include it, or find it."
        return ""

    def _why_missing(self, field: Field) -> str:
        name = field.name
        if why := self._why_unloaded():
            return why
        source = cast("Graph", self._source)
        if name not in source.fieldsets.get(self.type, (name,)):
            return f"was not asked for: add {name!r} to fields={{{self.type!r}: ...}}."
        if field.place == "relationships":
            if not field.include:
                return "is in no response: the API takes it, and does not give it back."
            path = self._include_path(name)
            return (
                f"was not included in the response: add include={path!r} to the call (None would mean: there is none)."
            )
        return "is not in the response of the server."

    def _include_path(self, name: str) -> str:
        """The relationship `name` as a path from the records that were requested."""
        source = self._source
        reached: list[tuple[Resource, str]] = [(node, "") for node in source.nodes] if isinstance(source, Graph) else []
        seen = {node for node, _ in reached}
        for record, path in reached:  # grows; the shortest paths come first
            if record == self:
                return f"{path}{name}"
            for step, linkage in record._object.relationships.items():
                data = linkage.data if linkage.data is not UNSET else None
                for one in data if isinstance(data, list) else [data]:
                    found = cast("Graph", source).resolve(one) if one is not None else None
                    if found is not None and found not in seen:
                        seen.add(found)
                        reached.append((found, f"{path}{step}."))
        return name

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and name in self._object.relationships and name not in self._field_map:
                return self._read_relationship(name)
            return super().__getattr__(name)

    def _unknown(self, name: str) -> str:
        wanted = _CALLS.get(name)
        if name == "save":
            wanted = "update" if self._exists() else "create"
        if wanted not in self._operations | self._extra_operations:
            return super()._unknown(name)
        record = "" if self._singleton else singular(self.type)
        return (
            f"{type(self).__name__} has no {name!r}: a record sends nothing by itself. "
            f"Use client.{self._path}().{wanted}({record})."
        )

    # Writing

    def _exists(self) -> bool:
        return self._source != "new"

    def _write(self, field: Field, value: Any, together: Container[str] = ()) -> None:
        if field.place != "relationships":
            if field.place == "meta":
                raise field.read_only(exists=self._exists())
            super()._write(field, value, together)
            return
        exists = self._exists()
        if not (field.update if exists else field.create):
            raise field.read_only(exists=exists)
        name = field.name
        state = self._own()
        if field.kind.name == "many":
            ones = listed(value, field.label, field.kind.accepts)
            linkage: Data = [_identifier(field, one) for one in ones]
            field.check(linkage, filling=True)
            state.values[name] = ones
        elif value is None:
            if not field.clearable:
                raise field.no_none()
            linkage = None
            state.values.pop(name, None)
        elif field.detach_only:
            raise InvalidValueError(
                f"{field.label} must be None, which detaches it, got {type(value).__name__}. {field.detach_only}",
                field=field.label,
            )
        else:
            linkage = _identifier(field, value)
            state.values[name] = value
        state.linkage[name] = linkage
        state.assigned.add(name)
        if field.excludes is not None and value is not None:
            for held in (state.values, state.linkage):
                held.pop(field.excludes, None)
            state.assigned.discard(field.excludes)

    def _pending_relationships(self) -> dict[str, Data]:
        """Linkage that was assigned, or changed in place, since the resource was loaded.

        What excludes another that was not assigned itself sets that to null.
        """
        changed: dict[str, Data] = {}
        state = self._state
        if state is None:
            return changed
        for name, field in self._field_map.items():
            if field.place != "relationships":
                continue
            if field.kind.name == "many" and name in state.values:
                now: Data = [
                    _identifier(field, one) for one in listed(state.values[name], field.label, field.kind.accepts)
                ]
                loaded = self._object.relationships.get(name)
                before = loaded.data if loaded is not None else MISSING
                unset = before is MISSING or before is UNSET
                if name in state.assigned or (now != before and not (unset and not now)):
                    field.check(now)
                    changed[name] = now
            elif name in state.assigned:
                changed[name] = state.linkage[name]
                if field.excludes is not None and changed[name] is not None:
                    changed[field.excludes] = None
        return changed

    def _settle(self, attributes: dict[str, Any], relationships: dict[str, Data] | None = None) -> None:
        from didww._jsonapi.document import Linkage

        state = self._own()
        for name, data in (relationships or {}).items():
            self._object.relationships[name] = Linkage(data)
            if isinstance(data, list) or state.linkage.get(name, data) == data:
                state.assigned.discard(name)
                state.linkage.pop(name, None)
        super()._settle(attributes)

    def _known(self, *, creating: bool) -> dict[str, Any]:
        known = super()._known(creating=creating)
        loaded = {name: one.data for name, one in self._object.relationships.items() if one.data is not UNSET}
        return {**known, **loaded, **self._pending_relationships()}

    def _changed(self) -> set[str]:
        return {*super()._changed(), *self._pending_relationships()}

    @property
    def changes(self) -> dict[str, Any]:
        """What an update would send: `attributes` (raw values) and `relationships` (linkage), each only if any."""
        return inspected(self._changes)

    def _changes(self) -> dict[str, Any]:
        from didww._jsonapi.encode import linkage

        changed: dict[str, Any] = {}
        if attributes := self._pending():
            changed["attributes"] = copy.deepcopy(attributes)
        if relationships := self._pending_relationships():
            changed["relationships"] = {name: linkage(data) for name, data in relationships.items()}
        return changed

    def to_dict(self, *, flat: bool = False) -> dict[str, Any]:
        """Return the resource object as plain JSON values, with all changes applied.

        Attributes have the values of the wire, secrets included; relationships whose linkage is known follow.

        Args:
            flat: Return one level instead, as a row of a table: `id`, the attributes, and dotted names for what is
                nested, e.g. `configuration.host`, `voice_in_trunk.id` and, if it was included, `voice_in_trunk.name`.
        """
        from didww._jsonapi.encode import linkage

        if flat:
            from didww._schema.tables import flat as flattened

            return flattened(self)

        shown: dict[str, Any] = {"type": self.type, "id": self.id, "attributes": self._current()}
        linked: dict[str, Data] = {
            name: one.data for name, one in self._object.relationships.items() if one.data is not UNSET
        }
        linked.update(self._pending_relationships())
        if linked:
            shown["relationships"] = {name: {"data": linkage(data)} for name, data in linked.items()}
        if self._object.meta is not None:
            shown["meta"] = copy.deepcopy(self._object.meta)
        return shown

    def _included(self, name: str) -> Resource | None:
        """Return the record that the to-one relationship `name` leads to, if its content is here."""
        linkage = self._object.relationships.get(name)
        changed = self._state is not None and (name in self._state.values or name in self._state.linkage)
        if not changed and (linkage is None or linkage.data is UNSET):
            return None
        related = self._read_relationship(name, self._field_map.get(name))
        return related if isinstance(related, Resource) and related._source != "stub" else None

    def _repr_html_(self) -> str:
        from didww._schema.tables import html_table

        return html_table([self])

    def __repr__(self) -> str:
        shown = [f"id={self.id!r}"] if self.id else []
        shown += [f"{name}={value!r}" for name, value in self._shown()]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        """Equal if type and id are; resources without an id if their content is. Compare `to_dict()` for content."""
        if not isinstance(other, Resource):
            return NotImplemented
        if self.type != other.type or self.id != other.id:
            return False
        return self is other or bool(self._object.id) or same_content(self, other)

    def __hash__(self) -> int:
        return hash((self.type, self.id))

    def __copy__(self) -> Self:
        # What it is linked to, and the response it came in, are shared; what it holds itself is not.
        shared: list[Any] = [self._source]
        for value in self._state.values.values() if self._state is not None else ():
            ones = cast("list[Any]", value) if isinstance(value, list) else [value]
            shared += [one for one in ones if isinstance(one, Resource)]
        return copy.deepcopy(self, {id(one): one for one in shared})

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {**state, "object": self._object, "source": self._source}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        object_ = cast("ResourceObject", state["object"])
        # The attributes of the raw object are the record's own dict.
        object_.attributes = self._attributes
        _set_object(self, object_)
        _set_source(self, state["source"])


_set_object = Resource.__dict__["_object"].__set__
_set_source = Resource.__dict__["_source"].__set__
_new: Callable[[type[Resource]], Resource] = object.__new__

# What records of other libraries are told to do, and the operation of an accessor that does it.
_CALLS: dict[str, Operation] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "destroy": "delete",
    "remove": "delete",
    "find": "find",
    "refresh": "find",
    "reload": "find",
}


class UnknownResource(Resource):
    """A resource of a type that this SDK does not know; attributes and relationships read as they came."""


def load(raw: ResourceObject, graph: Graph) -> Resource:
    """The resource for `raw`, as part of `graph`."""
    # Written out instead of calling `_made`: a response has a thousand of these.
    made = _new(class_of(raw.type) or UnknownResource)
    _set_object(made, raw)
    _set_source(made, graph)
    set_attributes(made, raw.attributes)
    set_state(made, None)
    return made


def stub(identifier: Identifier) -> Resource:
    """The resource meant by `identifier`, of which nothing else is known."""
    cls = class_of(identifier.type) or UnknownResource
    return _made(cls, ResourceObject(identifier.type, identifier.id), "stub")


_R = TypeVar("_R", bound=Resource)


def _made(cls: type[_R], raw: ResourceObject, source: Graph | str) -> _R:
    made = cls.__new__(cls)
    _set_object(made, raw)
    _set_source(made, source)
    set_attributes(made, raw.attributes)
    set_state(made, None)
    return made


def checked_id(id: object, where: str, cls: type[Resource] | None = None) -> str:
    """`id` as one segment of a path.

    Args:
        id: The id. Those of the service are UUIDs; shorter text is an id too, unless it is plainly something else.
        where: Names it in an error.
        cls: The class of the record, if it is known.

    Raises:
        InvalidValueError: It is empty, no text, or holds characters that would change the path; or it is what another
            filter of `cls` finds: a country's code, a number.
    """
    if is_uuid(id):
        return str(id)
    if not isinstance(id, str):
        raise InvalidValueError(
            f"{where} takes the id of a record as text, not {type(id).__name__}.{data_hint(id)}", field="id"
        )
    if not id or len(id) > 200 or not all((part.isalnum() and part.isascii()) or part in "-_" for part in id):
        raise InvalidValueError(
            f"{where} takes an id such as 8d1a3c5e-0000-4000-8000-000000000001, not {id[:200]!r}.", field="id"
        )
    if cls is not None and len(id) < 20 and id == id.upper():
        from didww._schema.filter_rules import way_to_id

        if way := way_to_id(cls, id, found_first=True, named=False):
            raise InvalidValueError(
                f"{where} takes an id such as 8d1a3c5e-0000-4000-8000-000000000001, not {id!r}.{way}", field="id"
            )
    return str.__str__(id)  # of an enum's member, too


def _object_of(data: object, type: str, where: str) -> ResourceObject:
    given: Any = data
    found = None
    if isinstance(given, Mapping) and "data" not in given:
        found = resource_object({"type": type, **cast("Mapping[str, Any]", given)})
    if found is None or not found.type:
        hint = data_hint(data) or " Of a document, give its `data`."
        shown = builtins.type(data).__name__
        raise InvalidValueError(
            f"{where} takes a resource object, such as to_dict() gives, not {shown}.{hint}", field="data"
        )
    return copy.deepcopy(found)


def data_hint(value: object) -> str:
    """The way out for those who forgot that a response holds the record."""
    return " Did you mean its .data?" if type(value).__name__ == "ApiResponse" else ""


def _identifier(field: Field, value: Any) -> Identifier:
    target: Ref = field.kind.detail
    classes: tuple[type[Resource], ...] = tuple(class_named(name) for name in target.names)
    if not isinstance(value, classes):
        hint = data_hint(value)
        if isinstance(value, str):
            like_id = len(value) == 36 and value.count("-") == 4
            hint = (
                f" Use {target.names[0]}.build({value!r})."
                if like_id
                else f" Find it first, or use {target.names[0]}.build(id)."
            )
        raise InvalidValueError(f"{field.label} takes {target!r}, not {type(value).__name__}.{hint}", field=field.label)
    if not value._object.id:
        raise InvalidValueError(
            f"{field.label} takes {target!r} that exists; this one has no id yet. Create it first.", field=field.label
        )
    return Identifier(value.type, value.id)
