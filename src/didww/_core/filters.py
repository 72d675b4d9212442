"""Check the filters of a query against the filter rules of the resource (`didww._schema.filter_rules`)."""

from __future__ import annotations

import enum
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from didww._schema.filter_rules import UUID_TEXT, filter_rules, filter_versions, way_to_id
from didww._schema.registry import class_called, class_named
from didww._schema.resource import Resource
from didww._schema.versions import EVERY_VERSION
from didww._util.coerce import is_uuid, truth_value, whole_number
from didww._util.suggest import close_names, did_you_mean
from didww._util.text import shown
from didww.exceptions import InvalidValueError
from didww.query_params import filter_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from didww._schema.filter_rules import FilterRule
    from didww._schema.types import FieldType
    from didww._schema.versions import Versions
    from didww.version import ApiVersion

__all__ = ["check_filters", "kind_behind", "unknown_name"]


def check_filters(cls: type[Resource], filters: Mapping[str, Any], version: ApiVersion) -> None:
    """Check names and values of filters.

    Raises:
        InvalidValueError: A filter does not exist, or its value cannot match.
    """
    rules = filter_rules(cls)
    for name, value in filters.items():
        if name not in rules:
            what = f"{cls._type_name} cannot be filtered by"
            raise unknown_name(what, name, rules, "filters", filter_versions(cls), version, "Filter by")
        _check_value(cls, name, value, rules[name])
        _check_length(name, value, rules[name], filters)
        detour = rules[name].detour
        if detour is not None and detour.filter in filters:
            raise InvalidValueError(
                f"filter {name!r} must not be combined with {detour.filter!r}, which it stands for. Use one of them.",
                field=name,
            )


# The values other than text that each kind of filter accepts, and their description.
_ACCEPTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda value: isinstance(value, enum.Enum) or is_uuid(value) or whole_number(value) is not None, "text"),
    "boolean": (lambda value: truth_value(value) is not None, "True or False"),
    "integer": (lambda value: whole_number(value) is not None, "a whole number"),
    "datetime": (lambda value: isinstance(value, datetime), "a datetime with a time zone"),
}


def _check_value(cls: type[Resource], name: str, value: Any, rule: FilterRule) -> None:
    if value is None or (rule.form and rule.nullable and value == ""):
        if not rule.nullable or rule.never_empty:
            raise InvalidValueError(
                f"filter {name!r} must have a value, got {value!r}: it cannot match {cls._type_name} without one. "
                "Omit the filter for all records.",
                field=name,
            )
        return
    several = isinstance(value, (list, tuple, set, frozenset))
    if several and not rule.multiple:
        raise InvalidValueError(f"filter {name!r} must be a single value, got a list.", field=name)
    values = list(cast("Iterable[Any]", value)) if several else [value]
    accepts, expected = _ACCEPTED[rule.value]
    for item in values:
        if isinstance(item, Resource) and rule.form == "id":
            _check_record(cls, name, item)
        elif _is_text(item):
            if rule.value == "boolean" and item not in ("true", "false", "1", "0"):
                raise InvalidValueError(f"filter {name!r} must be {expected}, got {shown(item)}.", field=name)
        elif not accepts(item):
            hint = f" {_datetime_hint(item)}" if rule.value == "datetime" and isinstance(item, date) else ""
            raise InvalidValueError(f"filter {name!r} must be {expected}, got {shown(item)}.{hint}", field=name)
    # Text may be a comma-separated list.
    split = rule.multiple and not several
    parts = [part for item in values for part in (item.split(",") if split and _is_text(item) else [item])]
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
        elif rule.multiple and (text := next((v for v in values if _is_text(v) and "," in v), None)) is not None:
            raise _ambiguous(cls, name, text, lone=not several)


def _ambiguous(cls: type[Resource], name: str, text: str, *, lone: bool) -> InvalidValueError:
    """Return the error for free text with a comma, which the service would split."""
    known = filter_rules(cls)
    others = [other for other in ("id", "external_reference_id", f"{name}_contains") if other in known]
    parts = [part.strip() for part in text.split(",")]
    several = f" For several values, pass a list: {parts!r:.200}." if lone else ""
    return InvalidValueError(
        f"filter {name!r} must be text without a comma, got {text!r:.200}: the service matches each part separately."
        f"{several} To find a record whose {name} contains a comma, filter by {' or '.join(others)}."
        f"{_unchecked(name, text)}",
        field=name,
    )


def _check_length(name: str, value: Any, rule: FilterRule, filters: Mapping[str, Any]) -> None:
    shortest = rule.shortest
    if shortest is not None and len(str(value)) < shortest.length and filters.keys().isdisjoint(shortest.beside):
        raise InvalidValueError(
            f"filter {name!r} must have at least {shortest.length} digits, got {value!r:.80}. "
            f"Add digits, or combine it with one of the filters {', '.join(shortest.beside)}.",
            field=name,
        )


def _datetime_hint(day: date) -> str:
    return f"Write the start of the day: datetime({day.year}, {day.month}, {day.day}, tzinfo=timezone.utc)."


def _check_record(cls: type[Resource], name: str, record: Resource) -> None:
    """Reject a record of another type, whose id would match nothing, and one without an id."""
    target = _target(cls, name.split(".")[:-1])
    if target is not None and not isinstance(record, target):
        raise InvalidValueError(
            f"filter {name!r} must be {target.__name__} or its id, got {type(record).__name__}.", field=name
        )
    if not record.id:
        raise InvalidValueError(
            f"filter {name!r} must be an existing record, got one without an id. Create it first.", field=name
        )


def _check_id(cls: type[Resource], name: str, value: Any) -> None:
    text = filter_text(value, name)
    if UUID_TEXT.fullmatch(text):
        return
    steps = name.split(".")[:-1]
    hint = way_to_id(_target(cls, steps), text[:80], found_first=bool(steps))
    raise InvalidValueError(
        f"filter {name!r} must be an id such as 8d1a3c5e-0000-4000-8000-000000000001, got {text[:80]!r}."
        f"{hint}{_unchecked(name, value)}",
        field=name,
    )


class _Form(NamedTuple):
    """The format of a text filter.

    Attributes:
        pattern: The regular expression for the complete text.
        words: The description in messages: "must be ...".
        suggest: Converts text of another format to the value that was probably intended.
        note: An additional explanation.
    """

    pattern: str
    words: str
    suggest: Callable[[str], str]
    note: str = ""


def _digits_of(text: str) -> str:
    return re.sub(r"[+\s().-]", "", text)


def _without_country(text: str) -> str:
    """Return the digits, or nothing if they begin with a country code of unknown length."""
    return "" if text.lstrip().startswith("+") else _digits_of(text)


def _nanp(text: str) -> str:
    """Return the area code and exchange of a North American number, without the country code 1."""
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
        " The prefix of a DID group has no country code: London is '20', not '4420'. To select the country, filter by "
        "'country.id'.",
    ),
    "nanp": _Form("[0-9]{1,6}", "1 to 6 digits, without the country code", _nanp),
    "iso": _Form("[A-Z]{2}", "a country code of two capital letters, such as 'GB'", _capitals),
    "iso_region": _Form(
        "[A-Z]{2}-[A-Z0-9]{1,3}",
        "a region code that includes the country code, such as 'US-CA'",
        _capitals,
    ),
    "reference": _Form("[^,]*", "a reference without a comma", _nothing),
}


def _check_form(form: _Form, name: str, value: Any) -> None:
    text = filter_text(value, name)
    if re.fullmatch(form.pattern, text, re.DOTALL):
        return
    suggestion = form.suggest(text[:80])
    hint = f" Write {suggestion!r}." if re.fullmatch(form.pattern, suggestion) and suggestion else ""
    raise InvalidValueError(
        f"filter {name!r} must be {form.words}, got {text[:80]!r}.{hint}{form.note}{_unchecked(name, value)}",
        field=name,
    )


def _unchecked(name: str, value: object) -> str:
    """Return the advice on bypassing a check."""
    return f" To send it unchecked: QueryParams().param('filter[{name}]', {value!r:.80})." if _is_text(value) else ""


def _target(cls: type[Resource], steps: Sequence[str]) -> type[Resource] | None:
    """Return the class that the relationships in a filter's name lead to, or None if it is unknown."""
    here: type[Resource] | None = cls
    for step in steps:
        field = here._field_map.get(step) if here is not None else None
        if field is not None and field.place != "relationships":
            return None
        # Some filters use relationships that are not fields of the type.
        here = class_named(field.kind.detail.names[0]) if field is not None else class_called(step)
    return here


def kind_behind(cls: type[Resource], name: str) -> FieldType | None:
    """Return the type of the attribute that a filter compares, if it has a fixed list of values."""
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
    """Reject an unknown value, which would silently match nothing."""
    where = f"filter {name!r}"
    if kind.name == "enum":
        try:
            kind.dump(value, where)
        except InvalidValueError as error:
            raise InvalidValueError(str(error), field=name) from None
        return
    known = [cls._type_name for cls in kind.detail]
    if value not in known:
        hint = did_you_mean(value, known)
        raise InvalidValueError(
            f"{where} must be {' or '.join(map(repr, known))}, got {shown(value)}.{hint}{_unchecked(name, value)}",
            field=name,
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, enum.Enum)


def unknown_name(
    what: str,
    name: str,
    known: Iterable[str],
    words: str,
    limited: Mapping[str, Versions],
    version: ApiVersion,
    advice: str,
    way_out: str = "",
) -> InvalidValueError:
    """Return the error for an unknown name, with those that the API version has.

    Args:
        what: What was tried, e.g. `dids cannot be sorted by`.
        name: The unknown name.
        known: The names of all versions.
        words: What they are.
        limited: The versions of those that not every version has.
        version: The version of the client.
        advice: What to do with the replacement of a name: the beginning of a sentence.
        way_out: A last sentence.
    """
    current: list[str] = []
    others: list[str] = []
    for known_name in known:
        (current if limited.get(known_name, EVERY_VERSION).includes(version) else others).append(known_name)
    closest = next(iter(close_names(name, [*current, *others])), "")
    replacement = limited[closest].replacement if closest in others else ""
    hint = f" {advice} {replacement} instead." if replacement else did_you_mean(name, current)
    listing = ", ".join(sorted(known_name for known_name in current if not known_name.startswith("-"))) or "none"
    return InvalidValueError(f"{what} {name!r}.{hint} Its {words}: {listing}.{way_out}", field=name)
