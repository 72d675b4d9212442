"""Columns: what a table of records shows. Each resource declares those that a person needs.

A column is a dotted path, such as `did_group.country.iso`. A declaration maps the heading of a column to its path, or
to several paths, of which the first with a value is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from didww._schema.fields import MetaField
from didww._schema.registry import class_named
from didww._schema.versions import EVERY_VERSION
from didww._util.suggest import did_you_mean
from didww.exceptions import InvalidValueError, NotLoadedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww._schema.fields import Field
    from didww._schema.resource import Resource
    from didww._schema.versions import Versions
    from didww.version import ApiVersion

__all__ = ["Column", "check_path", "columns_of", "includes_of", "value_at", "versions_at"]


class Column(NamedTuple):
    """A column of a table: its heading, and the paths of which the first with a value is shown."""

    heading: str
    paths: tuple[str, ...]

    def value(self, record: Resource) -> Any:
        """Return the value for `record`; None if it has none, or if it was not loaded."""
        return self.found(record)[1]

    def found(self, record: Resource) -> tuple[str, Any]:
        """Return the path that has a value, and the value."""
        values = ((path, value_at(record, path)) for path in self.paths)
        return next(((path, value) for path, value in values if value not in (None, [])), (self.paths[0], None))


def columns_of(cls: type[Resource], version: ApiVersion | None = None) -> tuple[Column, ...]:
    """Return the declared columns of a resource: those that an API version has, or all."""
    columns = (
        Column(
            heading,
            tuple(
                path
                for path in ((paths,) if isinstance(paths, str) else paths)
                if version is None or versions_at(cls, path).includes(version)
            ),
        )
        for heading, paths in cls._columns.items()
    )
    return tuple(column for column in columns if column.paths)


def versions_at(cls: type[Resource], path: str) -> Versions:
    """Return the API versions that have all members of a path: those of the first member that not every version has."""
    holder = cls
    for name in path.split("."):
        field = holder._field_map.get(name)
        if field is None or field.versions is not EVERY_VERSION:
            return EVERY_VERSION if field is None else field.versions
        if field.place != "relationships":
            return EVERY_VERSION
        holder = class_named(field.kind.detail.names[0])
        if holder._versions is not EVERY_VERSION:
            return holder._versions
    return EVERY_VERSION


def value_at(record: object, path: str) -> Any:
    """Return the value at a dotted path; a list of values behind a list, None for what was not loaded."""
    value: Any = record
    for name in path.split("."):
        if isinstance(value, list):
            value = [inner for item in cast("list[Any]", value) if (inner := _member(item, name)) is not None]
        elif value is None:
            return None
        else:
            value = _member(value, name)
    return value


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(name)
    try:
        return getattr(value, name, None)
    except NotLoadedError:
        return None


def check_path(cls: type[Resource], path: str) -> list[str]:
    """Return the names of the relationships at the beginning of a path.

    Raises:
        InvalidValueError: The resource has no such member.
    """
    relationships: list[str] = []
    holder = cls
    for name in path.split("."):
        if name in ("id", "type"):
            break
        field: Field | None = holder._field_map.get(name)
        if field is None or (field.place == "relationships" and not field.include):
            known = ["id", *(other for other, each in holder._field_map.items() if _shown(each))]
            raise InvalidValueError(
                f"{path!r} is no column of {cls._type_name}"
                f"{'' if path == name else f': {holder._type_name} has no {name!r}'}."
                f"{did_you_mean(name, known)} Columns: {', '.join(known)}.",
                field=path,
            )
        if field.place != "relationships":
            break  # members of a nested object depend on its type
        relationships.append(name)
        holder = class_named(field.kind.detail.names[0])
    return relationships


def _shown(field: Field) -> bool:
    undeclared = isinstance(field, MetaField) and not cast("MetaField[Any]", field).cls._field_map
    return field.readable and not undeclared and (field.place != "relationships" or field.include)


def includes_of(cls: type[Resource], paths: Iterable[str]) -> list[str]:
    """Return the include paths that the columns at `paths` need."""
    return list(dict.fromkeys(".".join(names) for path in paths if (names := check_path(cls, path))))
