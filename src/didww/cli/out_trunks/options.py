"""The options of outbound trunks, one for each field."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import lookups
from didww.cli.field_options import FieldOption
from didww.cli.framework import SectionOption
from didww.exceptions import InvalidValueError
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod
from didww.resources.voice_out_trunk import VoiceOutTrunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from didww._schema.record import Record
    from didww.resources.did import Did

__all__ = [
    "METHOD_OPTIONS",
    "NUMBER_OPTIONS",
    "OPTIONS",
    "TRUNK_OPTIONS",
    "linked",
    "number_options",
    "open_to_all",
    "warnings",
]


def checked_networks(texts: Iterable[str]) -> list[str]:
    """Return addresses and networks, separated by commas.

    Raises:
        InvalidValueError: One is none.
    """
    items = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    for item in items:
        try:
            ipaddress.ip_network(item)
        except ValueError as error:
            raise InvalidValueError(_no_network(item, error)) from None
    return items


def _no_network(item: str, error: ValueError) -> str:
    if "host bits" in str(error):
        return f"{item!r:.80} has bits set behind the network. Write {ipaddress.ip_network(item, strict=False)}."
    return f"{item!r:.80} is not an IP address or network, such as 192.0.2.10 or 198.51.100.0/24."


def _networks_or_none(texts: Iterable[str]) -> list[str]:
    texts = list(texts)
    return texts if texts == ["none"] else checked_networks(texts)


def open_to_all(network: str) -> bool:
    """Return whether a network has all addresses of its version."""
    return ipaddress.ip_network(network, strict=False).prefixlen == 0


def warnings(networks: Iterable[str]) -> list[str]:
    """Return a warning for each network that admits any address."""
    return [
        f"Warning: {network} admits calls from any address: only the password protects the trunk. List the addresses "
        "of your systems instead."
        for network in networks
        if open_to_all(network)
    ]


def _option(
    cls: type[Record], section: str, convert: Callable[[Any], Any] | None = None
) -> Callable[[str, str, str], FieldOption]:
    def option(name: str, field: str, help: str) -> FieldOption:
        return FieldOption(name, cls, field, help, section=section, convert=convert)

    return option


_CREDENTIALS: Final = CredentialsAndIpAuthenticationMethod
_who = _option(_CREDENTIALS, "Who may call")
_cli = _option(VoiceOutTrunk, "Caller ID")
_where = _option(VoiceOutTrunk, "Destinations and spending")
_media = _option(VoiceOutTrunk, "Media")
_trunk = _option(VoiceOutTrunk, "Trunk")

METHOD_OPTIONS: Final = [
    _option(_CREDENTIALS, "Who may call", checked_networks)(
        "--allow", "allowed_sip_ips", "Addresses or networks that calls are accepted from, with the credentials."
    ),
    _who("--tech-prefix", "tech_prefix", "Prefix that is taken off the dialed number; none for no prefix."),
    _option(TwilioAuthenticationMethod, "Who may call")(
        "--twilio", "twilio_account_sid", "Accept the calls of this Twilio account (SID, AC...) instead."
    ),
]
TRUNK_OPTIONS: Final = [
    _cli("--cli-mismatch", "on_cli_mismatch_action", "What happens to calls with another caller ID than allowed."),
    _cli("--any-number", "allow_any_did_as_cli", "Allow each number of the account as caller ID."),
    _where("--destinations", "default_dst_action", "Whether destinations are allowed, except those of --prefix."),
    _where("--prefix", "dst_prefixes", "Prefixes to which the opposite of --destinations applies: digits."),
    _where("--spending-limit", "threshold_amount", "US dollars in 24 hours that block the trunk."),
    _where("--callback-url", "callback_url", "URL to notify when the trunk is blocked or unblocked; none for none."),
    _media("--encryption", "media_encryption_mode", "Media encryption that calls must use."),
    _option(VoiceOutTrunk, "Media", _networks_or_none)(
        "--media-from", "allowed_rtp_ips", "Addresses or networks that RTP is accepted from; none for any."
    ),
    _media("--symmetric-rtp", "force_symmetric_rtp", "Send RTP to where it comes from."),
    _media("--rtp-ping", "rtp_ping", "Keep-alive packets of RTP."),
    _media("--rtp-timeout", "rtp_timeout", "Seconds without RTP after which a call is ended."),
    _trunk("--status", "status", "Whether the trunk can place calls."),
    _trunk("--capacity-limit", "capacity_limit", "Maximum concurrent calls; none for no limit."),
    _trunk("--emergency-any-number", "emergency_enable_all", "Allow emergency calls from each number."),
    _trunk("--reference", "external_reference_id", "Your own identifier, at most 100 characters."),
]
OPTIONS: Final = [*METHOD_OPTIONS, *TRUNK_OPTIONS]

_NUMBERS: Final[dict[str, tuple[str, str]]] = {
    "dids": ("--number", "Numbers allowed as caller ID, separated by commas; none for none."),
    "default_did": ("--replace-with", "Number that replaces another caller ID, with --cli-mismatch replace_cli."),
    "emergency_dids": ("--emergency-number", "Numbers that may place emergency calls, separated by commas."),
}


NUMBER_OPTIONS: Final = {field: name for field, (name, _) in _NUMBERS.items()}


def number_options(command: Any) -> Any:
    """Add the options that name numbers."""
    from didww.cli.parameters import complete_numbers

    for field, (name, text) in reversed(_NUMBERS.items()):
        command = click.option(
            name,
            field,
            cls=SectionOption,
            section="Caller ID",
            metavar="NUMBER",
            help=text,
            shell_complete=complete_numbers,
        )(command)
    return command


def linked(client: Any, texts: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers that options name, by relationship, and take the texts out of `texts`."""
    found: dict[str, Any] = {}
    for field in _NUMBERS:
        text = texts.pop(field, None)
        if text is None:
            continue
        names = [] if text == "none" else [part for part in text.split(",") if part.strip()]
        dids: list[Did] = lookups.dids(client, names) if names else []
        if field != "default_did":
            found[field] = dids
        elif len(dids) > 1:
            raise click.UsageError("--replace-with takes one number.")
        else:
            found[field] = dids[0] if dids else None
    return found
