"""Call records: plausible calls of an account's numbers, as the CSV that an export holds.

Made, not stored: the calls of a number on a day follow from the seed, the number and the day alone, so a record is the
same in every export whatever its period, and a large period costs no memory. History is made up for the whole period
asked for, also before a number was bought, so that a new account has something to look at. Callers are numbers of
ranges reserved for fiction. Columns: cdr-exports sheet, sections 4.1 and 4.2.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CDR_IN_COLUMNS", "CDR_OUT_COLUMNS", "Line", "cdr_in", "packed_csv"]

CDR_IN_COLUMNS = (
    "Date/Time Start (UTC)",
    "Date/Time Connect (UTC)",
    "Date/Time End (UTC)",
    "Status",
    "Source",
    "Source Name",
    "Destination DID",
    "Duration (sec)",
    "Attempt",
    "Disconnect Code",
    "Response",
    "Disconnect Initiator",
    "Voice IN Trunk",
    "Destination",
    "Trunk Group",
    "Capacity Group",
    "Toll-free (USD)",
    "PSTN (USD)",
    "Metered (USD)",
    "CNAM IN (USD)",
    "Total (USD)",
    "Call ID",
)
CDR_OUT_COLUMNS = (
    "Date/Time Start (UTC)",
    "Date/Time Connect (UTC)",
    "Date/Time End (UTC)",
    "Status",
    "Source",
    "CLI",
    "Destination Number",
    "Call Duration (sec)",
    "Billing Duration (sec)",
    "Disconnect Code",
    "Disconnect Reason",
    "Voice OUT Trunk",
    "Destination Country",
    "Network",
    "Call Type",
    "Rate (USD)",
    "Charged (USD)",
    "P-Charge-Info",
    "Call ID",
)

# How many calls start in each hour of the day, relative to each other.
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 14, 16, 18, 17, 14, 10, 8, 6, 4, 3, 2, 1)
MOST_CALLS_A_DAY = 12
PSTN_RATE = Decimal("0.012")  # USD a minute, for calls that are forwarded to a telephone number
NAMES = ("", "", "", "Alex Example", "Sam Sample", "Robin Model", "Example Ltd")
# How a call ends: weight, answered, SIP code, response, who ended it.
ENDINGS = (
    (46, True, "200", "Bye", "Origination"),
    (34, True, "200", "Bye", "Destination"),
    (8, False, "487", "Request Terminated", "Origination"),
    (6, False, "486", "Busy Here", "Destination"),
    (4, False, "480", "Temporarily Unavailable", "Destination"),
    (2, False, "404", "Not Found", "Destination"),
)
# What happens to calls of a number that leads nowhere.
UNROUTED = (False, "404", "Not Found", "System")


class Line(NamedTuple):
    """A number, and where its calls go: names of trunk and group, the trunk's address, whether that is a telephone."""

    number: str
    trunk: str = ""
    destination: str = ""
    group: str = ""
    forwarded: bool = False


def packed_csv(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    """A gzip file with one CSV file inside; the same rows give the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, compresslevel=6) as archive,
        io.TextIOWrapper(archive, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return packed.getvalue()


def cdr_in(lines: Iterable[Line], start: datetime, end: datetime, seed: int) -> Iterator[tuple[str, ...]]:
    """The inbound calls of `lines` that start from `start` on and before `end`, day by day in order of time."""
    every = list(lines)
    day = start.date()
    while day <= end.date():
        calls = [call for line in every for call in _calls(line, day, seed)]
        for moment, row in sorted(calls, key=lambda call: (call[0], call[1])):
            if start <= moment < end:
                yield row
        day += timedelta(days=1)


def _calls(line: Line, day: date, seed: int) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    dice = random.Random(f"{seed}/{line.number}/{day}")  # noqa: S311 a simulation
    busy = 0.35 if day.weekday() >= 5 else 1.0
    for _ in range(min(MOST_CALLS_A_DAY, round(dice.expovariate(1 / 5) * busy))):
        hour = dice.choices(range(24), HOURS)[0]
        moment = datetime(day.year, day.month, day.day, hour, dice.randrange(60), dice.randrange(60), tzinfo=UTC)
        yield moment, _row(line, moment, dice)


def _row(line: Line, moment: datetime, dice: random.Random) -> tuple[str, ...]:
    _, answered, code, response, ended_by = dice.choices(ENDINGS, [ending[0] for ending in ENDINGS])[0]
    ringing = dice.randrange(2, 25)
    duration = int(dice.lognormvariate(4.3, 1.0)) + 1 if answered else 0
    source, name, call_id = _source(dice), dice.choice(NAMES), f"{dice.getrandbits(64):016x}"
    if not line.trunk:
        answered, code, response, ended_by = UNROUTED
        ringing, duration = 0, 0
    connected = moment + timedelta(seconds=ringing)
    charge = PSTN_RATE * duration / 60 if line.forwarded else Decimal(0)
    return (
        _text(moment),
        _text(connected) if answered else "",
        _text(connected + timedelta(seconds=duration)),
        "Completed" if answered else "Failed",
        source,
        name,
        line.number,
        str(duration),
        "1",
        code,
        response,
        ended_by,
        line.trunk,
        line.destination,
        line.group,
        "",
        "0.000",
        f"{charge:.3f}",
        "0.000",
        "0.000",
        f"{charge:.3f}",
        call_id,
    )


def _source(dice: random.Random) -> str:
    """A caller of a reserved range: 555-01XX of some area codes, or Ofcom's for London and for mobiles."""
    kind = dice.randrange(3)
    if kind == 0:
        return f"1{dice.choice((212, 312, 415, 617))}55501{dice.randrange(100):02}"
    if kind == 1:
        return f"442079460{dice.randrange(1000):03}"
    return f"447700900{dice.randrange(1000):03}"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
