"""The state and the outcome of a leg."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

__all__ = ["EndedBy", "LegResult", "LegState"]

LegState: TypeAlias = Literal["calling", "ringing", "talking", "ended"]
EndedBy: TypeAlias = Literal["far end", "caller", "timeout", "network"]


class LegResult(NamedTuple):
    """The outcome of a leg.

    Attributes:
        code: SIP code; 200 if it was answered.
        reason: Its text.
        ended_by: Who ended it.
        contacts: Values of the Contact headers of a 3xx response.
    """

    code: int
    reason: str
    ended_by: EndedBy
    contacts: tuple[str, ...] = ()
