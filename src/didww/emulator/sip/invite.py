"""The INVITE that a trunk's configuration makes of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.emulator.sip.addresses import bracketed
from didww.emulator.sip.caller_id import (
    ANONYMOUS,
    attestation_headers,
    caller_user,
    quoted,
    safe_domain,
    safe_user,
)
from didww.emulator.sip.model import CNAM_PREFIX, Credentials, Destination, Invite, SessionTimer, Transport
from didww.emulator.sip.offer import make_offer
from didww.enums import (
    DiversionInjectMode,
    DiversionRelayPolicy,
    NetworkProtocolPriority,
    StirShakenMode,
    TransportProtocol,
)

if TYPE_CHECKING:
    from random import Random

__all__ = ["IncomingCall", "make_destination", "make_invite"]

_TRANSPORTS: Final[dict[int, Transport]] = {
    TransportProtocol.UDP: "udp",
    TransportProtocol.TCP: "tcp",
    TransportProtocol.TLS: "tls",
}
_DOMAIN: Final = "emulator.example.com"
_LEAST_SESSION: Final = 90  # RFC 4028, section 5
_DEFAULT_TIMER_B: Final = 32_000
_CATEGORIES: Final = {"ordinary": "01", "cellular": "02", "payphone": "03"}
_UNKNOWN_CATEGORY: Final = "04"


class IncomingCall(NamedTuple):
    """A call as it comes from the telephone network.

    Attributes:
        number: The called number.
        caller: The caller's number; `anonymous` or empty if withheld.
        caller_name: The caller's name.
        diversion: The number that diverted the call, or empty.
        attestation: STIR/SHAKEN attestation of the caller's number: A, B, C, or None.
        cpc: Calling party category: `ordinary`, `cellular`, `payphone`, or another one.
        country_prefix: Country prefix of the called number.
        toll_free: Whether the called number is toll-free.
    """

    number: str
    caller: str
    caller_name: str = ""
    diversion: str = ""
    attestation: str | None = None
    cpc: str = "ordinary"
    country_prefix: str = ""
    toll_free: bool = False


def make_destination(configuration: dict[str, Any]) -> Destination:
    """Return where a trunk's calls go."""
    transport = _TRANSPORTS.get(configuration["transport_protocol_id"], "udp")
    prefer = NetworkProtocolPriority(configuration["network_protocol_priority"] or NetworkProtocolPriority.ANY)
    return Destination(configuration["host"] or "", configuration["port"], transport, prefer)


def make_invite(trunk: dict[str, Any], call: IncomingCall, random: Random, new_id: str) -> tuple[Invite, list[str]]:
    """Return the INVITE of a SIP trunk, and notes about what is not emulated."""
    inside = trunk["configuration"]["attributes"]
    where = make_destination(inside)
    user = _user(inside, call)
    host = _host_port(where)
    parameter = f";transport={where.transport}" if where.transport != "udp" else ""
    caller = caller_user(call.caller, trunk["cli_format"], trunk["cli_prefix"], call.country_prefix)
    withheld = caller == ANONYMOUS
    domain = "anonymous.invalid" if withheld else _DOMAIN
    if inside["auth_enabled"]:
        caller_from = safe_user(inside["auth_from_user"] or "") or caller
        domain = safe_domain(inside["auth_from_domain"] or "") or domain
    else:
        caller_from = caller
    name = call.caller_name if inside["cnam_lookup"] and call.caller.startswith(CNAM_PREFIX) else ""
    offer, notes = make_offer(inside, random)
    headers, note = attestation_headers(
        StirShakenMode(inside["stir_shaken_mode"] or StirShakenMode.DISABLED),
        call.attestation,
        None if withheld else f"sip:{caller}@{_DOMAIN}",
        new_id,
    )
    if "{CALL_CPC}" in (inside["username"] or "") and not call.toll_free:
        notes.append("{CALL_CPC} is empty: only calls to toll-free numbers have it.")
    if call.caller_name and not name:
        notes.append(
            "the caller's name is not sent: the caller's number is not one of the United States."
            if inside["cnam_lookup"]
            else "the caller's name is not sent: CNAM lookup is disabled."
        )
    if note:
        notes.append(note)
    if withheld:
        headers.append(("Privacy", "id"))
    headers += [("Diversion", value) for value in _diversions(inside, call)]
    return Invite(
        uri=f"sip:{user}@{host}{parameter}",
        caller=f"{'' if withheld else quoted(name)}<sip:{caller_from}@{domain}>",
        callee=f"<sip:{call.number}@{host}>",
        headers=tuple(headers),
        offer=offer,
        credentials=(
            Credentials(inside["auth_user"] or "", inside["auth_password"] or "") if inside["auth_enabled"] else None
        ),
        timer_b=(inside["sip_timer_b"] or _DEFAULT_TIMER_B) / 1000,
        max_redirects=inside["max_30x_redirects"] or 0,
        session_timer=_session_timer(inside),
    ), notes


def _user(configuration: dict[str, Any], call: IncomingCall) -> str:
    if configuration["enabled_sip_registration"] and configuration["use_did_in_ruri"]:
        return call.number
    pattern = configuration["username"] or "{DID}"
    category = _CATEGORIES.get(call.cpc, _UNKNOWN_CATEGORY) if call.toll_free else ""
    return safe_user(pattern.replace("{DID}", call.number).replace("{CALL_CPC}", category)) or call.number


def _host_port(where: Destination) -> str:
    name = safe_domain(where.host) or _DOMAIN
    host = bracketed(name)
    return host if where.port is None else f"{host}:{where.port}"


def _diversions(configuration: dict[str, Any], call: IncomingCall) -> list[str]:
    values: list[str] = []
    if call.diversion:
        reason = ";reason=unconditional"
        values = {
            DiversionRelayPolicy.NONE: [],
            DiversionRelayPolicy.AS_IS: [f"<sip:{call.diversion}@{_DOMAIN}>{reason}"],
            DiversionRelayPolicy.SIP: [f"<sip:{call.diversion}@{_DOMAIN}>{reason}"],
            DiversionRelayPolicy.TEL: [f"<tel:+{call.diversion}>{reason}"],
        }.get(configuration["diversion_relay_policy"], [])
    if configuration["diversion_inject_mode"] == DiversionInjectMode.DID_NUMBER:
        values.insert(0, f"<sip:{call.number}@{_DOMAIN}>")
    return values


def _session_timer(configuration: dict[str, Any]) -> SessionTimer | None:
    if not configuration["sst_enabled"]:
        return None
    least = max(configuration["sst_min_timer"] or 0, _LEAST_SESSION)
    return SessionTimer(
        expires=configuration["sst_session_expires"] or configuration["sst_max_timer"] or least,
        minimum=least,
        refresh=configuration["sst_refresh_method_id"] or 1,
        accept_501=bool(configuration["sst_accept_501"]),
    )
