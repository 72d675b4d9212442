"""Fault rules in words: `10% of GET requests get a 503 response`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww.emulator.controls.faults import Fault

__all__ = ["describe", "presets_in_force"]


def describe(fault: Fault) -> str:
    """Return a rule as a sentence, without a period."""
    several = fault.nth is None
    effects = _callback_effect(fault, several=several) if fault.callback else _effects(fault, several=several)
    times = "" if fault.times is None else f", at most {fault.times} time{'' if fault.times == 1 else 's'}"
    text = f"{_subject(fault)} {_join(effects)}{times}"
    return text[0].upper() + text[1:]


def presets_in_force(rules: Iterable[Fault], presets: dict[str, tuple[Fault, ...]]) -> set[str]:
    """Return the names of the presets whose rules are all among `rules`."""
    plain = [msgspec.structs.replace(rule, id=0, hits=0) for rule in rules]
    return {name for name, some in presets.items() if all(rule in plain for rule in some)}


def _subject(fault: Fault) -> str:
    what = "callback" if fault.callback else f"{(fault.method or '').upper()} request".strip()
    where = f" to {fault.path}" if fault.path else ""
    where += f" {'about' if fault.callback else 'for'} {fault.resource}" if fault.resource else ""
    share = "" if fault.probability >= 1 else f"{fault.probability * 100:g}% of "
    if fault.nth is not None:
        chance = f", with a probability of {fault.probability * 100:g}%," if share else ""
        return f"{_ordinal(fault.nth)} {what}{where}{chance}"
    return f"{share or 'all '}{what}s{where}"


def _effects(fault: Fault, *, several: bool) -> list[str]:
    """Return the effects of a rule, as predicates of one or several requests."""
    get, are, have, create = ("get", "are", "have", "create") if several else ("gets", "is", "has", "creates")
    effects: list[str] = []
    if fault.status is not None:
        parts = [
            "with an HTML page" if fault.html else "",
            "without a body" if fault.empty else "",
            f"with Retry-After {fault.retry_after} s" if fault.retry_after is not None else "",
            "with a body of your own" if fault.body is not None else "",
        ]
        effects.append(f"{get} a {fault.status} response {_join(filter(None, parts))}".rstrip())
    elif fault.html or fault.empty:
        effects.append(f"{are} processed but {get} {'an HTML page' if fault.html else 'an empty body'}")
    if fault.lost_response:
        effects.append(f"{are} processed but {get} no response")
    if fault.latency:
        effects.append(f"{are} delayed by {fault.latency:g} s")
    if fault.drip:
        effects.append(f"{have} a body sent slowly over {fault.drip:g} s")
    if fault.cut is not None:
        effects.append(f"{are} cut off after {fault.cut} bytes")
    if fault.hold:
        effects.append(f"{create} records that stay pending")
    return effects


def _callback_effect(fault: Fault, *, several: bool) -> list[str]:
    how = "sent twice" if fault.callback == "duplicate" else "dropped"
    return [f"{'are' if several else 'is'} {how}"]


def _join(parts: Iterable[str]) -> str:
    several: Sequence[str] = list(parts)
    return " and ".join(filter(None, [", ".join(several[:-1]), *several[-1:]]))


def _ordinal(number: int) -> str:
    teens = number % 100 in (11, 12, 13)
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"the {number}{ending}"
