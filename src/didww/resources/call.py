"""Call records: the rows of exports of calls.

Each attribute declares its column, in the order of the files. The readers, the dataset, the emulator and the reference
page use these declarations. Columns are found by their name, which differs between versions of the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, get_args, get_type_hints

import msgspec

from didww.enums import CallStatus, DisconnectInitiator
from didww.version import API_VERSION

__all__ = ["CallRecord", "Column", "DeclaredColumn", "InboundCall", "OutboundCall", "columns_of", "header"]

_SPLIT_SOURCE: Final = "2026-11-19"
"""The first API version whose exports of inbound calls have four columns for the source."""


class Column(NamedTuple):
    """The column of an attribute in exports.

    Attributes:
        name: Its name in exports of API version 2026-04-16; empty if they have none.
        doc: What it is.
        since: The API version that added it; exports of earlier versions have none.
        renamed: Its name since API version 2026-11-19, if another one.
        before: Its name up to API version 2022-05-10, if another one.
    """

    name: str
    doc: str
    since: str = ""
    renamed: str = ""
    before: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return tuple(filter(None, (self.name, self.renamed, self.before)))


class DeclaredColumn(NamedTuple):
    """An attribute of a record class, and its column.

    Attributes:
        attribute: Name of the attribute.
        type: Type of its values without None.
        optional: Whether values may be None.
        column: The column.
    """

    attribute: str
    type: type[Any]
    optional: bool
    column: Column


_Start: TypeAlias = Annotated[
    datetime, Column("Date/Time Start (UTC)", "Start of the call, in UTC.", before="Date/Time (UTC)")
]
_Connect: TypeAlias = Annotated[
    datetime | None, Column("Date/Time Connect (UTC)", "When the call was answered; None if it was not.")
]
_End: TypeAlias = Annotated[datetime | None, Column("Date/Time End (UTC)", "End of the call; None if not known.")]
_Status: TypeAlias = Annotated[CallStatus | None, Column("Status", "Whether the call was completed.")]
_Code: TypeAlias = Annotated[str | None, Column("Disconnect Code", "SIP code that ended the call, e.g. `486`.")]
_CallId: TypeAlias = Annotated[
    str | None, Column("Call ID", "Call identifier. All attempts of a call share it. None if the service gives none.")
]


def _split(name: str, doc: str) -> Column:
    return Column("", doc, since=_SPLIT_SOURCE, renamed=name)


class InboundCall(msgspec.Struct, frozen=True, gc=False):
    """One attempt to route a call to one of your numbers: a row of an export `cdr_in`.

    A call has one record for each attempt, all with the same `call_id`. Empty values are None, and so are those that
    the file has no column for.

    Source: docs/reference/cdr-columns.md.
    """

    time_start: _Start
    time_connect: _Connect = None
    time_end: _End = None
    status: _Status = None
    source: Annotated[str | None, Column("Source", "Caller's number.", renamed="Source Number")] = None
    cli: Annotated[str | None, _split("Source Number Out", "Caller's number as sent to the trunk.")] = None
    source_country: Annotated[str | None, _split("Source Country", "Country of the caller's number.")] = None
    source_network: Annotated[str | None, _split("Source Network", "Network of the caller's number.")] = None
    source_name: Annotated[str | None, Column("Source Name", "Caller's name (CNAM).")] = None
    did_number: Annotated[str | None, Column("Destination DID", "Called DID, E.164 digits.", before="DID")] = None
    duration: Annotated[
        int | None, Column("Duration (sec)", "Connected time, in seconds.", before="Duration (secs)")
    ] = None
    attempt: Annotated[int | None, Column("Attempt", "Number of the routing attempt, from 1.")] = None
    disconnect_code: _Code = None
    disconnect_reason: Annotated[str | None, Column("Response", "Text of the SIP or system response.")] = None
    disconnect_initiator: Annotated[
        DisconnectInitiator | None, Column("Disconnect Initiator", "Who ended the call.")
    ] = None
    trunk: Annotated[str | None, Column("Voice IN Trunk", "Name of the trunk; None if the call was not routed.")] = None
    destination: Annotated[
        str | None, Column("Destination", "Where the call was sent, such as `sip:desk@sip.example.com` or a number.")
    ] = None
    trunk_group: Annotated[str | None, Column("Trunk Group", "Name of the trunk group.")] = None
    capacity_group: Annotated[str | None, Column("Capacity Group", "Name of the shared capacity group.")] = None
    toll_free: Annotated[
        Decimal | None, Column("Toll-free (USD)", "Toll-free charge, in US dollars.", before="TollFree Amount (USD)")
    ] = None
    pstn: Annotated[
        Decimal | None,
        Column("PSTN (USD)", "Charge of forwarding to the PSTN, in US dollars.", before="Termination Amount (USD)"),
    ] = None
    metered: Annotated[
        Decimal | None,
        Column("Metered (USD)", "Charge of metered channels, in US dollars.", before="Metered Channels Amount (USD)"),
    ] = None
    cnam: Annotated[Decimal | None, Column("CNAM IN (USD)", "Charge of the caller's name, in US dollars.")] = None
    cost: Annotated[Decimal | None, Column("Total (USD)", "Sum of the charges, in US dollars.")] = None
    call_id: _CallId = None
    extra: Mapping[str, str] = {}
    """Values of columns that this SDK does not know, by their name in the file; without empty ones."""


class OutboundCall(msgspec.Struct, frozen=True, gc=False):
    """A call over one of your outbound trunks: a row of an export `cdr_out`.

    Empty values are None, and so are those that the file has no column for.

    Source: docs/reference/cdr-columns.md.
    """

    time_start: _Start
    time_connect: _Connect = None
    time_end: _End = None
    status: _Status = None
    source: Annotated[str | None, Column("Source", "Caller's number as received from you.")] = None
    cli: Annotated[str | None, Column("CLI", "Caller's number as presented to the called party.")] = None
    destination: Annotated[str | None, Column("Destination Number", "Called number.")] = None
    duration: Annotated[int | None, Column("Call Duration (sec)", "Connected time, in seconds.")] = None
    billing_duration: Annotated[int | None, Column("Billing Duration (sec)", "Billed time, in seconds.")] = None
    disconnect_code: _Code = None
    disconnect_reason: Annotated[str | None, Column("Disconnect Reason", "Text of the SIP or system response.")] = None
    trunk: Annotated[str | None, Column("Voice OUT Trunk", "Name of the outbound trunk.")] = None
    destination_country: Annotated[str | None, Column("Destination Country", "Country of the called number.")] = None
    destination_network: Annotated[str | None, Column("Network", "Network of the called number.")] = None
    call_type: Annotated[str | None, Column("Call Type", "Class of the price, such as `International`.")] = None
    rate: Annotated[Decimal | None, Column("Rate (USD)", "US dollars per minute.")] = None
    cost: Annotated[Decimal | None, Column("Charged (USD)", "Charge, in US dollars.")] = None
    p_charge_info: Annotated[str | None, Column("P-Charge-Info", "Value of the SIP header P-Charge-Info.")] = None
    call_id: _CallId = None
    extra: Mapping[str, str] = {}
    """Values of columns that this SDK does not know, by their name in the file; without empty ones."""


CallRecord: TypeAlias = InboundCall | OutboundCall


@cache
def columns_of(record_class: type[CallRecord]) -> tuple[DeclaredColumn, ...]:
    """Return the columns that a record class declares, in the order of the files."""
    declared: list[DeclaredColumn] = []
    for attribute, hint in get_type_hints(record_class, include_extras=True).items():
        column = next((item for item in getattr(hint, "__metadata__", ()) if isinstance(item, Column)), None)
        if column is not None:
            kinds = [kind for kind in get_args(hint.__origin__) or (hint.__origin__,) if kind is not NoneType]
            declared.append(DeclaredColumn(attribute, kinds[0], NoneType in get_args(hint.__origin__), column))
    return tuple(declared)


def header(record_class: type[CallRecord], version: str = API_VERSION) -> tuple[str, ...]:
    """Return the names of the columns in exports that a version of the API creates."""
    names = (
        column.renamed if column.renamed and version >= _SPLIT_SOURCE else column.name
        for *_, column in columns_of(record_class)
        if version >= column.since
    )
    return tuple(names)
