"""Tables of the store, derived from the declarations: one table per type, one column per value.

A table has the members of all API versions. A `View` is what one version shows of it.

A to-one relationship is a column with the target's id (plus one with its type, if polymorphic). A to-many relationship
is the inverse to-one where there is exactly one, else rows of the table `links`.
"""

from __future__ import annotations

from functools import cache, cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from didww._core.filters import kind_behind
from didww._schema.filter_rules import (
    FilterRule,
    filter_rules,
    filter_versions,
    includes,
    sort_keys,
    sort_versions,
)
from didww._schema.registry import class_named, class_of
from didww.emulator.engine import overrides

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww._schema.fields import Field
    from didww._schema.resource import Resource
    from didww._schema.versions import Versions
    from didww.emulator.engine.store import Record

__all__ = ["JSON_KINDS", "Column", "Referrer", "Relation", "Table", "View", "referrers", "table_of"]

JSON_KINDS = frozenset({"list", "object", "map"})
_NUMBER_KINDS = frozenset({"integer", "boolean"})
_decode = msgspec.json.decode
_encode = msgspec.json.encode


class Column(NamedTuple):
    """A column: name, declared kind of value, and whether it is nullable."""

    name: str
    kind: str
    nullable: bool = True

    @property
    def definition(self) -> str:
        """The column definition of a CREATE TABLE statement."""
        return f'"{self.name}" {"INTEGER" if self.kind in _NUMBER_KINDS else "TEXT"}'


class Relation:
    """A relationship. Its targets are resolved lazily, since that imports the other types' modules.

    Attributes:
        name: Name of the relationship.
        many: Whether it is to-many.
        nullable: Whether a to-one can be null.
        polymorphic: Whether it can have targets of several types.
    """

    def __init__(self, source: str, field: Field | None, *, hidden: tuple[str, str] | None = None) -> None:
        self._source = source
        self._types = () if hidden is None else (hidden[1],)
        self._classes: tuple[str, ...] = () if field is None else field.kind.detail.names
        self.name = "" if hidden is None else hidden[0]
        self.many = False
        self.nullable = True
        self.polymorphic = len(self._classes) > 1
        if field is not None:
            self.name, self.many, self.nullable = field.name, field.kind.name == "many", field.nullable

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The target types."""
        return self._types or tuple(class_named(name)._type_name for name in self._classes)

    @cached_property
    def inverse(self) -> str | None:
        """The inverse to-one of a to-many, if there is exactly one."""
        linked = (self._source, self.name) in overrides.LINKED
        other = class_of(self.targets[0]) if self.many and not linked else None
        back = (
            []
            if other is None
            else [name for name, one in _to_one_relations(other).items() if self._source in one.targets]
        )
        return back[0] if len(back) == 1 else None


class Referrer(NamedTuple):
    """A to-one relationship of another type that points to a type."""

    type: str
    column: str
    polymorphic: bool
    nullable: bool


class Table:
    """The table of one type, and its query parameters."""

    def __init__(self, cls: type[Resource]) -> None:
        self.cls = cls
        self.type = cls._type_name
        self.path = cls._path
        self.shared = self.type in overrides.SHARED
        self.paginated = cls._paginated
        fields = cls._field_map.values()
        self.attribute_fields: list[Field] = [field for field in fields if field.place == "attributes"]
        hidden = {name for type, name in overrides.NOT_SHOWN if type == self.type}
        shown = [field.name for field in self.attribute_fields if field.readable and field.name not in hidden]
        silent = [field.name for field in self.attribute_fields if field.name not in shown]
        by_name = {field.name: field for field in self.attribute_fields}
        self.attributes: tuple[str, ...] = tuple(shown)
        self.relations: dict[str, Relation] = {
            field.name: Relation(self.type, field) for field in fields if field.place == "relationships"
        }
        # Relationships in responses can be included, and the reverse. Others are only stored, such as files of proofs.
        self.includable = frozenset(includes(cls))
        self.visible_relations: tuple[str, ...] = tuple(name for name in self.relations if name in self.includable)
        self.ones: dict[str, Relation] = _to_one_relations(cls)
        columns = [Column(name, by_name[name].kind.name, by_name[name].nullable) for name in (*shown, *silent)]
        for name, one in self.ones.items():
            columns.append(Column(name, "one", one.nullable))
            if one.polymorphic:
                columns.append(Column(f"{name}_type", "text", one.nullable))
        columns += [
            Column(name, kind)
            for name, kind in overrides.HIDDEN.get(self.type, {}).items()
            if not kind.startswith("one:")
        ]
        columns.append(Column("private", "map"))
        self.columns: tuple[Column, ...] = tuple(columns)
        self.by_name: dict[str, Column] = {column.name: column for column in columns}
        # A row is the id followed by the columns.
        self.place: dict[str, int] = {column.name: n for n, column in enumerate(columns, start=1)}
        self._booleans = [column.name for column in columns if column.kind == "boolean"]
        self._documents = [column.name for column in columns if column.kind in JSON_KINDS]
        self._views: dict[str | None, View] = {}
        self._names = ("id", *(column.name for column in columns))
        self.selected = ", ".join(f'"{name}"' for name in self._names)
        places = ", ".join("?" * (len(columns) + 2))
        self.insert = f'INSERT INTO "{self.type}" (owner, {self.selected}) VALUES ({places})'  # noqa: S608 declared names

    @cached_property
    def filters(self) -> dict[str, FilterRule]:
        """The filters of the list, with their rules; without those that only the client implements."""
        return {name: rule for name, rule in filter_rules(self.cls).items() if rule.detour is None}

    @cached_property
    def sorts(self) -> frozenset[str]:
        """The sort keys of the list, without a minus."""
        return frozenset(name.removeprefix("-") for name in sort_keys(self.cls))

    def known_values(self, name: str) -> frozenset[str] | None:
        """Return the valid values of a filter, if others are an error; None if others match nothing.

        The service validates feature names in filters that must match all listed values.
        """
        kind = kind_behind(self.cls, name) if self.filters[name].every else None
        return None if kind is None else frozenset(member.value for member in kind.detail)

    @property
    def statements(self) -> list[str]:
        """The statements that create the table and its indexes."""
        lines = ["rowid INTEGER PRIMARY KEY", "owner INTEGER", "id TEXT NOT NULL UNIQUE"]
        lines += [column.definition for column in self.columns]
        statements = [f'CREATE TABLE IF NOT EXISTS "{self.type}" ({", ".join(lines)})']
        for name, columns, _ in self._indexes:
            statements.append(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{self.type}" ({columns})')
        return statements

    @property
    def additions(self) -> dict[str, str]:
        """By column, the statement that adds it to an existing table."""
        return {column.name: f'ALTER TABLE "{self.type}" ADD COLUMN {column.definition}' for column in self.columns}

    @property
    def statistics(self) -> list[tuple[str, str, str]]:
        """Rows of sqlite_stat1 (rows per value), which SQLite would misjudge for the owner column."""
        statistics = [(self.type, f"sqlite_autoindex_{self.type}_1", "100000 1")]
        return statistics + [(self.type, name, numbers) for name, _, numbers in self._indexes]

    @property
    def _indexes(self) -> list[tuple[str, str, str]]:
        """Name, columns and statistics of each index."""
        indexes = [] if self.shared else [(f"{self.type}_owner", "owner", "100000 10000")]
        for column in self.columns:
            if self._indexed(column):
                name = f"{self.type}_{column.name}"
                same = 2000 if column.kind == "enum" else 20
                if self.shared:
                    indexes.append((name, f'"{column.name}"', f"100000 {same}"))
                else:
                    indexes.append((name, f'owner, "{column.name}"', f"100000 10000 {same}"))
        return indexes

    def _indexed(self, column: Column) -> bool:
        """Return whether the column needs an index: links, selective filters, and times."""
        if self.shared:  # a few thousand rows, inserted in bulk: an index would cost more than it saves
            return column.kind == "one" and column.name in overrides.HIDDEN.get(self.type, {})
        if column.name == overrides.IN_ORDER.get(self.type):
            return True
        return column.kind == "one" or (column.kind in ("text", "enum") and column.name in self.filters)

    def record(self, row: tuple[Any, ...]) -> Record:
        """Return a row as a record: plain JSON values by name."""
        record: Record = dict(zip(self._names, row, strict=True))
        for name in self._booleans:
            if record[name] is not None:
                record[name] = bool(record[name])
        for name in self._documents:
            if record[name] is not None:
                record[name] = _decode(record[name])
        if record["private"] is None:
            record["private"] = {}
        return record

    def row(self, record: Record) -> tuple[Any, ...]:
        """Return a record as a row, as if it were stored."""
        return (record["id"], *(self.to_column(column.name, record.get(column.name)) for column in self.columns))

    def view(self, version: str | None) -> View:
        """Return what an API version shows of the table; None for all members of all versions."""
        view = self._views.get(version)
        if view is None:
            view = self._views[version] = View(self, version)
        return view

    def to_column(self, name: str, value: Any) -> Any:
        """Return a value as stored in its column.

        Raises:
            KeyError: The table has no such column.
        """
        kind = self.by_name[name].kind
        if value is None:
            return None
        if kind in JSON_KINDS:
            return _encode(value).decode()
        return value


class View:
    """What an API version shows of a table, and accepts for it.

    Attributes:
        exists: Whether the version has the type.
        fields: The fields, by their names in documents.
        attributes: Names of the attributes in documents, each with the name of its column.
        relations: Names of the relationships in documents.
        includable: The relationships that can be included.
        filters: The filters of a list, with their rules.
        sorts: The sort keys of a list, without a minus.
    """

    def __init__(self, table: Table, version: str | None) -> None:
        def has(versions: Versions) -> bool:
            return version is None or versions.includes(version)

        cls = table.cls
        fields = {name: field for name, field in cls._field_map.items() if has(field.versions)}
        self.exists = has(cls._versions)
        self.fields: dict[str, Field] = {field.member: field for field in fields.values()}
        self.attributes = {fields[name].member: name for name in table.attributes if name in fields}
        self.relations = tuple(name for name in table.visible_relations if name in fields)
        self.includable = table.includable.intersection(fields)
        limited, sorts = filter_versions(cls), sort_versions(cls)
        self.filters: Mapping[str, FilterRule] = {
            name: rule for name, rule in table.filters.items() if name not in limited or has(limited[name])
        }
        self.sorts = frozenset(name for name in table.sorts if name not in sorts or has(sorts[name]))
        kinds = {column.name: column.kind for column in table.columns}
        self._booleans = [member for member, name in self.attributes.items() if kinds[name] == "boolean"]
        self._documents = [member for member, name in self.attributes.items() if kinds[name] in JSON_KINDS]
        self._names = tuple(self.attributes)
        places = [table.place[name] for name in self.attributes.values()]
        adjacent = places == list(range(places[0], places[-1] + 1)) if places else True
        whole = slice(places[0], places[-1] + 1) if places else slice(0)
        self._values: Callable[[tuple[Any, ...]], tuple[Any, ...]] = itemgetter(*([whole] if adjacent else places))

    def to_attributes(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """Return the attributes of a row, ready to encode."""
        members: dict[str, Any] = dict(zip(self._names, self._values(row), strict=True))
        for name in self._booleans:
            if members[name] is not None:
                members[name] = bool(members[name])
        for name in self._documents:
            if members[name] is not None:
                members[name] = msgspec.Raw(members[name].encode())
        return members

    def select(self, record: Record) -> dict[str, Any]:
        """Return the attributes of a record."""
        return {member: record[name] for member, name in self.attributes.items()}


_tables: dict[str, Table | None] = {}


def table_of(type: str) -> Table | None:
    """Return the table of a type; None if there is no such type."""
    try:
        return _tables[type]
    except KeyError:
        cls = class_of(type)
        if cls is None:
            return None
        table = _tables[type] = Table(cls)
        return table


@cache
def referrers(type: str) -> tuple[Referrer, ...]:
    """Return the to-one relationships of account-owned types that point to a type."""
    from didww._schema.registry import all_classes

    referrers: list[Referrer] = []
    for cls in all_classes():
        if cls._type_name not in overrides.SHARED:
            referrers += [
                Referrer(
                    cls._type_name, name, one.polymorphic, one.nullable or (cls._type_name, name) in overrides.OUTLIVES
                )
                for name, one in _to_one_relations(cls).items()
                if type in one.targets
            ]
    return tuple(referrers)


def _to_one_relations(cls: type[Resource]) -> dict[str, Relation]:
    """Return the to-one relationships of a class, including hidden ones."""
    tables = {
        field.name: Relation(cls._type_name, field)
        for field in cls._field_map.values()
        if field.place == "relationships" and field.kind.name == "one"
    }
    for name, kind in overrides.HIDDEN.get(cls._type_name, {}).items():
        if kind.startswith("one:"):
            tables[name] = Relation(cls._type_name, None, hidden=(name, kind.removeprefix("one:")))
    return tables
