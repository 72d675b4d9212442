"""The arguments of `emulator.calls.ring`: each error names the argument and what it may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from didww._util.suggest import did_you_mean
from didww.emulator.controls.durations import Duration, parse_duration
from didww.emulator.sip.far_end import FarEnd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.emulator.sip.model import Route

__all__ = ["check_attestation", "check_name", "check_phone", "check_seconds", "check_trunks", "make_far_ends"]

_PHONE: Final = re.compile(r"\+?[0-9]{1,32}", re.ASCII)
_CODE: Final = re.compile(r"[2-6][0-9]{2}", re.ASCII)
_ATTESTATIONS: Final = ("A", "B", "C")
_MAX_NAME: Final = 80
_MAX_SECONDS: Final = 4 * 3600
_FAR_ENDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "answers": {},
    "busy": {"code": 486, "ringing": 0.0},
    "silent": {"silent": True},
    "rings": {"only_rings": True},
}


def check_phone(value: Any, field: str, *, or_anonymous: bool = False) -> str:
    """Return a phone number as digits.

    Raises:
        ValueError: It is none.
    """
    if or_anonymous and value == "anonymous":
        return "anonymous"
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        also = ', or "anonymous"' if or_anonymous else ""
        raise ValueError(f"{field} must be a phone number such as 12025550123{also}, got {value!r:.80}.")
    return value.removeprefix("+")


def check_seconds(value: Duration, field: str) -> float:
    """Return a duration in seconds.

    Raises:
        ValueError: It is none, or too long.
    """
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None
    if not 0 < seconds <= _MAX_SECONDS:
        raise ValueError(f"{field} must be more than 0 and at most 4 hours, got {value!r:.80}.")
    return seconds


def check_attestation(value: str | None) -> str | None:
    """Return an attestation.

    Raises:
        ValueError: It is none.
    """
    if value not in (None, *_ATTESTATIONS):
        raise ValueError(f"attestation must be A, B or C, or None, got {value!r:.40}.")
    return value


def check_name(value: Any) -> str:
    """Return the name of a caller.

    Raises:
        ValueError: It is too long, or has control characters.
    """
    if not isinstance(value, str) or len(value) > _MAX_NAME or not value.isprintable():
        raise ValueError(f"caller_name must be at most {_MAX_NAME} printable characters, got {value!r:.80}.")
    return value


def make_far_ends(far_ends: Mapping[str, FarEnd | str | int] | None, *, instant: bool) -> dict[str, FarEnd]:
    """Return the simulated far ends by the names of their trunks.

    Raises:
        ValueError: One is invalid, or they are for a call that is sent.
    """
    if far_ends is not None and not instant:
        raise ValueError("far_ends needs instant=True: a call that is sent goes to the real far ends.")
    scripts: Any = far_ends or {}
    if not isinstance(scripts, Mapping):
        text = f"far_ends must be by the names of trunks, such as {{'*': 'busy'}}, got {scripts!r:.60}."
        raise ValueError(text)  # noqa: TRY004 as of other wrong arguments
    return {str(trunk): _make_far_end(str(trunk), what) for trunk, what in cast("dict[Any, Any]", scripts).items()}


def check_trunks(far_ends: Iterable[str], route: Route) -> None:
    """Check that a route has the trunks that far ends are for.

    Raises:
        ValueError: It has not.
    """
    trunks = {candidate.trunk for candidate in route.candidates}
    for name in far_ends:
        if name != "*" and name not in trunks:
            known = ", ".join(sorted(trunks)) or "none"
            raise ValueError(
                f"far_ends: calls to {route.number} go to no trunk {name!r:.60}.{did_you_mean(name, trunks)} "
                f"Its trunks: {known}. Use * for all of them."
            )


def _make_far_end(trunk: str, what: FarEnd | str | int) -> FarEnd:
    """Return the simulated far end of a trunk.

    Args:
        trunk: Name of the trunk, or `*`.
        what: `answers`, `busy`, `silent`, `rings`, a SIP code, or a script.

    Raises:
        ValueError: It is none of them.
    """
    if isinstance(what, FarEnd):
        return what
    text = str(what)
    if text in _FAR_ENDS:
        return FarEnd(**_FAR_ENDS[text])
    if not _CODE.fullmatch(text):
        raise ValueError(
            f"far_ends: {trunk!r:.60} must be {', '.join(_FAR_ENDS)}, a SIP code from 200 to 699, or a FarEnd, "
            f"got {text[:60]!r}."
        )
    return FarEnd(code=int(text))
