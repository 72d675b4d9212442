"""`didww trunks update` and `delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, parameters
from didww.cli.errors import RefusedError
from didww.cli.field_options import FieldOption, differences, given, naming_options, values_of
from didww.cli.framework import Command, SectionOption
from didww.cli.trunks.list import credentials_option, trunk_argument
from didww.cli.trunks.options import ALL_OPTIONS
from didww.cli.trunks.output import TrunkOutput
from didww.cli.trunks.passwords import auth_password, password_option
from didww.cli.trunks.pops import pop_of, pop_option, set_pop
from didww.cli.trunks.use import affected, routed
from didww.resources.voice_in_trunk import VoiceInTrunk

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["delete", "update"]

RENAME = FieldOption("--rename", VoiceInTrunk, "name", "New name.", section="Trunk", convert=lookups.new_name)
OPTIONS = [RENAME, *ALL_OPTIONS]


@click.command(
    cls=Command,
    changes=True,
    params=[*OPTIONS],
    examples=(
        "didww trunks update Office --ringing-timeout 20 --reroute-on 486,503,ringing-timeout",
        "didww trunks update Office --sip sip2.example.com --dry-run",
        "didww trunks update Office --capacity-limit none --rename 'Head office' --yes",
    ),
)
@trunk_argument
@click.option(
    "--group",
    cls=SectionOption,
    section="Trunk",
    metavar="NAME|none",
    shell_complete=parameters.complete_groups,
    help="Put it into this group, and so out of its former one; none: into no group.",
)
@pop_option("NAME|none", "Pin it to this point of presence; none: to none")
@password_option
@credentials_option
@click.pass_obj
def update(
    session: Session,
    /,
    trunk: str,
    group: str | None,
    pop: str | None,
    auth_password_file: str | None,
    show_credentials: bool,
    **fields: Any,
) -> None:
    """Change a trunk: show from what to what and which numbers it affects, and ask.

    The value none unsets an option that can be unset. A trunk to SIP cannot become one to a phone number: create
    another trunk, and route the numbers to it.
    """
    client = session.client
    output = TrunkOutput(session.settings, secrets=show_credentials)
    found = lookups.by_name(client.voice_in_trunks(), trunk, "trunk")
    record = client.voice_in_trunks().find(found.id, include=output.includes).data
    before = _values(record)
    with naming_options(OPTIONS):
        record._assign(given(OPTIONS, fields, VoiceInTrunk))
        _configure(record, fields, auth_password_file)
        record._check_rules(creating=False)
    if group is not None:
        endpoint = client.voice_in_trunk_groups()
        record.voice_in_trunk_group = None if group == "none" else lookups.by_name(endpoint, group, "trunk group")
    if pop is not None:
        set_pop(client, record, pop)
    after = _values(record)
    lines = [*differences(OPTIONS, before, after), *_moves(before, after)]
    if not lines:
        session.say("Nothing to change: these are the values already.")
        return
    former = VoiceInTrunk.build(record.id, voice_in_trunk_group=before["voice_in_trunk_group"])
    users = affected(client, former)
    joined = record.voice_in_trunk_group
    if joined is not None and joined != before["voice_in_trunk_group"]:
        users.append(routed(client, "voice_in_trunk_group", joined.id).sentence(f"group {joined.name!r}"))
    session.confirm(
        f"Trunk {found.name!r}:",
        *(f"  {line}" for line in lines),
        *users,
        question="Change the trunk?",
    )
    with naming_options(OPTIONS):
        record = client.voice_in_trunks().update(record, include=output.includes).data
    output.print(record)


def _values(record: VoiceInTrunk) -> dict[str, Any]:
    """Return all values that options set."""
    return {
        **values_of(OPTIONS, record),
        **values_of(OPTIONS, record.configuration),
        "voice_in_trunk_group": record.voice_in_trunk_group,
        "pop": pop_of(record),
    }


def _moves(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return a line for the group and the point of presence, if they change."""
    lines: list[str] = []
    for name, label in (("voice_in_trunk_group", "group"), ("pop", "point of presence")):
        if before[name] != after[name]:
            old, new = (_name(each) for each in (before[name], after[name]))
            lines.append(f"{label}: {old} -> {new}")
    return lines


def _name(value: Any) -> str:
    return "none" if value is None else str(getattr(value, "name", value))


def _configure(record: VoiceInTrunk, fields: dict[str, Any], password_file: str | None) -> None:
    """Set the fields of the configuration.

    Raises:
        UsageError: They belong to the other type of trunks.
    """
    configuration = record.configuration
    values = given(OPTIONS, fields, type(configuration))
    for option in OPTIONS:
        if option.cls not in (VoiceInTrunk, type(configuration)) and given([option], fields, option.cls):
            raise click.UsageError(
                f"{option.opts[0]} does not fit trunk {record.name!r}, whose type ({configuration.type}) cannot be "
                "changed. Create another trunk, and route the numbers to it."
            )
    if values.get("auth_user") is not None:
        values["auth_password"] = auth_password(values["auth_user"], password_file)
        values.setdefault("auth_enabled", True)
    elif password_file is not None:
        user = getattr(configuration, "auth_user", None)
        if user is None:
            raise click.UsageError("--auth-password-file is the password of --auth-user USER, which is missing.")
        values["auth_password"] = auth_password(user, password_file)
    configuration._assign(values)


@click.command(cls=Command, output=False, changes=True, examples=("didww trunks delete Backup",))
@trunk_argument
@click.pass_obj
def delete(session: Session, trunk: str) -> None:
    """Delete a trunk that no number is routed to and that is in no group."""
    client = session.client
    found = lookups.by_name(client.voice_in_trunks(), trunk, "trunk")
    record = client.voice_in_trunks().find(found.id, include=["voice_in_trunk_group"]).data
    use = routed(client, "voice_in_trunk", record.id)
    if use.total:
        command = session.command_line("numbers", "route", use.numbers[0], "--trunk", "OTHER")
        raise RefusedError(
            f"Trunk {record.name!r} cannot be deleted. {use.sentence('it')} Route elsewhere first: {command}"
        )
    group = record.voice_in_trunk_group
    if group is not None:
        command = session.command_line("groups", "remove", group.name, record.name)
        raise RefusedError(
            f"Trunk {record.name!r} cannot be deleted: it is in group {group.name!r}. Take it out first: {command}"
        )
    session.confirm(f"Trunk {record.name!r} will be deleted. No number uses it.", question="Delete the trunk?")
    client.voice_in_trunks().delete(record)
    session.say(f"Trunk {record.name!r} was deleted.")
