"""The texts of SIP codes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from didww.emulator.sip.reroute import CODES

__all__ = ["reason_of"]


_TEXTS: Final = {
    **{code: " ".join(member.name.split("_")[2:]).title().replace("Uri", "URI") for code, member in CODES.items()},
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    302: "Moved Temporarily",
    380: "Alternative Service",
    481: "Call/Transaction Does Not Exist",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    504: "Server Time-out",
}
"""Those of the rerouting codes are in their names; of the others, those that HTTP does not have, or calls otherwise."""


def reason_of(code: int) -> str:
    """Return the usual text of a SIP code."""
    if code in _TEXTS:
        return _TEXTS[code]
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "Refused"
