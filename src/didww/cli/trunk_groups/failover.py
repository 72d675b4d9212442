"""The order in which the trunks of a group ring, as data and in words."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from didww.cli.field_options import in_words
from didww.cli.trunks.use import destination
from didww.resources.configuration.sip import SipConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.resources.voice_in_trunk import VoiceInTrunk

__all__ = ["in_order", "row", "sentences"]

_CODES: Final = SipConfiguration._field_map["rerouting_disconnect_code_ids"]


def in_order(trunks: Iterable[VoiceInTrunk]) -> list[VoiceInTrunk]:
    """Return trunks in the order in which they ring."""
    return sorted(trunks, key=lambda trunk: (trunk.priority, -trunk.weight, trunk.name))


def row(trunk: VoiceInTrunk) -> dict[str, Any]:
    """Return a trunk of a group as a row."""
    codes = _codes(trunk)
    return {
        "priority": trunk.priority,
        "weight": trunk.weight,
        "trunk": trunk.name,
        "calls go to": destination(trunk),
        "seconds": trunk.ringing_timeout,
        "next on": None if codes is None else in_words(_CODES, codes).split(", "),
    }


def _codes(trunk: VoiceInTrunk) -> Any:
    return getattr(trunk.configuration, "rerouting_disconnect_code_ids", None)


def sentences(trunks: Iterable[VoiceInTrunk]) -> list[str]:
    """Return in words which trunk rings when, and what leads to the next one."""
    steps = [list(step) for _, step in groupby(in_order(trunks), key=lambda trunk: trunk.priority)]
    if not steps:
        return ["The group has no trunks: calls to it fail."]
    lines: list[str] = []
    for number, step in enumerate(steps):
        who = ", ".join(f"{each.name} ({destination(each)})" for each in step)
        shared = f", which share the calls {':'.join(str(each.weight) for each in step)}" if len(step) > 1 else ""
        lines.append(f"{'First' if number == 0 else 'Then'} (priority {step[0].priority}): {who}{shared}.")
        if number + 1 < len(steps):
            lines += [f"  {each.name}: {_next(each)}." for each in step]
    return lines


def _next(trunk: VoiceInTrunk) -> str:
    """Return what makes a call go on to the next trunk."""
    codes = _codes(trunk)
    wait = "" if trunk.ringing_timeout is None else f"; rings {trunk.ringing_timeout} seconds"
    if not isinstance(trunk.configuration, SipConfiguration):
        return f"the next trunk follows after DIDWW's default responses{wait}"
    if codes is None:
        return f"the next trunk follows after DIDWW's default responses (to set them: --reroute-on){wait}"
    return f"the next trunk follows after {in_words(_CODES, codes)}{wait}" if codes else "the next trunk never follows"
