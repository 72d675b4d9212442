"""The calls of a day: those that were simulated and those that the emulator makes up, as in its exports."""

from __future__ import annotations

import csv
import heapq
import io
import itertools
from collections import deque
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from didww.emulator.behaviors.exports import get_lines, get_out_lines
from didww.emulator.console import queries
from didww.emulator.console.records import read_only_session
from didww.emulator.controls.stored_calls import get_calls_per_day, get_placed_calls
from didww.emulator.data.cdr import CDR_IN_COLUMNS, CDR_OUT_COLUMNS, cdr_in, cdr_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from didww.emulator.emulator import Emulator

__all__ = ["Bar", "CallRow", "Day", "get_day"]

_MAX_CALLS: Final = 100_000
_SHOWN: Final = 50
_HEIGHT: Final = 100


class CallRow(NamedTuple):
    """A call: when, whether it is outbound, from where to where, how long, how it ended, over which trunk."""

    at: str
    outbound: bool
    source: str
    destination: str
    seconds: int
    answered: bool
    result: str
    trunk: str


class Bar(NamedTuple):
    """The calls of an hour, and the height of both parts of its bar in percent of the highest one."""

    hour: int
    answered: int
    failed: int
    answered_height: float
    failed_height: float


class Day(NamedTuple):
    """The calls of a day up to now; `complete` is False if there were too many to count."""

    day: date
    inbound: int
    outbound: int
    failed: int
    seconds: int
    bars: list[Bar]
    highest: int
    latest: list[CallRow]
    complete: bool
    rate: float


def get_day(emulator: Emulator, day: date) -> Day:
    """Return the calls of a day in all accounts, up to now."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = min(start + timedelta(days=1), emulator.clock.now() + timedelta(seconds=1))
    streams, rate = _streams(emulator, start, max(start, end))
    answered, failed = [0] * 24, [0] * 24
    outbound = seconds = counted = 0
    latest: deque[CallRow] = deque(maxlen=_SHOWN)
    for call in itertools.islice(heapq.merge(*streams, key=lambda call: call.at), _MAX_CALLS):
        (answered if call.answered else failed)[int(call.at[11:13])] += 1
        outbound += call.outbound
        seconds += call.seconds
        counted += 1
        latest.append(call)
    highest = max(map(sum, zip(answered, failed, strict=True)))
    bars = [
        Bar(hour, good, bad, good * _HEIGHT / (highest or 1), bad * _HEIGHT / (highest or 1))
        for hour, (good, bad) in enumerate(zip(answered, failed, strict=True))
    ]
    return Day(
        day,
        counted - outbound,
        outbound,
        sum(failed),
        seconds,
        bars,
        highest,
        list(reversed(latest)),
        counted < _MAX_CALLS,
        rate,
    )


def _streams(emulator: Emulator, start: datetime, end: datetime) -> tuple[list[Iterator[CallRow]], float]:
    """Return the calls of each account and direction in order of time, and the average number of calls."""
    streams: list[Iterator[CallRow]] = []
    seed = emulator.engine.seed
    with emulator.engine.locked() as runtime:
        rate = get_calls_per_day(read_only_session(runtime, 0))
        for account in queries.accounts(runtime):
            session = read_only_session(runtime, account.owner)
            lines, trunks = get_lines(session, None), get_out_lines(session, {})
            for kind, own in (("cdr_in", {line.number for line in lines}), ("cdr_out", {trunk.id for trunk in trunks})):
                placed = _last_attempts(get_placed_calls(session, kind, own, start, end))
                streams.append(_parsed(placed, outbound=kind == "cdr_out"))
            streams += [
                _parsed(cdr_in(lines, start, end, seed, rate), outbound=False),
                _parsed(cdr_out(trunks, start, end, seed, rate), outbound=True),
            ]
    return streams, rate


def _last_attempts(placed: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return one record of each call, which is the last column: the last attempt says how it ended."""
    calls: dict[str, tuple[str, str]] = {}
    for at, row in placed:
        call_id = row.rstrip("\n").rpartition(",")[2]
        calls[call_id] = (calls[call_id][0] if call_id in calls else at, row)
    return list(calls.values())


def _parsed(calls: Iterable[tuple[str, str]], *, outbound: bool) -> Iterator[CallRow]:
    columns = list[str](CDR_OUT_COLUMNS if outbound else CDR_IN_COLUMNS)
    for _, text in calls:
        # A call that was routed on has a line for each attempt; the last one says how it ended.
        *_, values = csv.reader(io.StringIO(text, newline=""))
        call = dict(zip(columns, values, strict=True))
        yield _outbound(call) if outbound else _inbound(call)


def _inbound(call: dict[str, str]) -> CallRow:
    return CallRow(
        call["Date/Time Start (UTC)"],
        False,
        call["Source"],
        call["Destination DID"],
        int(call["Duration (sec)"]),
        call["Status"] == "Completed",
        f"{call['Disconnect Code']} {call['Response']}".strip(),
        call["Voice IN Trunk"] or "no route",
    )


def _outbound(call: dict[str, str]) -> CallRow:
    return CallRow(
        call["Date/Time Start (UTC)"],
        True,
        call["Source"],
        call["Destination Number"],
        int(call["Call Duration (sec)"]),
        call["Status"] == "Completed",
        f"{call['Disconnect Code']} {call['Disconnect Reason']}".strip(),
        call["Voice OUT Trunk"],
    )
