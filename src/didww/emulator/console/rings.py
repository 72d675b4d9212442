"""Calls over SIP in the console: the form that places one, and what its report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from didww.emulator.emulator import Emulator
    from didww.emulator.sip.report import RingReport

__all__ = ["HangUpForm", "RingForm", "find_report", "hang_up", "latest", "place"]

_SHOWN: Final = 10


class RingForm(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of the form that calls a number."""

    did: str
    caller: str | msgspec.UnsetType = msgspec.UNSET
    caller_name: str | msgspec.UnsetType = msgspec.UNSET
    duration: str | msgspec.UnsetType = msgspec.UNSET
    give_up_after: str | msgspec.UnsetType = msgspec.UNSET
    diversion: str | msgspec.UnsetType = msgspec.UNSET
    instant: bool = False
    far_ends: str = ""
    api_key: str | msgspec.UnsetType = msgspec.UNSET


class HangUpForm(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of the form that hangs up."""

    id: str


def place(emulator: Emulator, form: RingForm) -> str:
    """Place a call and return the page of its report."""
    names = ("caller", "caller_name", "duration", "give_up_after", "diversion", "api_key")
    given = {name: value for name in names if (value := getattr(form, name)) is not msgspec.UNSET}
    far_ends = _far_ends(form.far_ends) if form.far_ends else None
    report = emulator.calls.ring(form.did, instant=form.instant, far_ends=far_ends, wait=False, **given)
    return f"calls/{report.id}"


def hang_up(emulator: Emulator, form: HangUpForm) -> str:
    """Hang up a call and return the page of its report."""
    emulator.calls.hang_up(form.id)
    return f"calls/{form.id}"


def latest(emulator: Emulator) -> list[RingReport]:
    """Return the last reports, the newest first."""
    return emulator.calls.reports(limit=_SHOWN)


def find_report(emulator: Emulator, id: str) -> RingReport | None:
    """Return a report; None if there is none of this ID."""
    try:
        return emulator.calls.report(id)
    except LookupError:
        return None


def _far_ends(text: str) -> dict[str, str]:
    """Return what the far end of each trunk does, of text such as `Main=busy, *=answers`."""
    pairs = [word.rpartition("=") for word in text.split(",") if word.strip()]
    wrong = next(("".join(pair) for pair in pairs if not (pair[0].strip() and pair[2].strip())), None)
    if wrong is not None:
        raise ValueError(f"far_ends must be TRUNK=WHAT, separated by commas, got {wrong.strip()[:80]!r}.")
    return {trunk.strip(): what.strip() for trunk, _, what in pairs}
