"""Where a new trunk sends calls: its configuration, from the options and from a preset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli.field_options import naming_options, parse
from didww.cli.trunks.options import ALL_OPTIONS, SIP_OPTIONS
from didww.enums import Codec
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww.cli.presets.reader import Preset

__all__ = ["check_target", "new_configuration", "port_notes"]

CODECS: Final = [Codec.PCMU, Codec.PCMA, Codec.TELEPHONE_EVENT]
"""Codecs of a trunk if none are given."""

_TARGETS: Final = {"host": "--sip", "dst": "--pstn", "enabled_sip_registration": "--register"}


def check_target(sip: Mapping[str, Any], pstn: Mapping[str, Any], preset: Preset | None) -> None:
    """Check that options say where calls go, once.

    Raises:
        UsageError: There is no target, or there are several.
    """
    given = [option for name, option in _TARGETS.items() if {**sip, **pstn}.get(name)]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other: a trunk sends calls to one place.")
    if pstn and preset is not None:
        raise click.UsageError(f"--pstn and --for {preset.name} exclude each other: presets are for SIP.")
    if not given and preset is None:
        raise click.UsageError(
            "Missing option: where calls go, one of --sip HOST, --pstn NUMBER, --register and --for PLATFORM.",
            click.get_current_context(silent=True),
        )


def new_configuration(
    sip: Mapping[str, Any], pstn: Mapping[str, Any], preset: Preset | None, supplied: Mapping[str, str]
) -> SipConfiguration | PstnConfiguration:
    """Return the configuration of a new trunk.

    Args:
        sip: The fields of SIP that options set, which override the preset.
        pstn: The fields of forwarding to a phone number.
        preset: The preset of `--for`.
        supplied: The values of `--set`.

    Raises:
        UsageError: Options do not fit together.
        InvalidValueError: A value of the preset is missing.
    """
    if pstn:
        for option in SIP_OPTIONS:
            if option.field.name in sip:
                raise click.UsageError(f"{option.opts[0]} is for SIP: a trunk with --pstn has no such setting.")
        return PstnConfiguration(**pstn)
    explicit = dict(sip)
    if explicit.get("host") is not None:
        explicit["enabled_sip_registration"] = False
    if explicit.get("auth_user") is not None:
        explicit.setdefault("auth_enabled", True)
    settings = {} if preset is None else _of_preset(preset, supplied, explicit)
    fields: dict[str, Any] = {"codec_ids": CODECS, **settings, **explicit}
    with naming_options(ALL_OPTIONS):
        return SipConfiguration(**fields)


def _of_preset(preset: Preset, supplied: Mapping[str, str], explicit: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a preset that the options leave, converted."""
    overridden = {*explicit, *_UNFIT.get(explicit.get("enabled_sip_registration"), ())}
    settings = preset.resolve(supplied, overridden)
    fields = SipConfiguration._field_map
    converted = {name: parse(fields[name], value) for name, value in settings.items()}
    transport = explicit.get("transport_protocol_id")
    if transport is not None and "port" in converted:
        converted["port"] = preset.ports.get(transport.name.lower(), converted["port"])
    return converted


_UNFIT: Final[Mapping[bool | None, tuple[str, ...]]] = {
    True: ("host", "port", "username", "resolve_ruri"),
    False: ("use_did_in_ruri",),
}
"""Settings of presets that do not go with registration, or without."""


def port_notes(preset: Preset, configuration: SipConfiguration) -> list[str]:
    """Return what the sources of a preset say against the transport and port that were chosen."""
    transport = configuration.transport_protocol_id.name.lower()
    if not preset.ports or configuration.enabled_sip_registration:
        return []
    if transport not in preset.ports:
        return [f"Note: the sources name {', '.join(preset.ports)} as transport of {preset.title}, not {transport}."]
    port = preset.ports[transport]
    if configuration.port == port:
        return []
    return [f"Note: the sources name port {port} with {transport} for {preset.title}, not {configuration.port}."]
