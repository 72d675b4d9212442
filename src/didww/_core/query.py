"""Combine keywords and `QueryParams` into one query and check it against the resource's declaration.

Misspelled names raise an error before anything is sent. `QueryParams.param()` bypasses the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from didww._core.filters import check_filters, unknown_name
from didww._schema.filter_rules import filter_versions, includes, sort_keys, sort_versions
from didww._schema.registry import all_classes, class_named, class_of
from didww._schema.types import listed
from didww._schema.versions import unsupported
from didww._util.coerce import whole_number
from didww._util.suggest import did_you_mean
from didww._util.text import shown
from didww.exceptions import InvalidValueError
from didww.query_params import QueryParams

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww._schema.resource import Resource
    from didww._schema.versions import Versions
    from didww.version import ApiVersion


__all__ = ["assemble", "check_path"]

_READ: Final = "Read the attribute"
"""The advice on a relationship that became an attribute."""


def assemble(
    cls: type[Resource],
    version: ApiVersion,
    params: QueryParams | None,
    *,
    include: str | Sequence[str] | None = None,
    filter: Mapping[str, Any] | None = None,
    sort: str | Sequence[str] | None = None,
    page: int | tuple[int, int] | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> QueryParams:
    """Return one checked query from the arguments of a call.

    Raises:
        InvalidValueError: A name is not in the declaration of `cls`, or a value cannot be encoded.
        UnsupportedVersionError: The API version does not have a name.
    """
    untyped = cast("object", params)
    if untyped is not None and not isinstance(untyped, QueryParams):
        hint = " Pass filters as a keyword: filter={...}." if isinstance(untyped, Mapping) else ""
        raise InvalidValueError(
            f"{cls._type_name}: the first argument must be a QueryParams, got {type(params).__name__}.{hint}",
            field="params",
        )
    query = params.copy() if params is not None else QueryParams()
    if include is not None:
        query.include(*_several(include, "include"))
    if sort is not None:
        query.sort(*_several(sort, "sort"))
    for name, value in _named(filter, "filter", "{'name': value}").items():
        query.filter(name, value)
    if page is not None:
        numbers = page if isinstance(page, tuple) else (page,)
        whole = all(whole_number(number) is not None for number in numbers)
        if len(numbers) not in (1, 2) or not whole:
            raise InvalidValueError(
                f"page must be a whole number, or (number, size), got {shown(page)}. Pages count from 1.", field="page"
            )
        query.page(*numbers)
    for type_, names in _named(fields, "fields", "{'dids': ['number']}").items():
        query.fields(type_, *_several(names, f"fields[{type_!r}]"))
    _check(cls, version, query)
    return query


def _several(names: Any, where: str) -> list[Any]:
    return [names] if isinstance(names, str) else listed(names, where, "a name or a list of names")


def _named(values: Any, where: str, example: str) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InvalidValueError(
            f"{where} must be a dict, got {type(values).__name__}. Write {where}={example}.", field=where
        )
    return cast("Mapping[str, Any]", values)


def _check(cls: type[Resource], version: ApiVersion, query: QueryParams) -> None:
    for path in query.includes:
        check_path(cls, path, version)
    if query.filters:
        what = f"{cls._type_name} cannot be filtered by"
        _check_versions(what, query.filters, filter_versions(cls), version, "Filter by")
        check_filters(cls, query.filters, version)
    if query.sorts:
        known, what = sort_keys(cls), f"{cls._type_name} cannot be sorted by"
        for name in query.sorts:
            if name not in known:
                raise unknown_name(what, name, known, "sort keys", sort_versions(cls), version, "Sort by")
        _check_versions(what, query.sorts, sort_versions(cls), version, "Sort by")
    for type_, names in query.fieldsets.items():
        target = class_of(type_)
        if target is None:
            hint = did_you_mean(type_, [known._type_name for known in all_classes()])
            raise InvalidValueError(f"fields must name a resource type, got {type_!r}.{hint}", field="fields")
        _check_versions("fields cannot name", (type_,), {type_: target._versions}, version)
        query.fieldsets[type_] = [_member(target, name, version) for name in names]
    if (query.page_number or 1) > 1 and not cls._paginated:
        raise InvalidValueError(
            f"page must be 1, got {query.page_number}: {cls._type_name} is not paginated, so each page would repeat "
            "all records. Omit page.",
            field="page",
        )


def _check_versions(
    what: str, names: Iterable[str], limited: Mapping[str, Versions], version: ApiVersion, advice: str = "Use"
) -> None:
    for name in names:
        if name in limited and not limited[name].includes(version):
            raise unsupported(f"{what} {name!r}", limited[name], version, name, advice=advice)


def _member(cls: type[Resource], name: str, version: ApiVersion) -> str:
    """Return the name in documents of a field, which is passed by that name or by the name in Python."""
    if name == "id":
        return name
    fields = cls._field_map
    renamed = fields.get(cls._renamed.get(name, ""))
    field = renamed if renamed is not None and renamed.versions.includes(version) else fields.get(name)
    if field is None:
        versions = {name: field.versions for name, field in fields.items()}
        raise unknown_name(f"{cls._type_name} has no field", name, fields, "fields", versions, version, "Use")
    if not field.versions.includes(version):
        raise unsupported(f"{cls._type_name} has no field {name!r}", field.versions, version, name)
    return field.member


def check_path(cls: type[Resource], path: str, version: ApiVersion) -> None:
    """Check that each step of `path` is a relationship that can be included.

    Raises:
        InvalidValueError: A step is not one.
        UnsupportedVersionError: The API version does not have a step.
    """
    classes = [cls]
    for step in path.split("."):
        known = {name: owner._field_map[name].versions for owner in classes for name in includes(owner)}
        what = f"{' and '.join(owner._type_name for owner in classes)} cannot include"
        if step not in known:
            raise unknown_name(
                what,
                step,
                known,
                "relationships",
                known,
                version,
                _READ,
                f" To send it unchecked: QueryParams().param('include', {path!r}).",
            )
        links = [owner._field_map[step] for owner in classes if step in owner._field_map]
        if not any(link.versions.includes(version) for link in links):
            raise unsupported(f"{what} {step!r}", links[0].versions, version, step, advice=_READ)
        classes = [
            class_named(name) for name in dict.fromkeys(name for link in links for name in link.kind.detail.names)
        ]
