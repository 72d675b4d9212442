"""Call records: plausible calls of numbers and outbound trunks, in the CSV format of exports.

Calls are generated, not stored: those of a number on a day depend only on the seed, the number and the day, so a record
is the same in every export, and long periods need no memory. Calls are generated for the whole period, even before a
number was bought, so that new accounts have data. Callers are numbers reserved for fiction.

Prices are integers until a record is formatted, and are entered in a ledger before.
"""

from __future__ import annotations

import csv
import io
import math
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from didww.emulator.data.drawing import draw, splitmix64, time_of
from didww.emulator.data.outages import Outage  # noqa: TC001 msgspec resolves it
from didww.resources.call import InboundCall, OutboundCall, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

__all__ = [
    "ALWAYS_METERED",
    "CALLS_A_DAY",
    "CDR_IN_COLUMNS",
    "CDR_OUT_COLUMNS",
    "SOURCES_SINCE",
    "Attempt",
    "Entry",
    "Line",
    "OutLine",
    "caller_of",
    "cdr_in",
    "cdr_out",
    "charges",
    "csv_line",
    "dollars",
    "network_of",
    "with_split_source",
]

CDR_IN_COLUMNS: Final = header(InboundCall)
CDR_OUT_COLUMNS: Final = header(OutboundCall)
_NEW_COLUMNS: Final = header(InboundCall, "2026-11-19")
_SOURCE_COLUMNS: Final = tuple(name for name in _NEW_COLUMNS if name not in CDR_IN_COLUMNS)
SOURCES_SINCE: Final = "2026-11-19"
"""The first API version whose exports of inbound calls have four columns instead of `Source`."""

CALLS_A_DAY = 5.0
"""Mean number of calls of a number per weekday."""
_NAMES = ("", "", "", "Alex Example", "Sam Sample", "Robin Model", "Example Ltd")
# How a call ends: weight, answered, SIP code, response, who ended it.
_ENDINGS_IN = (
    (46, True, "200", "Bye", "Origination"),
    (34, True, "200", "Bye", "Destination"),
    (8, False, "487", "Request Terminated", "Origination"),
    (6, False, "486", "Busy Here", "Destination"),
    (4, False, "480", "Temporarily Unavailable", "Destination"),
    (2, False, "404", "Not Found", "Destination"),
)
_ENDINGS_OUT = (
    (76, True, "200", "Normal call clearing", ""),
    (9, False, "486", "Busy here", ""),
    (8, False, "487", "Request terminated", ""),
    (4, False, "480", "Temporarily unavailable", ""),
    (3, False, "404", "Not found", ""),
)
_TRIED_AGAIN = ("486", "480", "404")
# By prefix: country, network, thousandths of a dollar per minute; the longest match applies.
_NETWORKS = {
    "1": ("United States", "Fixed", 5),
    "33": ("France", "Fixed", 7),
    "336": ("France", "Mobile", 21),
    "337": ("France", "Mobile", 21),
    "44": ("United Kingdom", "Fixed", 8),
    "447": ("United Kingdom", "Mobile", 24),
    "49": ("Germany", "Fixed", 6),
    "491": ("Germany", "Mobile", 26),
    "61": ("Australia", "Fixed", 14),
    "614": ("Australia", "Mobile", 38),
}
_ELSEWHERE = ("", "", 30)
# Destinations of outbound calls, all reserved for fiction: share of 32 calls, prefix, following digits.
_DESTINATIONS = (
    (9, "121255501", 2),
    (6, "131255501", 2),
    (6, "442079460", 3),
    (4, "447700900", 3),
    (2, "493023125", 3),
    (1, "49176040690", 2),
    (2, "3319900", 4),
    (1, "3363998", 4),
    (1, "6125550", 4),
)
_OF = 32
_TOLL_FREE_RATE = 18
_CNAM_PRICE = 4  # thousandths of a dollar per call
ALWAYS_METERED = 16
"""Metered calls of 16 answered calls to a number."""

_QUANTILES = 4096
_OUTAGE = 100  # place of the bits that decide about outages among those of a call


class Attempt(NamedTuple):
    """A routing attempt: trunk name, address, whether it is a PSTN number, whether CNAM lookup is on, failing hours."""

    trunk: str
    destination: str
    forwarded: bool = False
    names: bool = False
    outage: Outage | None = None


class Line(NamedTuple):
    """A number and its routing attempts, in order.

    `metered_share` of 16 calls cost `metered_rate` thousandths of a dollar per minute.
    """

    number: str
    attempts: tuple[Attempt, ...] = ()
    group: str = ""
    capacity_group: str = ""
    metered_rate: int = 0
    toll_free: bool = False
    metered_share: int = 4


class Charges(NamedTuple):
    """The charges of an inbound call, in thousandths of a dollar."""

    toll_free: int
    pstn: int
    metered: int
    cnam: int


class OutLine(NamedTuple):
    """An outbound trunk, its source numbers, and the hours in which it fails."""

    id: str
    name: str
    callers: tuple[str, ...] = ()
    outage: Outage | None = None


class Entry(NamedTuple):
    """An attempt in the ledger: trunk name, own number, whether answered, seconds, and thousandths of a dollar."""

    trunk: str
    number: str
    answered: bool
    seconds: int
    price: int


_Enter: TypeAlias = "Callable[[Entry], object] | None"


def csv_line(values: Sequence[object]) -> str:
    """Return a line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def network_of(number: str) -> tuple[str, str, int]:
    """Return country, network, and thousandths of a dollar per minute of a known number."""
    beginnings = (number[:n] for n in range(len(number), 0, -1))
    return next((_NETWORKS[prefix] for prefix in beginnings if prefix in _NETWORKS), _ELSEWHERE)


def charges(line: Line, where: Attempt | None, seconds: int, *, named: bool = False, metered: bool = False) -> Charges:
    """Return the charges of a call to `line` routed to `where`; only CNAM if not answered."""
    return Charges(
        _price(_TOLL_FREE_RATE, seconds) if line.toll_free else 0,
        _price(network_of(where.destination)[2], seconds) if where is not None and where.forwarded else 0,
        _price(line.metered_rate, seconds) if metered else 0,
        _CNAM_PRICE if named and where is not None and where.names else 0,
    )


def cdr_in(
    lines: Iterable[Line], start: datetime, end: datetime, seed: int, a_day: float = CALLS_A_DAY, enter: _Enter = None
) -> Iterator[tuple[str, str]]:
    """Yield the inbound calls of `lines` from `start` until before `end`, in order of time: time and CSV line.

    `enter` is called with the entry of each attempt.
    """
    every = list(lines)
    writers = [_writer_in(line, enter) for line in every]
    return draw([line.number for line in every], writers, start, end, seed, a_day)


def cdr_out(
    lines: Iterable[OutLine],
    start: datetime,
    end: datetime,
    seed: int,
    a_day: float = CALLS_A_DAY,
    enter: _Enter = None,
) -> Iterator[tuple[str, str]]:
    """Yield the outbound calls of trunks; a trunk has eight times the calls of a number."""
    every = list(lines)
    return draw([line.id for line in every], [_writer_out(line, enter) for line in every], start, end, seed, a_day * 8)


def _writer_in(line: Line, enter: _Enter) -> Callable[[str, int, int], str]:
    durations, endings = _durations(), _endings(_ENDINGS_IN)
    tries = [
        (
            f"{_quote(attempt.trunk)},{_quote(attempt.destination)},{_quote(line.group)},{_quote(line.capacity_group)}",
            attempt,
        )
        for attempt in line.attempts
    ]
    unrouted = f",,{_quote(line.group)},{_quote(line.capacity_group)}"

    def write(day: str, second: int, bits: int) -> str:
        source, name = caller_of(bits), _NAMES[(bits >> 20) % len(_NAMES)]
        call_id = f"{splitmix64(bits, 1):016x}"
        if not tries:
            if enter is not None:
                enter(Entry("", line.number, False, 0, 0))
            start = time_of(day, second)
            return (
                f"{start},,{start},Failed,{source},{name},{line.number},0,1,404,Not Found,System,{unrouted},"
                f"0.000,0.000,0.000,0.000,0.000,{call_id}\n"
            )
        rows = ""
        for attempt, (place, where) in enumerate(tries, start=1):
            _, answered, code, response, ended_by = endings[(bits >> 24) % 100]
            began = time_of(day, second)
            down = _is_down(where.outage, began, bits)
            if down and where.outage is not None:
                answered, (code, response), ended_by = False, where.outage.ending, "Destination"
            ringing = 2 + (bits >> 32) % 23
            duration = durations[(bits >> 40) % _QUANTILES] if answered else 0
            connected = time_of(day, second + ringing) if answered else ""
            ended = time_of(day, second + ringing + duration)
            metered = bits >> 52 & 15 < line.metered_share
            cost = charges(line, where, duration, named=bool(name), metered=metered)
            if enter is not None:
                enter(Entry(where.trunk, line.number, answered, duration, sum(cost)))
            rows += (
                f"{began},{connected},{ended},{'Completed' if answered else 'Failed'},{source},{name},"
                f"{line.number},{duration},{attempt},{code},{response},{ended_by},{place},"
                f"{','.join(dollars(amount) for amount in (*cost, sum(cost)))},{call_id}\n"
            )
            if answered or not (down or code in _TRIED_AGAIN):
                break
            second, bits = second + ringing, splitmix64(bits, attempt + 1)
        return rows

    return write


def _writer_out(line: OutLine, enter: _Enter) -> Callable[[str, int, int], str]:
    durations, endings = _durations(), _endings(_ENDINGS_OUT)
    trunk = _quote(line.name)
    destinations = [
        (begins, digits, *network_of(begins)) for share, begins, digits in _DESTINATIONS for _ in range(share)
    ]

    def write(day: str, second: int, bits: int) -> str:
        cli = line.callers[(bits >> 4) % len(line.callers)] if line.callers else ""
        begins, digits, country, network, rate = destinations[bits % _OF]
        number = f"{begins}{(bits >> 8) % 10**digits:0{digits}}"
        _, answered, code, reason, _ = endings[(bits >> 24) % 100]
        began = time_of(day, second)
        if line.outage is not None and _is_down(line.outage, began, bits):
            answered, (code, reason) = False, line.outage.ending
        ringing = 2 + (bits >> 32) % 23
        duration = durations[(bits >> 40) % _QUANTILES] if answered else 0
        billed = -(-duration // 60) * 60
        price = _price(rate, billed)
        connected = time_of(day, second + ringing) if answered else ""
        if enter is not None:
            enter(Entry(line.name, cli, answered, duration, price))
        return (
            f"{began},{connected},{time_of(day, second + ringing + duration)},"
            f"{'Completed' if answered else 'Failed'},{cli},{cli},{number},{duration},{billed},{code},{reason},{trunk},"
            f"{country},{network},International,{dollars(rate)},{dollars(price)},,{splitmix64(bits, 1):016x}\n"
        )

    return write


def _is_down(outage: Outage | None, began: str, bits: int) -> bool:
    """Return whether an attempt fails because its trunk does."""
    return outage is not None and outage.covers(began) and outage.fails(splitmix64(bits, _OUTAGE))


def with_split_source(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a file of inbound calls with the columns of the source in version 2026-11-19."""
    place = CDR_IN_COLUMNS.index("Source")
    # A text can have the lines of several attempts, and a value a line break.
    for number, row in enumerate(row for text in lines for row in csv.reader(io.StringIO(text, newline=""))):
        source = row[place]
        split = (source, source, *network_of(source)[:2]) if number else _SOURCE_COLUMNS
        yield csv_line([*row[:place], *split, *row[place + 1 :]])


def dollars(thousandths: int) -> str:
    """Format an amount for call records."""
    return f"{thousandths / 1000:.3f}"


def _price(rate: int, seconds: int) -> int:
    """Return thousandths of a dollar, rounded half up."""
    return (rate * seconds * 2 + 60) // 120


def _quote(text: str) -> str:
    return csv_line([text])[:-1] if text else ""


@cache
def _durations() -> list[int]:
    """Return call durations by draw from 0 to 4095: about a minute, with a long tail."""
    normal = NormalDist(4.3, 1.0)
    return [min(4 * 3600, int(math.exp(normal.inv_cdf((n + 0.5) / _QUANTILES))) + 1) for n in range(_QUANTILES)]


@cache
def _endings(table: tuple[tuple[int, bool, str, str, str], ...]) -> list[tuple[int, bool, str, str, str]]:
    """Return the endings by draw from 0 to 99."""
    return [ending for ending in table for _ in range(ending[0])]


def caller_of(bits: int) -> str:
    """Return a caller of a reserved range: 555-01XX of some area codes, or Ofcom's for London and mobiles."""
    kind, n = bits % 3, bits >> 2
    if kind == 0:
        return f"1{(212, 312, 415, 617)[n & 3]}55501{(n >> 2) % 100:02}"
    return f"{('', '442079460', '447700900')[kind]}{n % 1000:03}"
