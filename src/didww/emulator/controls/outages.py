"""Trunks that fail at some hours of the day, in the generated calls of an account."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

import msgspec

from didww.emulator.controls.clock import parse_datetime
from didww.emulator.data.outages import Outage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from didww.emulator.engine.session import AccountSession

__all__ = ["FailingTrunk", "get_failing", "get_outages", "make_outage", "set_outage"]

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_CODE: Final = re.compile(r"[4-6]\d\d", re.ASCII)
_TRUNKS: Final = ("voice_in_trunks", "voice_out_trunks")


class FailingTrunk(msgspec.Struct, frozen=True):
    """A trunk that fails at some hours.

    Attributes:
        trunk: Id of the trunk.
        name: Its name.
        hours: First hour, and the hour before which the failures end, in UTC.
        share: Share of the attempts that fail, 0 to 1.
        code: SIP code of the failed attempts.
    """

    trunk: str
    name: str
    hours: tuple[int, int]
    share: float
    code: str


def make_outage(
    hours: Sequence[int], share: float, code: str, start: datetime | str | None, end: datetime | str | None
) -> Outage:
    """Return the validated outage."""
    if not isinstance(hours, (tuple, list)) or len(hours) != 2 or not all(type(hour) is int for hour in hours):
        raise ValueError(f"hours must be two whole hours, such as (22, 6), got {hours!r:.40}.")
    first, last = hours
    if not (0 <= first <= 23 and 0 <= last <= 24 and first != last):
        raise ValueError(
            "hours must be the first hour, 0 to 23, and another one before which they end, 0 to 24, "
            f"got {first} and {last}."
        )
    if type(share) not in (int, float) or not (math.isfinite(share) and 0 <= share <= 1):
        raise ValueError(f"share must be a number from 0 to 1, got {share!r:.40}.")
    if not isinstance(code, str) or not _CODE.fullmatch(code):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise ValueError(f"code must be a SIP code of a failure, 400 to 699, as text, got {code!r:.40}.")
    outage = Outage(first, last, float(share), code)
    if start is not None:
        outage = outage._replace(start=parse_datetime(start).strftime(_FORMAT))
    if end is not None:
        outage = outage._replace(end=parse_datetime(end).strftime(_FORMAT))
    if outage.start >= outage.end:
        raise ValueError(f"start must be before end, got {outage.start} and {outage.end}.")
    return outage


def set_outage(session: AccountSession, trunk: str, outage: Outage) -> FailingTrunk:
    """Make a trunk of the account fail; replaces what was set for it, and a share of 0 removes it."""
    record = next((found for type in _TRUNKS if (found := session.get(type, trunk)) is not None), None)
    if record is None:
        raise LookupError(f"The account has no trunk {trunk!r}.")
    stored = get_outages(session)
    stored.pop(trunk, None)
    if outage.share:
        stored[trunk] = outage
    session.runtime.store.set_meta(_name(session), msgspec.json.encode(stored).decode())
    return _shown(trunk, record["name"], outage)


def get_outages(session: AccountSession) -> dict[str, Outage]:
    """Return the outages of the account by the id of the trunk."""
    stored = session.runtime.store.get_meta(_name(session))
    return {} if stored is None else msgspec.json.decode(stored, type=dict[str, Outage])


def get_failing(session: AccountSession) -> list[FailingTrunk]:
    """Return the trunks of the account that fail at some hours."""
    outages = get_outages(session)
    records = [record for type in _TRUNKS for record in session.find(type, id=list(outages))] if outages else []
    return [_shown(record["id"], record["name"], outages[record["id"]]) for record in records]


def _name(session: AccountSession) -> str:
    return f"outages/{session.owner}"


def _shown(trunk: str, name: str, outage: Outage) -> FailingTrunk:
    return FailingTrunk(trunk, name, (outage.first, outage.last), outage.share, outage.code)
