"""Options made from the declaration of a resource: filters, sort keys, includes and writable fields."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.columns import versions_at
from didww._schema.filter_rules import (
    filter_rules,
    filter_versions,
    include_paths,
    includes,
    sort_keys,
    sort_versions,
)
from didww._schema.registry import class_called, class_named
from didww._schema.versions import EVERY_VERSION
from didww.cli import lookups, parameters
from didww.cli.choices import choices, limited
from didww.cli.framework import SectionOption, is_in_use, names_in_help
from didww.cli.messages import for_shell
from didww.cli.records import values
from didww.cli.records.slots import Slot, slots
from didww.cli.records.targets import Targets, named_by, noun
from didww.cli.records.words import sentence, words
from didww.cli.secret_files import read_secret
from didww.exceptions import InvalidValueError, UnsupportedVersionError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from click.shell_completion import CompletionItem

    from didww._schema.filter_rules import FilterRule
    from didww._schema.resource import Resource
    from didww._schema.versions import Versions

if TYPE_CHECKING:
    _ParamType = click.ParamType[str, str]
else:
    _ParamType = click.ParamType  # generic since click 8.5 only

__all__ = ["Names", "field_options", "filter_of", "is_named", "list_options", "naming", "take_name", "values_of"]

_MAX_SHOWN: Final = 4
"""Choices shown in place of the value; more are listed in the help text."""
_MAX_LISTED: Final = 20
_SEVERAL: Final = ("list", "many", "map", "text or map")
"""Types of fields whose options can be repeated."""
_PHRASES: Final = (("a dict of form fields", "form fields as NAME=VALUE, or a JSON object of them,"),)
"""What descriptions of fields say to programs, and what it is on a command line."""
_METAVARS: Final = {
    "map": "NAME=VALUE",
    "text or map": "TEXT|NAME=VALUE",
    "integer": "N",
    "decimal": "AMOUNT",
    "date": "YYYY-MM-DD",
}
_FILTERS: Final = "Filters"
_FIELDS: Final = "Fields"
_COMPARISONS: Final = {
    "_contains": ("contains this text", ""),
    "_gteq": ("is at least this", "this time or later"),
    "_lteq": ("is at most this", "this time or earlier"),
}
"""What the ending of a filter means, for other values and for times."""
_COMPLETIONS: Final = {
    "countries": parameters.complete_countries,
    "dids": parameters.complete_numbers,
    "voice_in_trunks": parameters.complete_trunks,
    "voice_in_trunk_groups": parameters.complete_groups,
}


class Names(_ParamType):
    """One of some names; a wrong one gets a suggestion.

    Args:
        known: The names.
        metavar: What stands for the value in the help.
        limited: The names that not every API version has, with the versions that have them.
    """

    name = "name"

    def __init__(self, known: Iterable[str], metavar: str = "", limited: Mapping[str, Versions] | None = None) -> None:
        self.known = tuple(known)
        self.limited = limited or {}
        few = len(self.known) <= _MAX_SHOWN
        self.metavar = f"[{'|'.join(self.known)}]" if few or not metavar else metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check a name."""
        from didww._util.suggest import did_you_mean

        if value not in self.known:
            text = did_you_mean(value, self.known) or f" Names: {names_in_help(self.known, self.limited)}."
            self.fail(f"There is no {value!r:.80}.{text}", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 the signature of click
        """Complete a name of the API version."""
        from click.shell_completion import CompletionItem

        return [
            CompletionItem(name)
            for name in self.known
            if name.startswith(incomplete) and is_in_use(ctx, self.limited.get(name, EVERY_VERSION))
        ]


def _plain_doc(text: str) -> str:
    """Return the first sentence of a description in words for a command line, without None and markup."""
    sentence = re.split(r"(?<!e\.g)(?<!i\.e)\.\s+(?=[A-Z`])", text, maxsplit=1)[0]
    sentence = re.sub(r",? (?:or|and) None\b[^.,;:]*|, or$", "", sentence.rstrip("."))
    for phrase, other in _PHRASES:
        sentence = sentence.replace(phrase, other)
    return f"{sentence.replace('`', '')}."


# Lists


def list_options(cls: type[Resource]) -> list[click.Parameter]:
    """Return the options of a list: filters, sort keys, includes."""
    options: list[click.Parameter] = [
        _filter_option(cls, name, rule) for name, rule in filter_rules(cls).items() if not (rule.alias or rule.ignored)
    ]
    if keys := sort_keys(cls):
        versions = sort_versions(cls)
        known = names_in_help(keys[::2], versions)
        help_text = f"Sort key; a minus before it reverses the order. Keys: {known}."
        names = Names(keys, limited=versions)
        options.append(click.Option(["--sort"], type=names, metavar="KEY", help=help_text))
    if includes(cls):
        options.append(include_option(cls))
    return options


def include_option(cls: type[Resource]) -> click.Option:
    """Return the option for related records."""
    known = include_paths(cls)
    versions = {path: versions_at(cls, path) for path in known}
    names = names_in_help(includes(cls), versions)
    help_text = f"Load related records, too; repeatable. Names, also several with dots between: {names}."
    complete = Names(known, limited=versions).shell_complete
    return click.Option(["--include"], multiple=True, metavar="PATH", help=help_text, shell_complete=complete)


def _filter_name(name: str) -> str:
    """Return the name of the option of a filter."""
    return name.removesuffix(".id").replace(".", "_")


def _filter_option(cls: type[Resource], name: str, rule: FilterRule) -> click.Option:
    key = _filter_name(name)
    option = f"--{key.replace('_', '-')}"
    field = cls._field_map.get(key)
    versions = filter_versions(cls).get(name, EVERY_VERSION)
    if rule.value == "boolean":
        text = _plain_doc(field.doc) if field is not None else f"Filter by {name}."
        pair = f"{option}/--no-{option[2:]}"
        return SectionOption([pair, f"filter_{key}"], section=_FILTERS, versions=versions, default=None, help=text)
    target = class_called(key.rpartition(".")[2]) if name.endswith(".id") else None
    text = f"Filter by {words(key)}."
    metavar = named_by(target) if target is not None else "ID" if name.endswith(".id") or name == "id" else "VALUE"
    type_: Any = click.STRING
    complete = None if target is None else _COMPLETIONS.get(target._type_name)
    if field is not None and field.kind.name == "enum":
        type_ = Names(choices(field.kind.detail), "NAME", limited(field.kind.detail))
        metavar = type_.metavar
        listed = names_in_help(type_.known[:_MAX_LISTED], type_.limited)
        text = f"{text} Names: {listed}." if metavar == "NAME" else text
        complete = type_.shell_complete
    ending = next((ending for ending in _COMPARISONS if key.endswith(ending)), None)
    if ending is not None:
        of_time = rule.value == "datetime"
        text = f"{sentence(key.removesuffix(ending))} {_COMPARISONS[ending][of_time]}."
        metavar = "TIME" if of_time else metavar
    if rule.nullable and not rule.never_empty:
        text = f"{text[:-1]}; none: without one."
    multiple = rule.multiple
    text = f"{text[:-1]}; repeatable." if multiple else text
    return SectionOption(
        [option, f"filter_{key}"],
        section=_FILTERS,
        versions=versions,
        type=type_,
        multiple=multiple,
        metavar=metavar,
        help=text,
        shell_complete=complete,
    )


def filter_of(cls: type[Resource], given: Mapping[str, Any], more: Iterable[tuple[str, str]], client: Any) -> Any:
    """Return the filter of a list.

    Args:
        cls: The resource.
        given: The values of the options.
        more: The values of `--filter`.
        client: Finds records by name.
    """
    targets = Targets(client)
    query = parameters.query_of(cls, more)
    for name, rule in filter_rules(cls).items():
        key = f"filter_{_filter_name(name)}"
        if rule.alias or rule.ignored or given.get(key) in (None, ()):
            continue
        texts = given[key] if rule.multiple else [given[key]]
        query[name] = _filter_value(name, rule, texts, targets)
    return query or None


def _filter_value(name: str, rule: FilterRule, texts: Sequence[Any], targets: Targets) -> Any:
    if rule.value == "boolean":
        return texts[0]
    if rule.nullable and texts[-1].strip().lower() in ("", "none"):
        return None
    if rule.value == "integer":
        return int(texts[0]) if texts[0].isdecimal() else texts[0]
    target = class_called(_filter_name(name)) if name.endswith(".id") else None
    if name in ("number", "did_number"):
        texts = [lookups.plain_number(text) for text in texts]
    found = [text if target is None else targets.find(target, text).id for text in texts]
    return found if rule.multiple else found[0]


# Fields


def field_options(cls: type[Resource], *, creating: bool) -> list[click.Parameter]:
    """Return an option for each writable field, the required ones first."""
    known = slots(cls, creating=creating)
    ordered = sorted(known.values(), key=lambda slot: not (creating and _required(slot)))
    return [option for slot in ordered for option in _slot_options(slot, creating=creating)]


def is_named(cls: type[Resource]) -> bool:
    """Return whether a new record has a name, which is then an argument, too."""
    name = slots(cls, creating=True).get("name")
    return name is not None and _required(name)


def take_name(ctx: click.Context, name: str) -> None:
    """Use the argument NAME as the option of the field.

    Raises:
        UsageError: The option was given, too.
    """
    if ctx.params.get("field_name") is not None:
        raise click.UsageError("NAME and --name exclude each other.", ctx)
    ctx.params["field_name"] = name


def _required(slot: Slot) -> bool:
    return slot.field.required and slot.parent is None


def _slot_options(slot: Slot, *, creating: bool) -> Iterator[click.Option]:
    field, kind = slot.field, slot.field.kind
    doc, section = _plain_doc(field.doc), _section(slot)
    required = " Required." if creating and _required(slot) else ""
    required = " Required, here or as NAME." if required and slot.name == "name" else required
    versions = field.versions
    if slot.types is not None:
        metavar = f"[{'|'.join(slot.types)}]"
        needed = "Required, unless other options imply it." if required else "Not needed if other options imply it."
        help_text = f"Type of the {words(field.name)}. {needed}"
        names = [slot.option, "--type", _key(slot)]
        yield SectionOption(names, section=section, metavar=metavar, help=help_text)
        return
    if kind.name == "boolean":
        pair = f"{slot.option}/--no-{slot.option[2:]}"
        text = f"{doc}{required}"
        yield SectionOption([pair, _key(slot)], section=section, versions=versions, default=None, help=text)
        return
    several = kind.name in _SEVERAL
    metavar, doc, complete = _described(slot, doc)
    yield SectionOption(
        [slot.option, _key(slot)],
        section=section,
        versions=versions,
        multiple=several,
        metavar=metavar,
        help=f"{doc[:-1]}; repeatable.{required}" if several else f"{doc}{required}",
        shell_complete=complete,
    )
    if field.secret:
        file_help = (
            f"File with the value of {slot.option}, which would show in the list of processes; - for standard input."
        )
        yield SectionOption(
            [f"{slot.option}-file", f"file_{slot.name}"], section=section, metavar="FILE", help=file_help
        )
    if not creating and (field.clearable or kind.name in ("list", "many")):
        yield SectionOption(
            [f"--no-{slot.option[2:]}", f"clear_{slot.name}"], versions=versions, is_flag=True, hidden=True
        )


def _key(slot: Slot) -> str:
    return f"field_{slot.name}"


def _section(slot: Slot) -> str:
    """Return the section of a field: the members of nested objects are in one for each type."""
    if slot.parent is None:
        return _FIELDS
    return f"{sentence(slot.parent.name)} of type {' or '.join(slot.homes)}"


def _described(slot: Slot, doc: str) -> tuple[str, str, Any]:
    """Return placeholder, help text and completion of a field."""
    kind = slot.field.kind
    item = kind.detail if kind.name == "list" else kind
    if item.name in ("one", "many"):
        classes = [class_named(name) for name in item.detail.names]
        complete = _COMPLETIONS.get(classes[0]._type_name)
        if len(classes) > 1:
            return "|".join(f"{noun(cls)}:ID" for cls in classes), doc, None
        return named_by(classes[0]), doc, complete
    if item.name == "enum":
        names = Names(choices(item.detail), "NAME", limited(item.detail))
        if names.metavar == "NAME" and len(names.known) <= _MAX_LISTED:
            doc = f"{doc[:-1]}: {names_in_help(names.known, names.limited)}."
        return names.metavar, doc, names.shell_complete
    if item.name == "object":
        return "NAME=VALUE,...", doc, None
    return _METAVARS.get(item.name, "TEXT"), doc, None


def values_of(ctx: click.Context, cls: type[Resource], *, creating: bool, targets: Targets) -> dict[str, Any]:
    """Return the values of the options of fields, by name.

    Raises:
        BadParameter: A value is not allowed.
    """
    given: dict[str, Any] = {}
    for name, slot in slots(cls, creating=creating).items():
        value = ctx.params.get(_key(slot))
        clear = ctx.params.get(f"clear_{name}", False)
        file = ctx.params.get(f"file_{name}")
        if file is not None:
            if clear or value not in (None, ()):
                raise click.UsageError(f"{slot.option}-file goes without {slot.option}.", ctx)
            value = read_secret(file, f"{slot.option}-file")
        if clear and value not in (None, ()):
            raise click.UsageError(f"{slot.option} and --no-{slot.option[2:]} exclude each other.", ctx)
        try:
            if clear:
                given[name] = values.blank(slot.field)
            elif isinstance(value, bool):
                given[name] = value
            elif value not in (None, ()):
                given[name] = values.parse(slot, [value] if isinstance(value, str) else value, targets)
        except InvalidValueError as error:
            raise click.BadParameter(cell_error(slot, error), ctx, param_hint=f"'{slot.option}'") from None
    return given


@contextmanager
def naming(cls: type[Resource], *, creating: bool) -> Generator[None]:
    """Name options in errors about fields of a record that was made of options.

    Raises:
        UsageError: A value is invalid.
    """
    try:
        yield
    except UnsupportedVersionError:
        raise
    except InvalidValueError as error:
        known = slots(cls, creating=creating)
        text = re.sub(
            r"\b[A-Z]\w+(?:\.\w+)*\.(\w+)\b",
            lambda match: known[match[1]].option if match[1] in known else match[0],
            for_shell(str(error)),
        )
        raise click.UsageError(text, click.get_current_context(silent=True)) from None


def cell_error(slot: Slot, error: InvalidValueError) -> str:
    """Return the message of an error about a value, without the name of its field."""
    return re.sub(rf"^{re.escape(slot.field.label)}(?=[\[ ])", "It", str(error))
