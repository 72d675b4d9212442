"""Options that set declared fields: the declaration gives their values, ranges and choices, and checks them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import click

from didww.cli.choices import choices, word
from didww.cli.records.values import scalar
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from enum import Enum

    from click.shell_completion import CompletionItem

    from didww._schema.fields import Field
    from didww._schema.record import Record

__all__ = ["FieldOption", "described", "differences", "given", "in_words", "naming_options", "parse", "values_of"]

FEW: Final = 5
"""Maximum number of choices that are shown in the place of the value."""
WIDE: Final = 40
"""Maximum width of these."""


class _Given(NamedTuple):
    """A value that was given; None means that it is to be unset."""

    value: Any

    def __repr__(self) -> str:
        return "given"  # it can be a password


class FieldOption(click.Option):
    """An option that sets a field.

    Args:
        names: The option, such as `--port`, or several. A boolean has `--no-port` too, and a list can be repeated.
        cls: The class of the record or nested object.
        field: Name of the field.
        help: What it means. Range and choices are added from the declaration.
        section: Title of its section in the help.
        convert: Returns the value for a text, or raises an error.
        metavar: What the value is called.
    """

    def __init__(
        self,
        names: str,
        cls: type[Record],
        field: str,
        help: str,
        *,
        section: str = "Options",
        convert: Callable[[str], Any] | None = None,
        metavar: str | None = None,
    ) -> None:
        self.field: Field = cls._field_map[field]
        self.section = section
        self.cls = cls
        self.convert = convert
        name, *others = names.split()
        self.label = name.removeprefix("--").replace("-", " ")
        kind = self.field.kind.name
        declared = f"{name}/--no-{name.removeprefix('--')}" if kind == "boolean" else name
        attributes: dict[str, Any] = (
            {} if kind == "boolean" else {"metavar": metavar or _metavar(self.field), "type": str}
        )
        super().__init__(
            [declared, *others, field],
            default=None,
            multiple=kind == "list",
            help=_help(self.field, help),
            callback=_take,
            shell_complete=_complete,
            **attributes,
        )


def _metavar(field: Field) -> str:
    words = list(_words(field))
    if 0 < len(words) <= FEW and len("|".join(words)) <= WIDE:
        return "|".join(words)
    if words:
        return "NAME"
    return {"integer": "N", "decimal": "USD", "list": "LIST"}.get(field.kind.name, "TEXT")


def _help(field: Field, text: str) -> str:
    words = list(_words(field))
    parts = [text]
    if _metavar(field) == "NAME":
        parts.append(f"Values: {', '.join(words)}.")
    if field.kind.name == "integer" and field.ge is not None:
        parts.append(f"{field.ge} to {field.le}." if field.le is not None else f"At least {field.ge}.")
    if field.kind.name == "list":
        parts.append("Separated by commas.")
    return " ".join(parts)


def _take(ctx: click.Context, param: click.Parameter, value: Any) -> _Given | None:
    """Return the value of an option, converted and checked."""
    if value is None or value == ():
        return None
    option = cast("FieldOption", param)
    try:
        return _Given(parse(option.field, value if option.convert is None else option.convert(value)))
    except InvalidValueError as error:
        raise click.BadParameter(str(error).removeprefix(f"{option.field.label} "), ctx, param) from None


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 click's
    from click.shell_completion import CompletionItem

    before, comma, last = incomplete.rpartition(",")
    words = _words(cast("FieldOption", param).field)
    return [CompletionItem(f"{before}{comma}{word}") for word in words if word.startswith(last.lower())]


# Words


def _enum_of(field: Field) -> type[Enum] | None:
    kind = field.kind.detail if field.kind.name == "list" else field.kind
    return cast("type[Enum]", kind.detail) if getattr(kind, "name", "") == "enum" else None


def _words(field: Field) -> dict[str, Enum]:
    """Return the choices of a field by their words."""
    cls = _enum_of(field)
    return {} if cls is None else choices(cls)


def parse(field: Field, value: Any) -> Any:
    """Return the value of a field from texts: words for choices, `none` to unset it, commas between items.

    Raises:
        InvalidValueError: The field does not take it.
    """
    listed = field.kind.name == "list"
    texts: list[Any] = [part.strip() for text in value for part in text.split(",")] if listed else [value]
    if texts == ["none"] and field.clearable and "none" not in _words(field):
        return None
    kind = field.kind.detail if listed else field.kind
    items = [scalar(kind, text) if isinstance(text, str) else text for text in texts if text != "" or not listed]
    result = items if listed else items[0]
    field.dump(result)
    return result


def in_words(field: Field, value: Any, *, secrets: bool = False) -> str:
    """Return the value of a field as the options take it, with secrets masked unless `secrets` is true."""
    if value is None:
        return "none"
    if field.secret and not secrets:
        return "***"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return ", ".join(in_words(field, item, secrets=secrets) for item in items) or "none"
    return word(value) if hasattr(value, "is_known") else str(value)


# Values


def given(options: Iterable[FieldOption], values: Mapping[str, Any], cls: type[Record]) -> dict[str, Any]:
    """Return the given values of the fields of one class."""
    found: dict[str, Any] = {}
    for option in options:
        value = values.get(option.field.name)
        if option.cls is cls and isinstance(value, _Given):
            found[option.field.name] = value.value
    return found


def values_of(options: Iterable[FieldOption], record: Record) -> dict[str, Any]:
    """Return the current values of the fields that options set."""
    import copy

    names = [option.field.name for option in options if isinstance(record, option.cls)]
    return {name: copy.copy(getattr(record, name)) for name in names}


def described(options: Iterable[FieldOption], record: Record, *, secrets: bool) -> dict[str, str]:
    """Return the fields that options set and that have a value, as label and words."""
    return {
        option.label: in_words(option.field, value, secrets=secrets)
        for option in options
        if isinstance(record, option.cls) and (value := getattr(record, option.field.name)) not in (None, [])
    }


def differences(options: Sequence[FieldOption], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return a line for each field that changes, from what to what."""
    lines: list[str] = []
    for option in options:
        name = option.field.name
        if name in after and before.get(name) != after[name]:
            old, new = (in_words(option.field, each.get(name)) for each in (before, after))
            lines.append(f"{option.label}: {old} -> {new}")
    return lines


@contextmanager
def naming_options(options: Iterable[FieldOption], **others: str) -> Generator[None]:
    """Name the options, not the fields, in errors about values.

    Args:
        options: Options of fields.
        **others: More options, by the field that they set.

    Raises:
        UsageError: A value is invalid.
    """
    try:
        yield
    except InvalidValueError as error:
        names = {**others, **{option.field.name: option.opts[0] for option in options}}
        pattern = rf"\b(?:[A-Z]\w+\.)?({'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\b"
        raise click.UsageError(
            re.sub(pattern, lambda match: names[match[1]], str(error)), click.get_current_context(silent=True)
        ) from None
