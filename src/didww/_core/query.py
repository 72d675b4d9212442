"""The query of a request: keywords and `QueryParams` brought together and checked against the declaration.

A misspelt name is found here, before anything is sent. `QueryParams.param()` is the way around for what the service
has and the declaration does not.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from didww._schema.filters import UUID_TEXT, filter_rules, includes, sort_keys, way_to_id
from didww._schema.registry import all_classes, class_called, class_named, class_of
from didww._schema.resource import Resource
from didww._schema.types import FieldType, listed
from didww._util.coerce import is_uuid, truth_value, whole_number
from didww._util.suggest import did_you_mean
from didww._util.text import shown
from didww.exceptions import InvalidValueError
from didww.query_params import QueryParams, filter_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww._schema.filters import FilterRule

__all__ = ["assemble", "check_path", "kind_behind"]


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
        InvalidValueError: A name is not in the declaration of `cls`, or a value cannot be written.
    """
    given = cast("object", params)
    if given is not None and not isinstance(given, QueryParams):
        hint = " What is to match goes by keyword: filter={...}." if isinstance(given, Mapping) else ""
        raise InvalidValueError(
            f"{cls._type_name}: the first argument is a QueryParams, not {type(params).__name__}.{hint}",
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
    _check(cls, query)
    return query


def _several(names: Any, where: str) -> list[Any]:
    return [names] if isinstance(names, str) else listed(names, where, "a name or a list of names")


def _named(values: Any, where: str, example: str) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InvalidValueError(f"{where} takes a dict, {where}={example}, not {type(values).__name__}.", field=where)
    return cast("Mapping[str, Any]", values)


def _check(cls: type[Resource], query: QueryParams) -> None:
    for path in query.includes:
        check_path(cls, path)
    if query.filters:
        rules = filter_rules(cls)
        for name, value in query.filters.items():
            if name not in rules:
                raise _unknown(f"{cls._type_name} cannot be filtered by", name, rules, "filters")
            _check_value(cls, name, value, rules[name])
            _check_length(name, value, rules[name], query.filters)
            detour = rules[name].detour
            if detour is not None and detour.filter in query.filters:
                raise InvalidValueError(f"filter {name!r} asks by {detour.filter!r}; use one of the two.", field=name)
    if query.sorts:
        known = sort_keys(cls)
        for name in query.sorts:
            if name not in known:
                raise _unknown(f"{cls._type_name} cannot be sorted by", name, known, "sort keys")
    for type_, names in query.fieldsets.items():
        target = class_of(type_)
        if target is None:
            hint = did_you_mean(type_, [one._type_name for one in all_classes()])
            raise InvalidValueError(f"fields: there is no resource type {type_!r}.{hint}", field="fields")
        for name in names:
            if name not in target._field_map and name != "id":
                raise _unknown(f"fields[{type_}]: there is no", name, target._field_map, "fields")
    if (query.page_number or 1) > 1 and not cls._paginated:
        raise InvalidValueError(
            f"page must be 1, got {query.page_number}: {cls._type_name} has no pages, and every page would hold all "
            "records again. Leave page out.",
            field="page",
        )


# What a filter takes beside text, which stands in an address anyway, by its rule's kind; and that in words.
_TAKES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda one: isinstance(one, enum.Enum) or is_uuid(one) or whole_number(one) is not None, "text"),
    "boolean": (lambda one: truth_value(one) is not None, "True or False"),
    "integer": (lambda one: whole_number(one) is not None, "a whole number"),
    "datetime": (lambda one: isinstance(one, datetime), "a datetime with a time zone"),
}


def _check_value(cls: type[Resource], name: str, value: Any, rule: FilterRule) -> None:
    if value is None or (rule.form and rule.nullable and value == ""):
        if not rule.nullable or rule.never_empty:
            raise InvalidValueError(
                f"filter {name!r} must have a value, got {value!r}: {cls._type_name} without one cannot be asked for. "
                "Leave the filter out for all of them.",
                field=name,
            )
        return
    several = isinstance(value, (list, tuple, set, frozenset))
    if several and not rule.multiple:
        raise InvalidValueError(f"filter {name!r} takes one value, not a list.", field=name)
    ones = list(cast("Iterable[Any]", value)) if several else [value]
    fits, wanted = _TAKES[rule.value]
    for one in ones:
        if isinstance(one, Resource) and rule.form == "id":
            _check_record(cls, name, one)
        elif _is_text(one):
            if rule.value == "boolean" and one not in ("true", "false", "1", "0"):
                raise InvalidValueError(f"filter {name!r} takes {wanted}, not {shown(one)}.", field=name)
        elif not fits(one):
            hint = f" {_a_moment(one)}" if rule.value == "datetime" and isinstance(one, date) else ""
            raise InvalidValueError(f"filter {name!r} takes {wanted}, not {shown(one)}.{hint}", field=name)
    # Text may be a comma list that was written by hand.
    parts = [
        part for one in ones for part in (one.split(",") if rule.multiple and not several and _is_text(one) else [one])
    ]
    if rule.form == "id":
        for part in parts:
            _check_id(cls, name, part)
    elif rule.form:
        for part in parts:
            _check_form(_FORMS[rule.form], name, part)
    elif rule.value == "text":
        kind = kind_behind(cls, name)
        if kind is not None:
            for part in parts:
                _check_known(kind, name, part)
        elif rule.multiple and (text := next((one for one in ones if _is_text(one) and "," in one), None)) is not None:
            raise _ambiguous(cls, name, text, lone=not several)


def _ambiguous(cls: type[Resource], name: str, text: str, *, lone: bool) -> InvalidValueError:
    """The error for free text with a comma: the service would match each part of it."""
    known = filter_rules(cls)
    others = [other for other in ("id", "external_reference_id", f"{name}_contains") if other in known]
    parts = [part.strip() for part in text.split(",")]
    several = f" For several values, pass a list: {parts!r:.200}." if lone else ""
    return InvalidValueError(
        f"filter {name!r} must be text without a comma, got {text!r:.200}: the service matches each part by itself."
        f"{several} A record whose {name} holds a comma is found by {' or '.join(others)}.{_unchecked(name, text)}",
        field=name,
    )


def _check_length(name: str, value: Any, rule: FilterRule, given: Mapping[str, Any]) -> None:
    shortest = rule.shortest
    if shortest is not None and len(str(value)) < shortest.length and given.keys().isdisjoint(shortest.beside):
        raise InvalidValueError(
            f"filter {name!r} must have at least {shortest.length} digits, got {value!r:.80}. "
            f"Fewer will do beside one of the filters {', '.join(shortest.beside)}.",
            field=name,
        )


def _a_moment(day: date) -> str:
    return f"Say when the day begins: datetime({day.year}, {day.month}, {day.day}, tzinfo=timezone.utc)."


def _check_record(cls: type[Resource], name: str, record: Resource) -> None:
    """Refuse a record of another type, whose id matches nothing, and one that has no id yet."""
    target = _target(cls, name.split(".")[:-1])
    if target is not None and not isinstance(record, target):
        raise InvalidValueError(
            f"filter {name!r} takes {target.__name__} or its id, not {type(record).__name__}.", field=name
        )
    if not record.id:
        raise InvalidValueError(f"filter {name!r} takes a record that exists; this one has no id yet.", field=name)


def _check_id(cls: type[Resource], name: str, value: Any) -> None:
    text = filter_text(value, name)
    if UUID_TEXT.fullmatch(text):
        return
    steps = name.split(".")[:-1]
    way = way_to_id(_target(cls, steps), text[:80], found_first=bool(steps))
    raise InvalidValueError(
        f"filter {name!r} takes ids such as 8d1a3c5e-0000-4000-8000-000000000001, not {text[:80]!r}."
        f"{way}{_unchecked(name, value)}",
        field=name,
    )


class _Form(NamedTuple):
    """What a filter's text must look like.

    Attributes:
        pattern: What all of it matches.
        words: What it is called in messages: "must be ...".
        meant: A text of another form to the one that was probably meant.
        note: What else to know.
    """

    pattern: str
    words: str
    meant: Callable[[str], str]
    note: str = ""


def _digits_of(text: str) -> str:
    return re.sub(r"[+\s().-]", "", text)


def _without_country(text: str) -> str:
    """The digits, unless a country code stands before them that cannot be told apart."""
    return "" if text.lstrip().startswith("+") else _digits_of(text)


def _nanp(text: str) -> str:
    """Area code and exchange of a number: neither begins with 1, the country code."""
    return _digits_of(text).removeprefix("1")[:6]


def _capitals(text: str) -> str:
    return text.strip().upper()


def _nothing(text: str) -> str:  # noqa: ARG001 called by a table
    return ""


_FORMS = {
    "digits": _Form("[0-9]+", "digits only", _digits_of),
    "area": _Form(
        "[0-9]+",
        "digits only",
        _without_country,
        " The prefix of a DID group has no country code: '20' is that of London, not '4420'. Filter by 'country.id' "
        "for the country.",
    ),
    "nanp": _Form("[0-9]{1,6}", "1 to 6 digits, without the country code", _nanp),
    "iso": _Form("[A-Z]{2}", "a country's code of two capital letters, such as 'GB'", _capitals),
    "iso_region": _Form(
        "[A-Z]{2}-[A-Z0-9]{1,3}",
        "a region's code with that of its country, such as 'US-CA'",
        _capitals,
    ),
    "reference": _Form("[^,]*", "a reference without a comma", _nothing),
}


def _check_form(form: _Form, name: str, value: Any) -> None:
    text = filter_text(value, name)
    if re.fullmatch(form.pattern, text, re.DOTALL):
        return
    meant = form.meant(text[:80])
    way = f" Write {meant!r}." if re.fullmatch(form.pattern, meant) and meant else ""
    raise InvalidValueError(
        f"filter {name!r} must be {form.words}, got {text[:80]!r}.{way}{form.note}{_unchecked(name, value)}", field=name
    )


def _unchecked(name: str, value: object) -> str:
    """The way around a check, for what the service has and this SDK does not know."""
    return f" To send it unchecked: QueryParams().param('filter[{name}]', {value!r:.80})." if _is_text(value) else ""


def _target(cls: type[Resource], steps: Sequence[str]) -> type[Resource] | None:
    """The class that the relationships of a filter's name lead to; None if that is not known."""
    here: type[Resource] | None = cls
    for step in steps:
        field = here._field_map.get(step) if here is not None else None
        if field is not None and field.place != "relationships":
            return None
        # Some filters lead over relationships that the type itself does not show.
        here = class_named(field.kind.detail.names[0]) if field is not None else class_called(step)
    return here


def kind_behind(cls: type[Resource], name: str) -> FieldType | None:
    """The kind of the attribute that a filter compares with, if it has a fixed list of values."""
    *steps, last = name.split(".")
    if last == "type" and len(steps) == 1 and (outer := cls._field_map.get(steps[0])) and outer.kind.name == "object":
        return outer.kind
    here = _target(cls, steps)
    field = here._field_map.get(last) if here is not None else None
    if field is None or field.place != "attributes":
        return None
    kind: FieldType = field.kind.detail if field.kind.name == "list" else field.kind
    return kind if kind.name == "enum" else None


def _check_known(kind: FieldType, name: str, value: Any) -> None:
    """Refuse a value that is none of those known: it would match nothing, which looks as if there were nothing."""
    where = f"filter {name!r}"
    anyway = _unchecked(name, value)
    if kind.name == "enum":
        try:
            kind.dump(value, where)
        except InvalidValueError as error:
            raise InvalidValueError(f"{error}{anyway}", field=name) from None
        return
    known = [one._type_name for one in kind.detail]
    if value not in known:
        hint = did_you_mean(value, known)
        raise InvalidValueError(
            f"{where} takes {' or '.join(map(repr, known))}, not {shown(value)}.{hint}{anyway}", field=name
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, enum.Enum)


def check_path(cls: type[Resource], path: str) -> None:
    """Follow `path`, of any length, along the relationships that can be included.

    Raises:
        InvalidValueError: One of its steps is none of them.
    """
    here = [cls]
    for step in path.split("."):
        known = list(dict.fromkeys(name for one in here for name in includes(one)))
        if step not in known:
            types = " and ".join(one._type_name for one in here)
            raise InvalidValueError(
                f"{types} cannot include {step!r}.{did_you_mean(step, known)} "
                f"Its relationships: {', '.join(known) or 'none'}. "
                f"To send it unchecked: QueryParams().param('include', {path!r}).",
                field=step,
            )
        leading = (one._field_map[step] for one in here if step in one._field_map)
        here = [
            class_named(name) for name in dict.fromkeys(name for link in leading for name in link.kind.detail.names)
        ]


def _unknown(what: str, name: str, known: Iterable[str], words: str) -> InvalidValueError:
    names = list(known)
    listing = ", ".join(sorted(one for one in names if not one.startswith("-"))) or "none"
    return InvalidValueError(f"{what} {name!r}.{did_you_mean(name, names)} Its {words}: {listing}.", field=name)
