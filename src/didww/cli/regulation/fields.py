"""Options for the fields of a record: those of `create`, and those of `update`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from didww.cli import parameters
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

__all__ = ["FieldOption", "country_field", "field_options", "given_values", "set_values"]

F = TypeVar("F", bound="Callable[..., Any]")


class FieldOption(NamedTuple):
    """An option for a field of a record."""

    option: str
    field: str
    help: str
    metavar: str = "TEXT"
    required: bool = False
    on_update: bool = True
    country: bool = False


def country_field(option: str, field: str, text: str, *, required: bool = False, on_update: bool = True) -> FieldOption:
    """Return the option for a country, given by ISO code or name."""
    return FieldOption(option, field, text, "COUNTRY", required, on_update, country=True)


def field_options(fields: Iterable[FieldOption], *, update: bool = False) -> Callable[[F], F]:
    """Add the options to a command; with `update`, none is required and an empty text clears a field."""

    def add(command: F) -> F:
        for each in reversed([each for each in fields if each.on_update or not update]):
            command = click.option(
                each.option,
                each.field,
                metavar=each.metavar,
                required=each.required and not update,
                shell_complete=parameters.complete_countries if each.country else None,
                help=each.help,
            )(command)
        return command

    return add


def given_values(fields: Iterable[FieldOption], options: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the values of the options that were given, by field; an empty text is None."""
    return {each.field: value or None for each in fields if (value := options.get(each.field)) is not None}


@contextmanager
def _named(fields: Iterable[FieldOption]) -> Generator[None]:
    """Name the option in the error about a field."""
    try:
        yield
    except InvalidValueError as error:
        option = next((each.option for each in fields if each.field == error.field), None)
        if option is None:
            raise
        raise click.UsageError(f"{option}: {error}") from None


def set_values(client: Any, record: Any, fields: Iterable[FieldOption], values: Mapping[str, str | None]) -> None:
    """Set fields of a record; countries are looked up.

    Raises:
        UsageError: A value is not allowed.
    """
    from didww.cli import lookups

    fields = list(fields)
    countries = {each.field for each in fields if each.country}
    with _named(fields):
        for name, value in values.items():
            setattr(record, name, value if value is None or name not in countries else lookups.country(client, value))
