"""The filters of exports as options: which type of export has which filter, and in which API versions."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, get_args

import click

from didww._schema.versions import EVERY_VERSION, Versions, versions_of_values
from didww.cli import lookups, parameters
from didww.cli.export_files import NAMED_BY, file_name
from didww.cli.framework import SectionOption
from didww.resources.export import FILTER_KEYS, SmsInStatus, SmsInTrunkType, SmsOutStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from didww.cli.session import Session

__all__ = ["check_type", "filter_options", "filter_options_of", "filters_of", "reference_of"]

F = TypeVar("F", bound="Callable[..., Any]")
MAX_REFERENCE: Final = 100
"""Maximum length of a reference of one's own."""


class Value(NamedTuple):
    """The value of a filter.

    Attributes:
        value: As the service has it: the id of a related record.
        name: As people know it: the name of the record.
    """

    value: str
    name: str


def _number(_client: Any, text: str) -> Value:
    return _text(None, lookups.plain_number(text))


def _text(_client: Any, text: str) -> Value:
    return Value(text, text)


def _country(client: Any, text: str) -> Value:
    return _text(None, lookups.country_code(client, text))


def _out_trunk(client: Any, text: str) -> Value:
    return _related(lookups.by_name(client.voice_out_trunks(), text, "outbound trunk"))


def _sms_trunk(client: Any, text: str) -> Value:
    return _related(lookups.by_name(client.sms_trunks(), text, "SMS trunk"))


def _sender_id(client: Any, text: str) -> Value:
    from didww.cli.sender_ids import find

    return _related(find(client, text))


def _related(record: Any) -> Value:
    return Value(str(record.id), file_name(record.name))


class Filter(NamedTuple):
    """An option that filters an export.

    Attributes:
        help: What it selects.
        keys: The filter of the service, by type of export.
        convert: Returns the value for a text.
        metavar: What the value is called.
        choices: The values that it takes, by type of export; empty for any.
        complete: Completes the value.
    """

    help: str
    keys: Mapping[str, str]
    convert: Callable[[Any, str], Value] = _text
    metavar: str = "TEXT"
    choices: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    complete: Any = None

    def versions(self, export_type: str) -> Versions:
        """Return the API versions that have the filter for a type of export."""
        return FILTER_KEYS[export_type][self.keys[export_type]].versions


_STATUSES: Final = {"sms_in": get_args(SmsInStatus), "sms_out": get_args(SmsOutStatus)}
_SMS: Final = ("sms_in", "sms_out")

FILTERS: Final[dict[str, Filter]] = {
    "--number": Filter(
        "Calls to this number of yours.", {"cdr_in": "did_number"}, _number, "NUMBER", {}, parameters.complete_numbers
    ),
    "--trunk": Filter(
        "Calls from this outbound trunk.",
        {"cdr_out": "voice_out_trunk.id"},
        _out_trunk,
        "NAME",
        {},
        parameters.complete_out_trunks,
    ),
    "--source": Filter(
        "Calls or messages from this number or sender.",
        {"cdr_in": "source_number", "cdr_out": "source", **dict.fromkeys(_SMS, "source_address_eq")},
    ),
    "--source-contains": Filter("Senders that contain this text.", dict.fromkeys(_SMS, "source_address_cont")),
    "--source-out": Filter("Calls with this number as sent to your trunk.", {"cdr_in": "source_number_out"}),
    "--source-country": Filter(
        "Calls from this country.",
        {"cdr_in": "source_country_iso"},
        _country,
        "COUNTRY",
        {},
        parameters.complete_countries,
    ),
    "--cli": Filter("Calls with this caller ID.", {"cdr_out": "cli"}),
    "--destination": Filter(
        "Calls or messages to this number.",
        {"cdr_out": "destination", **dict.fromkeys(_SMS, "destination_address_eq")},
    ),
    "--destination-contains": Filter(
        "Messages to numbers that contain this text.", dict.fromkeys(_SMS, "destination_address_cont")
    ),
    "--status": Filter("Messages with this status.", dict.fromkeys(_SMS, "status"), choices=_STATUSES),
    "--trunk-type": Filter(
        "Messages through trunks of this type.", {"sms_in": "trunk_type"}, choices={"sms_in": get_args(SmsInTrunkType)}
    ),
    "--sms-trunk": Filter(
        "Messages through this SMS trunk.",
        dict.fromkeys(_SMS, "sms_trunk.id"),
        _sms_trunk,
        "NAME",
        {},
        parameters.complete_sms_trunks,
    ),
    "--sms-id": Filter("The message with this id.", dict.fromkeys(_SMS, "sms_id"), metavar="ID"),
    "--service-type": Filter(
        "Messages of applications (a2p) or between persons (p2p).",
        {"sms_out": "service_type"},
        choices={"sms_out": ("a2p", "p2p")},
    ),
    "--sender-id": Filter(
        "Messages with this verified sender ID.",
        {"sms_out": "sender_id_verification.id"},
        _sender_id,
        "NAME",
        {},
        parameters.complete_sender_ids,
    ),
}


def _name(option: str) -> str:
    return f"filter_{option[2:].replace('-', '_')}"


def _versions(each: Filter) -> Versions:
    """Return the versions that have an option for any type of export."""
    found = [each.versions(export_type) for export_type in each.keys]
    return next((versions for versions in found if versions == Versions()), found[0])


def filter_options(function: F) -> F:
    """Add all options; the command gets them by names that begin with `filter_`."""
    return filter_options_of(*FILTERS)(function)


def filter_options_of(*options: str) -> Callable[[F], F]:
    """Return what adds some of the options."""
    return lambda function: _with_options(function, options)


def _with_options(function: F, options: tuple[str, ...]) -> F:
    for option in reversed(options):
        each = FILTERS[option]
        words = tuple(dict.fromkeys(word for choices in each.choices.values() for word in choices))
        choices: dict[str, Any] = (
            {"type": parameters.OneOf(words), "metavar": "|".join(words)} if words else {"metavar": each.metavar}
        )
        function = click.option(
            option,
            _name(option),
            cls=SectionOption,
            section="Filters",
            versions=_versions(each),
            help=f"{each.help} For {', '.join(each.keys)}.",
            **({} if words else {"shell_complete": each.complete}),
            **choices,
        )(function)
    return function


def check_type(session: Session, export_type: str) -> None:
    """Check that the API version has a type of exports.

    Raises:
        UnsupportedVersionError: It has not.
    """
    from didww.enums import ExportType

    versions = versions_of_values(ExportType).get(export_type, EVERY_VERSION)
    session.check_versions(f"The export type {export_type} does not exist", versions)


def filters_of(
    session: Session, export_type: str, given: Mapping[str, Any], options: Iterable[str] = FILTERS
) -> dict[str, Value]:
    """Return the values of the filters that were given, by the names of the service.

    Args:
        session: The run.
        export_type: The type of export.
        given: The values of the options.
        options: The options of the command.

    Raises:
        UsageError: The type of export does not have one of them.
        UnsupportedVersionError: The API version does not have one of them.
    """
    found: dict[str, Value] = {}
    for option, each in FILTERS.items():
        text = given.get(_name(option))
        if text is None:
            continue
        if export_type not in each.keys:
            others = [name for name in options if export_type in FILTERS[name].keys]
            raise click.UsageError(
                f"{option} is for {' and '.join(each.keys)}. Filters of {export_type}: {', '.join(others)}."
            )
        session.check_versions(f"{option} does not exist for {export_type}", each.versions(export_type))
        choices = each.choices.get(export_type, ())
        if choices and text not in choices:
            raise click.UsageError(f"{option} of {export_type} is one of {', '.join(choices)}, not {text}.")
        found[each.keys[export_type]] = each.convert(session.client, text)
    return found


def reference_of(export_type: str, period: str, filters: Mapping[str, Value]) -> str:
    """Return the reference of the exports that a command makes: the same for the same command."""
    parts = (name if key in NAMED_BY else f"{key.removesuffix('.id')}={name}" for key, (_, name) in filters.items())
    text = "-".join((export_type, period, *parts))
    if len(text) <= MAX_REFERENCE:
        return text
    return f"{export_type}-{period}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
