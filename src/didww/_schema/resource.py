"""Resources: records with an id, relationships, and a place in the graph of a response.

A resource is new (created by its constructor, without an id), built (`build(id)`: only the id is known), loaded (from a
response), a stub (in the linkage of a response, but not included), or a row (of a file, without an id). This determines
which fields can be read and written. Requests are built in `didww._core`.
"""

from __future__ import annotations

import builtins
import copy
import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, Self, TypeAlias, TypeVar, cast

from msgspec import UNSET

from didww._jsonapi.document import Document, Identifier, ResourceObject, resource_object
from didww._jsonapi.encode import RedactedDict
from didww._jsonapi.graph import Graph
from didww._schema.fields import Field, MetaField, attribute
from didww._schema.fields import meta as resource_meta
from didww._schema.meta import Meta
from didww._schema.record import MISSING, Record, inspected, same_content, set_attributes, set_state
from didww._schema.registry import class_named, class_of, singular
from didww._schema.types import listed, register_resource
from didww._schema.versions import EVERY_VERSION, Versions, checked_versions, unsupported
from didww._util.coerce import is_uuid
from didww.exceptions import InvalidValueError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from uuid import UUID

    from didww._jsonapi.document import Data
    from didww._schema.rules import Rule
    from didww._schema.types import Ref
    from didww.version import ApiVersion

__all__ = ["Operation", "Resource", "UnknownResource", "WaitSpec", "load"]

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")

Operation: TypeAlias = Literal["list", "find", "create", "update", "delete"]


class WaitSpec(NamedTuple):
    """The outcomes of a background job of the service, for waiting.

    Attributes:
        field: The status field.
        success: The values that a wait succeeds on by default.
        terminal: The final values.
        blocked: The values that require action by the customer before the job continues.
        reasons: The fields with the reasons for a failure.
    """

    field: str
    success: tuple[str, ...]
    terminal: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class Resource(Record):
    """A resource of the API.

    Class keywords declare the properties of the resource type:

    Args:
        type: Type in documents, and the default path.
        path: Path of the endpoint. Defaults to `type`.
        operations: Documented operations.
        extra_operations: Undocumented operations; the server may reject them.
        filters: Filters that do not belong to a field: value type by name.
        sorts: Sort keys that are not fields.
        includes: Include paths of more than two steps, for completion in editors.
        columns: What a table of such records shows: heading, and path or paths (see `columns`).
        paginated: Whether lists are paginated.
        page_size: Default number of records per page.
        largest_page: Documented maximum number of records per page. The service can allow an account more.
        singleton: Whether there is only one record, found without an id.
        outcome: The outcomes to wait for.
        repeatable: Whether create stores nothing, so that it is safe to retry.
        lookup: Field that identifies a created record, besides an `external_reference_id`: a unique name, or a
            relationship to a record that only one can have.
        marked: Whether create spends money, so that a request without an `external_reference_id` gets a generated one.
        rules: Rules between fields.
        since: First API version that has the resource. Defaults to the oldest.
        until: Last API version that has the resource. Defaults to the newest.
        replacement: What to use after `until`.
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
    _columns: ClassVar[Mapping[str, str | tuple[str, ...]]] = {}
    _versions: ClassVar[Versions] = EVERY_VERSION

    meta = resource_meta(Meta, "Metadata beside the attributes: a mapping, empty if there is none.")

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
        columns: Mapping[str, str | tuple[str, ...]] | None = None,
        since: ApiVersion | None = None,
        until: ApiVersion | None = None,
        replacement: str = "",
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
        cls._columns = columns or {}
        cls._versions = checked_versions(since, until, replacement)

    def __init__(self, **fields: Any) -> None:
        _set_object(self, ResourceObject(self._type_name))
        _set_source(self, "new")
        super().__init__(**fields)

    @classmethod
    def build(cls, id: str | UUID, **fields: Any) -> Self:
        """Create a reference to an existing record by id, without a request: to link to it, or to update it.

        An update sends only `fields` and the fields assigned later. Reading any other field except the id raises
        `NotLoadedError`.

        Args:
            id: The id of the record.
            **fields: Fields to change, as if they were assigned.

        Raises:
            InvalidValueError: `id` is not a valid id (e.g. a country code or a phone number), or a value is invalid.
            ReadOnlyFieldError: A field cannot be changed.

        Example:
            >>> from didww.resources.did import Did
            >>> did = Did.build("8d1a3c5e-0000-4000-8000-000000000001", capacity_limit=5)
            >>> did.description = None
            >>> did.changes
            {'attributes': {'description': None, 'capacity_limit': 5}}
        """
        record = _create(cls, ResourceObject(cls._type_name, checked_id(id, f"{cls.__name__}.build", cls)), "built")
        record._assign(fields)
        return record

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, included: Iterable[Mapping[str, Any]] = ()) -> Self:
        """Create a record from the result of `to_dict()`, as if it were just loaded, without changes.

        Use it in unit tests, and for records stored as JSON. Without an id, the result is a new record whose writable
        fields count as changes.

        Args:
            data: A JSON:API resource object: `type`, `id`, `attributes`, `relationships`, `meta`. Only `id` is required
                for an existing record.
            included: Resource objects for the relationships.

        Raises:
            InvalidValueError: `data` is not a resource object, or has a different type.

        Example:
            >>> from didww.resources.order import Order
            >>> order = Order.from_dict({"id": "8d1a3c5e-0000-4000-8000-000000000001", "attributes": {"amount": "3.5"}})
            >>> order.amount, order.changes
            (Decimal('3.5'), {})
        """
        where = f"{cls.__name__}.from_dict"
        raw, *others = (_object_of(item, cls._type_name if item is data else "", where) for item in (data, *included))
        known = cls if raw.type == cls._type_name else class_of(raw.type) or UnknownResource
        target = cls if issubclass(cls, known) else cast("type[Self]", known)
        if not issubclass(target, cls):
            raise InvalidValueError(f"{where} expects the type {cls._type_name!r}, got {raw.type!r:.80}.", field="type")
        if not raw.id:
            return target._new_from(raw)
        graph = Graph(Document([], others), load)
        record = _create(target, raw, graph)
        graph.nodes.append(record)
        return record

    @classmethod
    def _loader(cls) -> Callable[[ResourceObject, Graph], Resource]:
        """Return a `load` that uses this class for its type, whatever class is registered for it."""
        return partial(_load_as, cls)

    @classmethod
    def _from_row(cls, attributes: dict[str, Any]) -> Self:
        """Create a record without an id from the raw attributes of a row of a file."""
        return _create(cls, ResourceObject(cls._type_name, attributes=attributes), "row")

    @classmethod
    def _to_members(cls, attributes: dict[str, Any]) -> dict[str, Any]:
        """Return raw values by the names that documents have."""
        if not cls._renamed:
            return attributes
        members = RedactedDict(attributes)
        for member, name in cls._renamed.items():
            if name in members:
                members[member] = members.pop(name)
        return members

    def _check_version(self, version: ApiVersion, names: Iterable[str]) -> None:
        """Check that `version` has the fields of a request, and their values.

        Args:
            version: The version of the client.
            names: The names of the fields.

        Raises:
            UnsupportedVersionError: It does not have one of them.
        """
        for name in names:
            field = self._field_map[name]
            if field.versions is not EVERY_VERSION and not field.versions.includes(version):
                raise unsupported(f"{field.label} cannot be sent", field.versions, version, field.label)
            value = self._attributes.get(name)
            since = None if value is None or field.kind.name != "enum" else field.kind.detail._since.get(value)
            if since is not None and version < since:
                what = f"{field.label} cannot be {value!r}"
                raise unsupported(what, Versions(since), version, field.label)

    @classmethod
    def _new_from(cls, raw: ResourceObject) -> Self:
        """Create a new record from `raw`, whose writable attributes and linkage count as changes."""
        record = _create(cls, raw, "new")
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
                    fields[name],
                    [stub(identifier) for identifier in data] if isinstance(data, list) else data and stub(data),
                )
        return record

    @property
    def id(self) -> str:
        """The id of the record, assigned by the server.

        None for a new record. Typed as `str`, because every record from the API has an id.
        """
        return cast("str", self._object.id or None)

    @id.setter
    def id(self, id: str) -> None:
        """Turn a new record into an existing one, like `build`. Assigned fields remain changes."""
        label = f"{type(self).__name__}.id"
        if self._object.id:
            raise ReadOnlyFieldError(
                f"{label} cannot be set: the record already has an id. Use {type(self).__name__}.build(id) instead.",
                field="id",
            )
        self._object.id = checked_id(id, label)
        if self._source == "new":
            _set_source(self, "built")

    @property
    def type(self) -> str:
        """The JSON:API type, e.g. `dids`."""
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
        record = source.resolve(identifier)
        if record is None:
            record = source.remember(identifier, stub(identifier))
        return record

    def _absent(self, field: Field) -> Any:
        if self._source == "new" or not field.readable:
            return super()._absent(field)
        sparse = isinstance(self._source, Graph) and field.member not in self._source.fieldsets.get(
            self.type, (field.member,)
        )
        # A response of a version without the field says nothing about it; otherwise, null members can be missing.
        optional = field.nullable and field.place == "attributes" and field.versions is EVERY_VERSION
        if isinstance(self._source, Graph) and optional and not sparse:
            return None
        raise field.not_loaded(self._why_missing(field))

    def _why_unloaded(self) -> str:
        """Return why a record has no loaded data; empty if it has, or if it is new."""
        if self._source == "built":
            return f"was not loaded: {type(self).__name__}.build() sets only the id. Use find({self.id!r}) to load it."
        if self._source == "stub":
            return (
                f"was not loaded: the response contains only the id of {self.type} {self.id}. Include it, or find it."
            )
        return ""

    def _why_missing(self, field: Field) -> str:
        name = field.name
        if why := self._why_unloaded():
            return why
        if self._source == "row":
            column = name.replace("_", " ").capitalize()
            return f"is not in the file, which has no column {column!r}. See to_dict() for the values that it has."
        source = cast("Graph", self._source)
        if field.member not in source.fieldsets.get(self.type, (field.member,)):
            return f"was not requested: add {name!r} to fields={{{self.type!r}: ...}}."
        if field.place == "relationships":
            if not field.include:
                return "is not in any response: the API accepts it, but does not return it."
            until, replacement = field.versions.until, field.versions.replacement
            if replacement and self._field_map[replacement].member in self._object.attributes:
                return f"is not in the response: {until} is the last version that has it. Use {replacement} instead."
            path = self._include_path(name)
            if replacement:
                later = f" (until API version {until}; later, read {replacement})"
                return f"was not included in the response: add include={path!r} to the call{later}."
            return f"was not included in the response: add include={path!r} to the call.{_limits(field)}"
        return f"is not in the response.{_limits(field)}"

    def _include_path(self, name: str) -> str:
        """Return the include path of the relationship `name` from the primary records."""
        source = self._source
        reached: list[tuple[Resource, str]] = [(node, "") for node in source.nodes] if isinstance(source, Graph) else []
        seen = {node for node, _ in reached}
        for record, path in reached:  # breadth-first: the list grows, and the shortest paths come first
            if record == self:
                return f"{path}{name}"
            for step, linkage in record._object.relationships.items():
                data = linkage.data if linkage.data is not UNSET else None
                for identifier in data if isinstance(data, list) else [data]:
                    related = cast("Graph", source).resolve(identifier) if identifier is not None else None
                    if related is not None and related not in seen:
                        seen.add(related)
                        reached.append((related, f"{path}{step}."))
        return name

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and name in self._object.relationships and name not in self._field_map:
                return self._read_relationship(name)
            return super().__getattr__(name)

    def _unknown(self, name: str) -> str:
        operation = _CALLS.get(name)
        if name == "save":
            operation = "update" if self._exists() else "create"
        if operation not in self._operations | self._extra_operations:
            return super()._unknown(name)
        record = "" if self._singleton else singular(self.type)
        return (
            f"{type(self).__name__} has no {name!r}: records do not send requests. "
            f"Use client.{self._path}().{operation}({record})."
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
            records = listed(value, field.label, field.kind.accepts)
            linkage: Data = [_identifier(field, record) for record in records]
            field.check(linkage, filling=True)
            state.values[name] = records
        elif value is None:
            if not field.clearable:
                raise field.no_none()
            linkage = None
            state.values.pop(name, None)
        elif field.detach_only:
            raise InvalidValueError(
                f"{field.label} must be None (to detach), got {type(value).__name__}. {field.detach_only}",
                field=field.label,
            )
        else:
            linkage = _identifier(field, value)
            state.values[name] = value
        state.linkage[name] = linkage
        state.assigned.add(name)
        if field.excludes is not None and value is not None:
            for changes in (state.values, state.linkage):
                changes.pop(field.excludes, None)
            state.assigned.discard(field.excludes)

    def _pending_relationships(self) -> dict[str, Data]:
        """Return the linkage that was assigned or changed in place since loading.

        A relationship that excludes another one sets it to null, unless it was assigned, too.
        """
        changed: dict[str, Data] = {}
        state = self._state
        if state is None:
            return changed
        for name, field in self._field_map.items():
            if field.place != "relationships":
                continue
            if field.kind.name == "many" and name in state.values:
                current: Data = [
                    _identifier(field, record) for record in listed(state.values[name], field.label, field.kind.accepts)
                ]
                loaded = self._object.relationships.get(name)
                before = loaded.data if loaded is not None else MISSING
                unset = before is MISSING or before is UNSET
                if name in state.assigned or (current != before and not (unset and not current)):
                    field.check(current)
                    changed[name] = current
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
        loaded = {
            name: relationship.data
            for name, relationship in self._object.relationships.items()
            if relationship.data is not UNSET
        }
        return {**known, **loaded, **self._pending_relationships()}

    def _changed(self) -> set[str]:
        return {*super()._changed(), *self._pending_relationships()}

    @property
    def changes(self) -> dict[str, Any]:
        """The changes an update would send: `attributes` (raw values) and `relationships` (linkage), if any."""
        return inspected(self._changes)

    def _changes(self) -> dict[str, Any]:
        from didww._jsonapi.encode import linkage

        changed: dict[str, Any] = {}
        if attributes := self._pending():
            changed["attributes"] = copy.deepcopy(self._to_members(attributes))
        if relationships := self._pending_relationships():
            changed["relationships"] = {name: linkage(data) for name, data in relationships.items()}
        return changed

    def to_dict(self, *, flat: bool = False) -> dict[str, Any]:
        """Return the JSON:API resource object as plain JSON values, with all changes applied.

        Attributes are raw values, including secrets. Relationships are included if their linkage is known.

        Args:
            flat: Return a flat dict instead, as a table row: `id`, attributes, and dotted names for nested values, e.g.
                `configuration.host`, `voice_in_trunk.id` and, if included, `voice_in_trunk.name`. Defaults to False.
        """
        from didww._jsonapi.encode import linkage

        if flat:
            from didww._schema.tables import flat as flattened

            return flattened(self)

        shown: dict[str, Any] = {"type": self.type, "id": self.id, "attributes": self._to_members(self._current())}
        linked: dict[str, Data] = {
            name: relationship.data
            for name, relationship in self._object.relationships.items()
            if relationship.data is not UNSET
        }
        linked.update(self._pending_relationships())
        if linked:
            shown["relationships"] = {name: {"data": linkage(data)} for name, data in linked.items()}
        if self._object.meta is not None:
            shown["meta"] = copy.deepcopy(self._object.meta)
        return shown

    def _included(self, name: str) -> Resource | None:
        """Return the related record of the to-one relationship `name` if it is loaded; otherwise None."""
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
        """Return whether type and id are equal, or the content without an id. Use `to_dict()` to compare content."""
        if not isinstance(other, Resource):
            return NotImplemented
        if self.type != other.type or self.id != other.id:
            return False
        return self is other or bool(self._object.id) or same_content(self, other)

    def __hash__(self) -> int:
        return hash((self.type, self.id))

    def __copy__(self) -> Self:
        # Related records and the response are shared; the content of the record is copied.
        shared: list[Any] = [self._source]
        for value in self._state.values.values() if self._state is not None else ():
            items = cast("list[Any]", value) if isinstance(value, list) else [value]
            shared += [item for item in items if isinstance(item, Resource)]
        return copy.deepcopy(self, {id(item): item for item in shared})

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {**state, "object": self._object, "source": self._source}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        object_ = cast("ResourceObject", state["object"])
        # The raw object and the record share the dict of attributes.
        object_.attributes = self._attributes
        _set_object(self, object_)
        _set_source(self, state["source"])


_set_object = Resource.__dict__["_object"].__set__
_set_source = Resource.__dict__["_source"].__set__
_new: Callable[[type[Resource]], Resource] = object.__new__

# Methods of records in other libraries, and the operation of an accessor that replaces each.
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


register_resource(Resource)


class UnknownResource(Resource):
    """A resource of a type unknown to this SDK version. Attributes are raw JSON values."""


def load(raw: ResourceObject, graph: Graph) -> Resource:
    """Create the resource for `raw`, as part of `graph`."""
    # Inlined instead of calling `_create`, for speed: a response can have a thousand resources.
    cls = class_of(raw.type) or UnknownResource
    if cls._renamed:
        _rename(raw, cls)
    record = _new(cls)
    _set_object(record, raw)
    _set_source(record, graph)
    set_attributes(record, raw.attributes)
    set_state(record, None)
    return record


def _load_as(cls: type[Resource], raw: ResourceObject, graph: Graph) -> Resource:
    # A function of the module, since records keep it: those with a local function could not be pickled.
    return _create(cls, raw, graph) if raw.type == cls._type_name else load(raw, graph)


def stub(identifier: Identifier) -> Resource:
    """Create the resource for `identifier`, without any other data."""
    cls = class_of(identifier.type) or UnknownResource
    return _create(cls, ResourceObject(identifier.type, identifier.id), "stub")


def _rename(raw: ResourceObject, cls: type[Resource]) -> None:
    """Give the attributes of a document the names of their fields."""
    for member, name in cls._renamed.items():
        if member in raw.attributes:
            raw.attributes[name] = raw.attributes.pop(member)


def _limits(field: Field) -> str:
    """Return a sentence with the API versions that have a field; empty if all have it."""
    words = field.versions.in_words()
    return f" It exists {words}." if words else ""


_R = TypeVar("_R", bound=Resource)


def _create(cls: type[_R], raw: ResourceObject, source: Graph | str) -> _R:
    record = cls.__new__(cls)
    _set_object(record, raw)
    _set_source(record, source)
    set_attributes(record, raw.attributes)
    set_state(record, None)
    return record


def checked_id(id: object, where: str, cls: type[Resource] | None = None) -> str:
    """Return `id` as a path segment.

    Args:
        id: The id. The service uses UUIDs; other text is accepted, unless it is clearly something else.
        where: Name of the argument in errors.
        cls: The class of the record, if known.

    Raises:
        InvalidValueError: The id is empty, not text, or contains characters that would change the path; or it is a
            value for another filter of `cls`, such as a country code or a number.
    """
    if is_uuid(id):
        return str(id)
    if not isinstance(id, str):
        raise InvalidValueError(
            f"{where} expects the id of a record as text, got {type(id).__name__}.{data_hint(id)}", field="id"
        )
    if not _ID.fullmatch(id):
        raise InvalidValueError(
            f"{where} expects an id such as 8d1a3c5e-0000-4000-8000-000000000001, got {id[:200]!r}.", field="id"
        )
    if cls is not None and len(id) < 20 and id == id.upper():
        from didww._schema.filter_rules import way_to_id

        if way := way_to_id(cls, id, found_first=True, named=False):
            raise InvalidValueError(
                f"{where} expects an id such as 8d1a3c5e-0000-4000-8000-000000000001, got {id!r}.{way}", field="id"
            )
    return str.__str__(id)  # also for an enum member


def _object_of(data: object, type: str, where: str) -> ResourceObject:
    value: Any = data
    raw = None
    if isinstance(value, Mapping) and "data" not in value:
        raw = resource_object({"type": type, **cast("Mapping[str, Any]", value)})
    if raw is None or not raw.type:
        hint = data_hint(data) or " For a document, pass its `data`."
        actual = builtins.type(data).__name__
        raise InvalidValueError(
            f"{where} expects a resource object as returned by to_dict(), got {actual}.{hint}", field="data"
        )
    raw = copy.deepcopy(raw)
    if cls := class_of(raw.type):
        _rename(raw, cls)
    return raw


def data_hint(value: object) -> str:
    """Return a hint for a response that was passed instead of its record."""
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
        raise InvalidValueError(
            f"{field.label} must be {target!r}, got {type(value).__name__}.{hint}", field=field.label
        )
    if not value._object.id:
        raise InvalidValueError(
            f"{field.label} must be an existing {target!r}, got one without an id. Create it first.", field=field.label
        )
    return Identifier(value.type, value.id)
