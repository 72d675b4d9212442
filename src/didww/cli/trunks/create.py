"""`didww trunks create`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, parameters
from didww.cli.dry_run import step
from didww.cli.field_options import given, naming_options
from didww.cli.framework import Command, SectionOption
from didww.cli.trunks.configuration import check_target, new_configuration, port_notes
from didww.cli.trunks.list import credentials_option
from didww.cli.trunks.options import ALL_OPTIONS
from didww.cli.trunks.output import TrunkOutput
from didww.cli.trunks.passwords import auth_password, password_option
from didww.cli.trunks.pops import pop_option, set_pop
from didww.cli.trunks.presets import UNVERIFIED, PresetOption, after_creation, complete_presets
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk

if TYPE_CHECKING:
    from didww.cli.presets.reader import Preset
    from didww.cli.session import Session

__all__ = ["create"]


@click.command(
    cls=Command,
    changes=True,
    params=[*ALL_OPTIONS],
    examples=(
        "didww trunks create Office --sip sip.example.com --port 5061 --transport tls --codec pcmu,pcma",
        "didww trunks create 'On call' --pstn 442079460000",
        "didww trunks create 'Desk phone' --register --show-credentials",
        "didww trunks create Agent --for openai --set project=proj_example",
        "didww trunks create Backup --sip 192.0.2.10 --ringing-timeout 20 --reroute-on 486,503,ringing-timeout",
    ),
)
@click.argument("name")
@click.option("--for", "platform", cls=PresetOption, metavar="PLATFORM", shell_complete=complete_presets)
@click.option(
    "--set",
    "supplied",
    type=parameters.pair,
    multiple=True,
    metavar="NAME=VALUE",
    help="A value that the preset needs, such as project=proj_...",
)
@click.option(
    "--group",
    cls=SectionOption,
    section="Trunk",
    metavar="NAME",
    shell_complete=parameters.complete_groups,
    help="Put it into this group.",
)
@pop_option("NAME", "Pin it to this point of presence")
@password_option
@credentials_option
@click.pass_obj
def create(
    session: Session,
    /,
    name: str,
    platform: str | None,
    supplied: tuple[tuple[str, str], ...],
    group: str | None,
    pop: str | None,
    auth_password_file: str | None,
    show_credentials: bool,
    **fields: Any,
) -> None:
    """Create an inbound trunk.

    Calls go to a SIP host, a phone number, a device that registers, or a platform with a preset. The codecs of SIP
    default to pcmu, pcma and telephone-event. The other settings default to those of DIDWW or of the preset.
    """
    name = lookups.new_name(name)
    preset = _preset(platform, supplied)
    sip, pstn = (given(ALL_OPTIONS, fields, cls) for cls in (SipConfiguration, PstnConfiguration))
    check_target(sip, pstn, preset)
    if sip.get("auth_user") is not None and not pstn:
        sip["auth_password"] = auth_password(sip["auth_user"], auth_password_file)
    elif auth_password_file is not None:
        raise click.UsageError("--auth-password-file is the password of --auth-user USER, which is missing.")
    configuration = new_configuration(sip, pstn, preset, dict(supplied))
    trunk = VoiceInTrunk(name=name, configuration=configuration)
    if preset is not None:
        trunk._assign(_trunk_settings(preset))
    trunk._assign(given(ALL_OPTIONS, fields, VoiceInTrunk))
    with naming_options(ALL_OPTIONS):
        trunk._check_rules(creating=True)
    client = session.client
    if pop is not None:
        set_pop(client, trunk, pop)
    if group is not None:
        _join(session, trunk, group)
    if preset is not None and preset.unverified:
        session.say(UNVERIFIED)
    output = TrunkOutput(session.settings, secrets=show_credentials)
    with naming_options(ALL_OPTIONS), step():
        trunk = client.voice_in_trunks().create(trunk, include=output.includes).data
        session.known.append(f"Trunk {trunk.name!r} was created.")
        named = {option.field.name for option in ALL_OPTIONS if fields.get(option.field.name) is not None}
        output.print(trunk, only=named | ({"pop"} if pop is not None else set()))
        if session.settings.for_person:
            session.say(f"All settings: {session.command_line('trunks', 'show', trunk.name)}")
    _afterwards(session, trunk, preset, shown=show_credentials)


def _preset(platform: str | None, supplied: tuple[tuple[str, str], ...]) -> Preset | None:
    from didww.cli.presets import reader

    if platform is not None:
        return reader.load(platform)
    if supplied:
        raise click.UsageError("--set is for the values of a preset: pass --for PLATFORM too.")
    return None


def _trunk_settings(preset: Preset) -> dict[str, Any]:
    from didww.cli.field_options import parse

    fields = VoiceInTrunk._field_map
    return {field: parse(fields[field], setting.value) for field, setting in preset.trunk.items()}


def _join(session: Session, trunk: VoiceInTrunk, text: str) -> None:
    """Put a new trunk into a group; ask if the group has numbers, whose calls it will get."""
    from didww.cli.trunks.use import routed

    group = lookups.by_name(session.client.voice_in_trunk_groups(), text, "trunk group")
    trunk.voice_in_trunk_group = group
    use = routed(session.client, "voice_in_trunk_group", group.id)
    if use.total:
        session.confirm(
            f"Trunk {trunk.name!r} joins group {group.name!r}, and can get its calls at once.",
            use.sentence("the group"),
            question="Create the trunk?",
        )


def _afterwards(session: Session, trunk: VoiceInTrunk, preset: Preset | None, *, shown: bool) -> None:
    """Say what to do next."""
    configuration = trunk.configuration
    if isinstance(configuration, SipConfiguration):
        if configuration.enabled_sip_registration and not shown and not session.settings.dry_run:
            command = session.command_line("trunks", "show", trunk.name, "--show-credentials")
            session.say(f"Credentials were generated. To see them: {command}")
        if preset is not None:
            for note in port_notes(preset, configuration):
                session.say(note)
            after_creation(session, preset, digest=configuration.auth_enabled)
    if not session.settings.dry_run:
        command = session.command_line("numbers", "route", "NUMBER", "--trunk", trunk.name)
        session.say(f"Route numbers to it: {command}")
