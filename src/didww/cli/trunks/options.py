"""The options of inbound trunks, one for each field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from didww.cli.field_options import FieldOption
from didww.cli.lookups import plain_number
from didww.exceptions import InvalidValueError
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._schema.record import Record

__all__ = ["ALL_OPTIONS", "SIP_OPTIONS", "TARGET_OPTIONS", "TRUNK_OPTIONS"]

Rows = tuple[tuple[str, str, str], ...]

# Section of the help, then option, field and help.
_TRUNK: Final[Mapping[str, Rows]] = {
    "Trunk": (
        ("--priority", "priority", "Order in a group: the lowest rings first."),
        ("--weight", "weight", "Share of the calls among trunks of equal priority in a group."),
        ("--capacity-limit", "capacity_limit", "Maximum concurrent calls; none for no limit."),
        ("--ringing-timeout", "ringing_timeout", "Seconds until the next trunk of the group is tried."),
        ("--cli-format", "cli_format", "Format of the caller ID."),
        ("--cli-prefix", "cli_prefix", "Prefix of the caller ID: at most 7 letters, digits, + or #."),
        ("--description", "description", "Note."),
        ("--reference", "external_reference_id", "Your own identifier, at most 100 characters."),
    ),
}

_SIP: Final[Mapping[str, Rows]] = {
    "Signaling": (
        ("--port", "port", "SIP port. none: by DNS (SRV), or else 5060."),
        ("--transport", "transport_protocol_id", "Transport of SIP."),
        ("--username", "username", "User part of the request URI; {DID} stands for the called number."),
        ("--did-as-user", "use_did_in_ruri", "Called number as the user part; with --register only."),
        ("--ip-version", "network_protocol_priority", "IP version that the host is reached by."),
        ("--resolve-host", "resolve_ruri", "Put the address in the place of the host name in the request URI."),
        ("--invite-timeout", "sip_timer_b", "Milliseconds until an INVITE without a response fails (timer B)."),
        (
            "--srv-failover-timer",
            "dns_srv_failover_timer",
            "Milliseconds until the next host of an SRV record; at most --invite-timeout.",
        ),
    ),
    "Authentication to the host": (
        ("--auth-user", "auth_user", "User name. The password is asked for; see --auth-password-file."),
        ("--auth", "auth_enabled", "Whether to authenticate; on with --auth-user."),
        ("--auth-from-user", "auth_from_user", "User part of the From header."),
        ("--auth-from-domain", "auth_from_domain", "Domain of the From header."),
    ),
    "Media and DTMF": (
        ("--codec", "codec_ids", "Codecs, the most preferred first."),
        ("--dtmf-in", "rx_dtmf_format_id", "DTMF from the host."),
        ("--dtmf-out", "tx_dtmf_format_id", "DTMF to the host."),
        ("--encryption", "media_encryption_mode", "Media encryption."),
        ("--rtp-ping", "rtp_ping", "Keep-alive packets of RTP."),
        ("--rtp-timeout", "rtp_timeout", "Seconds without RTP after which a call is ended."),
        ("--symmetric-rtp", "force_symmetric_rtp", "Send RTP to where it comes from."),
        ("--ignore-rtcp", "symmetric_rtp_ignore_rtcp", "Do not learn that address from RTCP."),
        ("--media-from", "allowed_rtp_ips", "Addresses that RTP is accepted from, at most 10; none for any."),
    ),
    "Caller and called party": (
        ("--cnam", "cnam_lookup", "Look up and deliver the caller's name."),
        ("--stir-shaken", "stir_shaken_mode", "How the attestation of the caller is delivered."),
        ("--diversion", "diversion_relay_policy", "Diversion header of incoming calls: remove or pass on."),
        ("--add-diversion", "diversion_inject_mode", "Add a Diversion header with the called number."),
    ),
    "Rerouting, transfers and redirects": (
        (
            "--reroute-on",
            "rerouting_disconnect_code_ids",
            "SIP responses, or ringing-timeout, after which a call goes to the next trunk, e.g. 486,503.",
        ),
        ("--max-transfers", "max_transfers", "Transfers (REFER) for each call."),
        ("--max-redirects", "max_30x_redirects", "Redirects (3xx) for each call."),
    ),
    "Session timers": (
        ("--session-timers", "sst_enabled", "Use session timers; needs minimum and maximum."),
        ("--session-min", "sst_min_timer", "Minimum, in seconds."),
        ("--session-max", "sst_max_timer", "Maximum, in seconds."),
        ("--session-expires", "sst_session_expires", "Requested seconds, between the two."),
        ("--session-refresh", "sst_refresh_method_id", "SIP method that refreshes a session."),
        ("--session-accept-501", "sst_accept_501", "Accept the response 501 to a refresh."),
    ),
}


def checked_host(host: str) -> str:
    """Return a host name or address.

    Raises:
        InvalidValueError: It is none, such as a URI.
    """
    host = host.strip()
    if not _HOST.fullmatch(host):
        raise InvalidValueError(
            f"{host!r:.80} is not a host name or address. Leave out 'sip:'; the port goes into --port, and the user "
            "part into --username."
        )
    return host


_HOST: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\]")


def _options(cls: type[Record], table: Mapping[str, Rows]) -> list[FieldOption]:
    return [
        FieldOption(name, cls, field, text, section=section)
        for section, rows in table.items()
        for name, field, text in rows
    ]


TARGET_OPTIONS: Final = [
    FieldOption(
        "--sip --host",
        SipConfiguration,
        "host",
        "To this SIP host: name or address, without port.",
        convert=checked_host,
        metavar="HOST",
    ),
    FieldOption(
        "--pstn",
        PstnConfiguration,
        "dst",
        "Forward to this phone number; each call is charged.",
        convert=plain_number,
        metavar="NUMBER",
    ),
    FieldOption(
        "--register",
        SipConfiguration,
        "enabled_sip_registration",
        "To a device that registers with DIDWW, which generates the credentials.",
    ),
]
TRUNK_OPTIONS: Final = _options(VoiceInTrunk, _TRUNK)
SIP_OPTIONS: Final = _options(SipConfiguration, _SIP)
ALL_OPTIONS: Final = [*TARGET_OPTIONS, *TRUNK_OPTIONS, *SIP_OPTIONS]
