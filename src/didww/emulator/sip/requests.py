"""Requests of a leg outside a dialog: the INVITE, its CANCEL, and the ACK of its refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.emulator.sip.in_dialog import ALLOWED
from didww.emulator.sip.messages import cseq_of, new_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.emulator.sip.effects import Local
    from didww.emulator.sip.messages import SipRequest, SipResponse
    from didww.emulator.sip.model import Invite

__all__ = ["ack_of_refusal", "cancel_of", "credentials_in", "fill_offer", "first_invite", "sdp_headers"]

USER_AGENT: Final = "DIDWW emulator"


def first_invite(
    invite: Invite,
    *,
    via: str,
    tag: str,
    call_id: str,
    cseq: int,
    contact: str,
    offer: str,
    min_se: int,
    answers: Iterable[tuple[str, str]],
) -> SipRequest:
    """Make the INVITE of a leg; `answers` are headers with credentials."""
    headers = [
        ("Via", via),
        ("Max-Forwards", "70"),
        ("From", f"{invite.caller};tag={tag}"),
        ("To", invite.callee),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} INVITE"),
        ("Contact", contact),
        ("Allow", ALLOWED),
        ("User-Agent", USER_AGENT),
        *invite.headers,
        *answers,
    ]
    timer = invite.session_timer
    if timer is not None:
        least = max(timer.minimum, min_se)
        headers += [
            ("Supported", "timer"),
            ("Session-Expires", f"{max(timer.expires, least)};refresher=uac"),
            ("Min-SE", str(least)),
        ]
    return new_request("INVITE", invite.uri, [*headers, *sdp_headers(offer)], offer.encode())


def cancel_of(invite: SipRequest) -> SipRequest:
    """Make the CANCEL of an INVITE (RFC 3261, section 9.1)."""
    kept = ("Via", "From", "To", "Call-ID", "Max-Forwards", "Route")
    headers = [(name, value) for name in kept for value in invite.get_header_values(name)]
    return new_request("CANCEL", invite.uri, [*headers, ("CSeq", f"{cseq_of(invite)[0]} CANCEL")])


def ack_of_refusal(invite: SipRequest, response: SipResponse) -> SipRequest:
    """Make the ACK of a refused INVITE, which belongs to its transaction (RFC 3261, section 17.1.1.3)."""
    kept = ("Via", "Route", "Max-Forwards", "From", "Call-ID")
    headers = [(name, value) for name in kept for value in invite.get_header_values(name)]
    headers += [("To", response.get_header("To") or ""), ("CSeq", f"{cseq_of(invite)[0]} ACK")]
    return new_request("ACK", invite.uri, headers)


def credentials_in(request: SipRequest) -> list[tuple[str, str]]:
    """Return the headers of a request that have credentials; its ACK repeats them (RFC 3261, section 22.1)."""
    names = ("Authorization", "Proxy-Authorization")
    return [(name, value) for name in names for value in request.get_header_values(name)]


def sdp_headers(body: str) -> list[tuple[str, str]]:
    """Return the headers of a request with an SDP."""
    return [("Content-Type", "application/sdp")] if body else []


def fill_offer(offer: str, local: Local) -> str:
    """Return an SDP with the own addresses."""
    family = "IP6" if ":" in local.media_host else "IP4"
    filled = offer.replace("IP4 {address}", f"{family} {{address}}")
    return filled.replace("{address}", local.media_host).replace("{port}", str(local.media_port))
