"""The query of a request: keywords and `QueryParams` brought together and checked against the declaration.

A misspelt name is found here, before anything is sent. `QueryParams.param()` is the way around for what the service
has and the declaration does not.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from didww.exceptions import InvalidValue
from didww.query_params import QueryParams
from didww.resources.base import Resource
from didww.resources.filters import filter_rules, names_in
from didww.resources.kinds import Kind, listed
from didww.resources.registry import all_classes, class_named, class_of
from didww.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww.resources.filters import Match

__all__ = ["assemble", "check_path"]


def assemble(
    cls: type[Resource],
    params: QueryParams | None,
    *,
    include: str | Sequence[str] | None = None,
    filter: Mapping[str, Any] | None = None,
    sort: str | Sequence[str] | None = None,
    page: int | tuple[int, int] | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> QueryParams:
    """One checked query out of everything that the caller gave.

    Raises:
        InvalidValue: A name is not in the declaration of `cls`, or a value cannot be written.
    """
    given = cast("object", params)
    if given is not None and not isinstance(given, QueryParams):
        hint = " What is to match goes by keyword: filter={...}." if isinstance(given, Mapping) else ""
        raise InvalidValue(
            f"{cls.type_}: the first argument is a QueryParams, not {type(params).__name__}.{hint}",
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
        whole = all(isinstance(number, int) for number in numbers)  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        if len(numbers) not in (1, 2) or not whole:
            raise InvalidValue(f"page takes a number or (number, size), not {page!r}.", field="page")
        query.page(*numbers)
    for type_, names in _named(fields, "fields", "{'dids': ['number']}").items():
        query.fields(type_, *_several(names, f"fields[{type_!r}]"))
    _check(cls, query)
    return query


def _several(names: Any, where: str) -> list[Any]:
    return [names] if isinstance(names, str) else listed(names, where, "a name or a list of names")


def _named(values: Any, where: str, example: str) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InvalidValue(f"{where} takes a dict, {where}={example}, not {type(values).__name__}.", field=where)
    return cast("Mapping[str, Any]", values)


def _check(cls: type[Resource], query: QueryParams) -> None:
    for path in query.includes:
        check_path(cls, path)
    if query.filters:
        rules = filter_rules(cls.filter_type)
        for name, value in query.filters.items():
            if name not in rules:
                raise _unknown(f"{cls.type_} cannot be filtered by", name, rules, "filters")
            _check_value(cls, name, value, rules[name])
    if query.sorts:
        known = names_in(cls.sort_type)
        for name in query.sorts:
            if name not in known:
                raise _unknown(f"{cls.type_} cannot be sorted by", name, known, "sort keys")
    for type_, names in query.fieldsets.items():
        target = class_of(type_)
        if target is None:
            hint = did_you_mean(type_, [one.type_ for one in all_classes()])
            raise InvalidValue(f"fields: there is no resource type {type_!r}.{hint}", field="fields")
        for name in names:
            if name not in target._fields:
                raise _unknown(f"fields[{type_}]: there is no", name, target._fields, "fields")


# Python types of a filter's value by the rule's kind; text is taken for each, as it stands in an address.
_TAKES: dict[str, tuple[type, ...]] = {
    "text": (int, enum.Enum, Resource),
    "boolean": (bool,),
    "integer": (int,),
    "moment": (datetime,),
}


def _check_value(cls: type[Resource], name: str, value: Any, rule: Match) -> None:
    if value is None:
        if not rule.blank:
            raise InvalidValue(f"filter {name!r} needs a value: {cls.type_} cannot be asked for none.", field=name)
        return
    several = isinstance(value, (list, tuple, set, frozenset))
    if several and not rule.many:
        raise InvalidValue(f"filter {name!r} takes one value, not a list.", field=name)
    ones = cast("Iterable[Any]", value) if several else (value,)
    for one in ones:
        fits = isinstance(one, _TAKES[rule.value]) and (rule.value == "boolean" or not isinstance(one, bool))
        if _is_text(one):
            fits = rule.value != "boolean" or one in ("true", "false", "1", "0")
        if not fits:
            kinds = {"text": "text", "boolean": "True or False", "integer": "a whole number"}
            wanted = kinds.get(rule.value, "a datetime with a time zone")
            raise InvalidValue(f"filter {name!r} takes {wanted}, not {_shown(one)}.", field=name)
    kind = _kind_behind(cls, name) if rule.value == "text" else None
    if kind is not None:
        for one in ones:
            # Text may be a comma list that was written by hand.
            for part in one.split(",") if rule.many and not several and _is_text(one) else (one,):
                _check_known(kind, name, part)


def _kind_behind(cls: type[Resource], name: str) -> Kind | None:
    """The kind of the attribute that a filter compares with, if it has a fixed list of values."""
    *steps, last = name.split(".")
    here: type[Resource] | None = cls
    for step in steps if last != "id" else ():
        field = here._fields.get(step) if here is not None else None
        if field is not None and field.place != "relationships":
            return field.kind if last == "type" and field.kind.name == "object" else None
        # Some filters lead over relationships that the type itself does not show.
        here = class_named(field.kind.detail.names[0]) if field is not None else class_of(f"{step}s")
    field = here._fields.get(last) if here is not None else None
    if field is None or field.place != "attributes":
        return None
    kind: Kind = field.kind.detail if field.kind.name == "list" else field.kind
    return kind if kind.name == "enum" else None


def _check_known(kind: Kind, name: str, value: Any) -> None:
    """Refuse a value that is none of those known: it would match nothing, which looks as if there were nothing."""
    where = f"filter {name!r}"
    anyway = f" To send it unchecked: QueryParams().param('filter[{name}]', {value!r:.80})." if _is_text(value) else ""
    if kind.name == "enum":
        try:
            kind.dump(value, where)
        except InvalidValue as error:
            raise InvalidValue(f"{error}{anyway}", field=name) from None
        return
    known = [one.type_ for one in kind.detail]
    if value not in known:
        hint = did_you_mean(value, known)
        raise InvalidValue(
            f"{where} takes {' or '.join(map(repr, known))}, not {_shown(value)}.{hint}{anyway}", field=name
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, enum.Enum)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, (str, bool)) and len(repr(value)) < 50 else type(value).__name__


def check_path(cls: type[Resource], path: str) -> None:
    """Walk `path` along the declared relationships.

    Raises:
        InvalidValue: One of its steps is no relationship.
    """
    here = cls
    for step in path.split("."):
        links = {name: field for name, field in here._fields.items() if field.place == "relationships"}
        if step not in links:
            raise _unknown(f"{here.type_} cannot include", step, links, "relationships")
        targets = links[step].kind.detail.names
        if len(targets) > 1:  # a relationship to several types: the server knows what may follow
            return
        here = class_named(targets[0])


def _unknown(what: str, name: str, known: Iterable[str], words: str) -> InvalidValue:
    names = list(known)
    shown = ", ".join(sorted(one for one in names if not one.startswith("-"))) or "none"
    return InvalidValue(f"{what} {name!r}.{did_you_mean(name, names)} Its {words}: {shown}.", field=name)
