"""Scripts of far ends: what a trunk's PBX or phone does with a call in a simulation."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import msgspec

from didww.emulator.sip.reasons import reason_of

__all__ = ["FarEnd", "Misbehavior"]

Misbehavior: TypeAlias = Literal["", "garbage", "giant", "provisionals", "forks", "late answer", "no response to BYE"]


class FarEnd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a far end does with a call.

    Attributes:
        code: Final response, 200 to 699.
        reason: Its text. Defaults to that of the code.
        ringing: Seconds of ringing (180) before the final response; 0 does not ring.
        silent: Whether it never responds.
        only_rings: Whether it rings until the caller gives up.
        talks: Seconds after the answer until it hangs up. Defaults to leaving that to the caller.
        early_media: Whether it sends 183 with media instead of 180.
        challenge: Whether it asks for digest authentication first.
        redirect_to: URI, or several, of the response 302 that it sends instead of `code`.
        redirected: What is at `redirect_to`. Defaults to the same again.
        several: What each SRV target of the host does, in their order, or each registered contact, which ring together.
        registered: Whether anything is registered at a trunk in registration mode.
        unknown_host: Whether its host has no address.
        unreachable: Whether its address refuses connections.
        misbehavior: What it does against the protocol: `garbage` or `giant` responses, endless `provisionals`, several
            answers (`forks`), a `late answer` after CANCEL, `no response to BYE`.
        user_agent: Its Server header.
    """

    code: int = 200
    reason: str = ""
    ringing: float = 2.0
    silent: bool = False
    only_rings: bool = False
    talks: float | None = None
    early_media: bool = False
    challenge: bool = False
    redirect_to: str | tuple[str, ...] = ()
    redirected: FarEnd | None = None
    several: tuple[FarEnd, ...] = ()
    registered: bool = True
    unknown_host: bool = False
    unreachable: bool = False
    misbehavior: Misbehavior = ""
    user_agent: str = "Simulated far end"

    def __post_init__(self) -> None:
        code: Any = self.code
        if not isinstance(code, int) or not 200 <= code <= 699:
            raise ValueError(f"code must be a SIP code from 200 to 699, got {code!r:.40}.")
        if self.misbehavior not in get_args(Misbehavior):
            known = ", ".join(filter(None, get_args(Misbehavior)))
            raise ValueError(f"misbehavior must be one of {known}, got {self.misbehavior!r:.40}.")
        if not self.reason.isprintable():
            raise ValueError(f"reason must be printable, got {self.reason!r:.80}.")
        if not 0 <= self.ringing <= 3600:
            raise ValueError(f"ringing must be from 0 to 3600 seconds, got {self.ringing}.")
        if self.talks is not None and not 0 <= self.talks <= 86400:
            raise ValueError(f"talks must be from 0 to 86400 seconds, got {self.talks}.")

    @property
    def shown_reason(self) -> str:
        """Text of the final response."""
        return self.reason or reason_of(self.code)

    @property
    def redirects(self) -> tuple[str, ...]:
        """URIs of the response 302."""
        return (self.redirect_to,) if isinstance(self.redirect_to, str) else self.redirect_to
