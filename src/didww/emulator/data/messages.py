"""Message records: plausible text messages of numbers and SMS trunks, in the CSV format of exports.

They are generated like call records (`cdr`): those of a line on a day depend only on the seed, the line and the day.
DIDWW does not publish the columns; these are the emulator's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from didww.emulator.data.cdr import caller_of, csv_line, dollars
from didww.emulator.data.drawing import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

__all__ = [
    "MESSAGES_A_DAY",
    "SMS_IN_COLUMNS",
    "SMS_OUT_COLUMNS",
    "TRUNK_TYPES",
    "MessageLine",
    "MessageSource",
    "rate_of",
    "sms_in",
    "sms_out",
]

SMS_IN_COLUMNS = (
    "Date/Time (UTC)",
    "SMS ID",
    "Status",
    "Source Address",
    "Destination Address",
    "Trunk Type",
    "SMS Trunk",
    "Message Parts",
    "Charged (USD)",
)
SMS_OUT_COLUMNS = (
    "Date/Time (UTC)",
    "SMS ID",
    "Status",
    "Source Address",
    "Destination Address",
    "Service Type",
    "SMS Trunk",
    "Sender ID",
    "Destination Country",
    "Message Parts",
    "Charged (USD)",
)
MESSAGES_A_DAY = 4.0
"""Mean number of messages of a number per weekday; a source of a trunk has five times as many."""

TRUNK_TYPES: Final = {
    "smpp_smsc": "SMPP SMSC",
    "smpp_esme": "SMPP ESME",
    "sms_to_email": "Email",
    "http_in": "HTTP IN",
}
"""The types of trunks in records of inbound messages."""

_IN: Final = ("Success",) * 96 + ("Failed",) * 3 + ("Queued",)
_OUT: Final = ("Success",) * 91 + ("Failed",) * 5 + ("Routing Error",) * 2 + ("In Progress", "Queued")
# Destinations, all reserved for fiction: prefix, following digits, country, thousandths of a dollar per part.
_DESTINATIONS: Final = (
    ("121255501", 2, "United States", 8),
    ("131255501", 2, "United States", 8),
    ("447700900", 3, "United Kingdom", 45),
    ("3363998", 4, "France", 62),
    ("49176040690", 2, "Germany", 87),
)
_ELSEWHERE: Final = ("", 70)


class MessageLine(NamedTuple):
    """A number and the trunk that receives its messages."""

    number: str
    trunk: str
    trunk_type: str


class MessageSource(NamedTuple):
    """Source addresses of an outbound trunk: those of a sender ID verification, or its DIDs."""

    id: str
    trunk: str
    addresses: tuple[str, ...]
    service_type: str
    reference: str = ""


def rate_of(number: str) -> tuple[str, int]:
    """Return the country of a destination, and the price of a message part in thousandths of a dollar."""
    fitting = (place for place in _DESTINATIONS if number.startswith(place[0]))
    return next(((country, rate) for _, _, country, rate in fitting), _ELSEWHERE)


def sms_in(
    lines: Iterable[MessageLine], start: datetime, end: datetime, seed: int, a_day: float = MESSAGES_A_DAY
) -> Iterator[tuple[str, str]]:
    """Yield the inbound messages of `lines` from `start` until before `end`, in order of time: time and CSV line."""
    every = list(lines)
    return draw([f"sms/{line.number}" for line in every], [_writer_in(line) for line in every], start, end, seed, a_day)


def sms_out(
    sources: Iterable[MessageSource], start: datetime, end: datetime, seed: int, a_day: float = MESSAGES_A_DAY
) -> Iterator[tuple[str, str]]:
    """Yield the outbound messages of trunks, like `sms_in`."""
    every = [source for source in sources if source.addresses]
    names = [f"sms/{source.id}" for source in every]
    return draw(names, [_writer_out(source) for source in every], start, end, seed, a_day * 5)


def _writer_in(line: MessageLine) -> Callable[[str, int, int], str]:
    def write(day: str, second: int, bits: int) -> str:
        status = _IN[(bits >> 24) % len(_IN)]
        return csv_line(
            (
                _moment(day, second),
                _id(bits),
                status,
                caller_of(bits),
                line.number,
                line.trunk_type,
                line.trunk,
                _parts(bits),
                dollars(0),
            )
        )

    return write


def _writer_out(source: MessageSource) -> Callable[[str, int, int], str]:
    def write(day: str, second: int, bits: int) -> str:
        begins, digits, country, rate = _DESTINATIONS[bits % len(_DESTINATIONS)]
        status, parts = _OUT[(bits >> 24) % len(_OUT)], _parts(bits)
        return csv_line(
            (
                _moment(day, second),
                _id(bits),
                status,
                source.addresses[(bits >> 4) % len(source.addresses)],
                f"{begins}{(bits >> 8) % 10**digits:0{digits}}",
                source.service_type,
                source.trunk,
                source.reference,
                country,
                parts,
                dollars(rate * parts if status == "Success" else 0),
            )
        )

    return write


def _moment(day: str, second: int) -> str:
    return f"{day} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _id(bits: int) -> str:
    return f"{bits:016x}"


def _parts(bits: int) -> int:
    return (1, 1, 1, 1, 1, 2, 2, 3)[bits >> 40 & 7]
