"""`didww sms-groups`: groups of SMS trunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import lookups, parameters
from didww.cli.dry_run import step
from didww.cli.errors import RefusedError
from didww.cli.framework import SINCE_TOKENS, Group
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable, print_rows
from didww.cli.plans import confirm_plan
from didww.cli.trunks.use import routed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww.cli.session import Session
    from didww.resources.sms_trunk import SmsTrunk
    from didww.resources.sms_trunk_group import SmsTrunkGroup

__all__ = ["sms_groups"]

group_argument: Final = click.argument("group", metavar="GROUP", shell_complete=parameters.complete_sms_groups)
trunks_argument: Final = click.argument(
    "trunk_names", metavar="TRUNK...", nargs=-1, required=True, shell_complete=parameters.complete_sms_trunks_in
)
_PREFIX: Final = "didww sms-groups"


@click.group(
    "sms-groups",
    cls=Group,
    versions=SINCE_TOKENS,
    examples=(f"{_PREFIX} create Messages Inbox Hook", f"{_PREFIX} show Messages"),
)
def sms_groups() -> None:
    """Groups of SMS trunks, for failover of inbound messages.

    A message goes to the trunk with the highest priority first: didww sms-trunks update TRUNK --priority N. Trunks of
    the type http_out cannot be in a group.
    """


def load(session: Session, text: str) -> SmsTrunkGroup:
    """Return a group with its trunks, by name or id."""
    endpoint = session.client.sms_trunk_groups()
    found = lookups.by_name(endpoint, text, "SMS trunk group")
    group: SmsTrunkGroup = endpoint.find(found.id, include="sms_trunks").data
    return group


def load_trunks(session: Session, texts: Iterable[str]) -> list[SmsTrunk]:
    """Return SMS trunks with their groups, by name or id.

    Raises:
        UsageError: One is named twice.
        RefusedError: One cannot be in a group.
    """
    endpoint = session.client.sms_trunks()
    trunks: list[SmsTrunk] = []
    for text in texts:
        found = lookups.by_name(endpoint, text, "SMS trunk")
        if any(found.id == each.id for each in trunks):
            raise click.UsageError(f"SMS trunk {found.name!r} is named twice.")
        if not found.allow_in:
            raise RefusedError(
                f"SMS trunk {found.name!r} has the type {found.configuration.type}, which only sends messages. Groups "
                "are for trunks that receive them."
            )
        trunks.append(endpoint.find(found.id, include="sms_trunk_group").data)
    return trunks


def in_order(trunks: Iterable[SmsTrunk]) -> list[SmsTrunk]:
    """Return trunks in the order in which they are tried."""
    return sorted(trunks, key=lambda trunk: (-(trunk.priority or 0), trunk.name))


def _state(trunks: Iterable[SmsTrunk]) -> dict[str, Any]:
    return {"trunks of the group": sorted(trunk.name for trunk in trunks)}


def _groups_of(trunks: Iterable[SmsTrunk]) -> dict[str, Any]:
    return {
        f"group of {trunk.name}": None if trunk.sms_trunk_group is None else trunk.sms_trunk_group.name
        for trunk in trunks
    }


def _moves(trunks: Iterable[SmsTrunk], id: str | None) -> list[str]:
    """Return a line for each trunk that leaves another group for the one with this id."""
    return [
        f"  Trunk {trunk.name!r} leaves group {group.name!r}."
        for trunk in trunks
        if (group := trunk.sms_trunk_group) is not None and group.id != id
    ]


def _set_members(session: Session, group: SmsTrunkGroup, trunks: Sequence[SmsTrunk]) -> None:
    from didww.resources.sms_trunk_group import SmsTrunkGroup

    session.client.sms_trunk_groups().update(SmsTrunkGroup.build(group.id, sms_trunks=list(trunks)))


def _print(session: Session, group: SmsTrunkGroup) -> None:
    """Print a group that was loaded with its trunks."""
    from didww.resources.sms_trunk_group import SmsTrunkGroup

    use = routed(session.client, "sms_trunk_group", group.id)
    rows = [
        {"priority": trunk.priority, "trunk": trunk.name, "type": trunk.configuration.type, "blocked": trunk.blocked}
        for trunk in in_order(group.sms_trunks)
    ]
    if not session.settings.for_person:
        more = {"trunks": rows, "numbers": use.numbers, "numbers count": use.total}
        RecordTable(session.settings, SmsTrunkGroup).print_one(group, more)
        return
    session.say(f"SMS trunk group {group.name!r} ({group.id}); the first trunk is tried first.")
    print_rows(session.settings, rows, ["priority", "trunk", "type", "blocked"])
    session.say(use.sentence("the group"))


@sms_groups.command("list", examples=(f"{_PREFIX} list", f"{_PREFIX} list -o json"))
@list_options
@click.pass_obj
def list_(session: Session, listing: Listing) -> None:
    """List the groups, with their trunks."""
    from didww.resources.sms_trunk_group import SmsTrunkGroup

    listing.print(session, SmsTrunkGroup, {}, sort="name")


@sms_groups.command(examples=(f"{_PREFIX} show Messages",))
@group_argument
@click.pass_obj
def show(session: Session, group: str) -> None:
    """Show a group, its trunks and its numbers.

    The trunks are in the order in which they are tried.
    """
    _print(session, load(session, group))


@sms_groups.command(changes=True, examples=(f"{_PREFIX} create Messages Inbox Hook",))
@click.argument("name")
@trunks_argument
@click.option("--reference", type=parameters.reference, metavar="TEXT", help="Your own identifier of the group.")
@click.pass_obj
def create(session: Session, name: str, trunk_names: tuple[str, ...], reference: str | None) -> None:
    """Create a group of SMS trunks. Trunks in another group leave it."""
    from didww.resources.sms_trunk_group import SmsTrunkGroup

    name = lookups.new_name(name)
    trunks = load_trunks(session, trunk_names)
    lines = _moves(trunks, None)
    if lines:
        confirm_plan(
            session,
            f"SMS trunk group {name!r}: {', '.join(trunk.name for trunk in trunks)}.",
            *lines,
            question="Create the group?",
            seen=_groups_of(trunks),
            read=lambda: _groups_of(load_trunks(session, [trunk.id for trunk in trunks])),
        )
    wanted = SmsTrunkGroup(name=name, sms_trunks=trunks)
    if reference is not None:
        wanted.external_reference_id = reference
    group = session.client.sms_trunk_groups().create(wanted).data
    session.known.append(f"SMS trunk group {name!r} was created.")
    _print(session, load(session, group.id))
    session.say(f"Route numbers to it: {session.command_line('numbers', 'route', 'NUMBER', '--sms-group', name)}")


@sms_groups.command(changes=True, examples=(f"{_PREFIX} rename Messages Incoming",))
@group_argument
@click.argument("name")
@click.pass_obj
def rename(session: Session, group: str, name: str) -> None:
    """Rename a group."""
    from didww.resources.sms_trunk_group import SmsTrunkGroup

    record = load(session, group)
    session.client.sms_trunk_groups().update(SmsTrunkGroup.build(record.id, name=lookups.new_name(name)))
    _print(session, load(session, record.id))


@sms_groups.command(changes=True, examples=(f"{_PREFIX} add Messages Spare",))
@group_argument
@trunks_argument
@click.pass_obj
def add(session: Session, group: str, trunk_names: tuple[str, ...]) -> None:
    """Add trunks to a group. Trunks in another group leave it."""
    record = load(session, group)
    here = {trunk.id for trunk in record.sms_trunks}
    trunks = load_trunks(session, trunk_names)
    for trunk in trunks:
        if trunk.id in here:
            raise click.UsageError(f"SMS trunk {trunk.name!r} is in group {record.name!r} already.")
    lines = [f"  Trunk {trunk.name!r} joins, with priority {trunk.priority}." for trunk in trunks]
    _ask(session, record, [*lines, *_moves(trunks, record.id)], "Add to the group?")
    _set_members(session, record, [*record.sms_trunks, *trunks])
    _print(session, load(session, record.id))


@sms_groups.command(changes=True, examples=(f"{_PREFIX} remove Messages Hook",))
@group_argument
@trunks_argument
@click.pass_obj
def remove(session: Session, group: str, trunk_names: tuple[str, ...]) -> None:
    """Take trunks out of a group. The trunks stay."""
    record = load(session, group)
    here = {trunk.id: trunk for trunk in record.sms_trunks}
    leaving = load_trunks(session, trunk_names)
    for trunk in leaving:
        if here.pop(trunk.id, None) is None:
            names = ", ".join(each.name for each in record.sms_trunks) or "none"
            raise click.UsageError(f"SMS trunk {trunk.name!r} is not in group {record.name!r}. Its trunks: {names}.")
    lines = [f"  Trunk {trunk.name!r} leaves the group." for trunk in leaving]
    if not here:
        lines.append("  No trunk is left: messages to the group will be lost.")
    _ask(session, record, lines, "Take out of the group?")
    _set_members(session, record, list(here.values()))
    _print(session, load(session, record.id))


def _ask(session: Session, group: SmsTrunkGroup, lines: Sequence[str], question: str) -> None:
    use = routed(session.client, "sms_trunk_group", group.id)
    confirm_plan(
        session,
        f"SMS trunk group {group.name!r}:",
        *lines,
        use.sentence("the group"),
        question=question,
        seen=_state(group.sms_trunks),
        read=lambda: _state(load(session, group.id).sms_trunks),
    )


@sms_groups.command(
    output=False, changes=True, examples=(f"{_PREFIX} delete Messages", f"{_PREFIX} delete Messages --with-trunks")
)
@group_argument
@click.option("--with-trunks", is_flag=True, help="Delete its trunks too. By default they are taken out first.")
@click.pass_obj
def delete(session: Session, group: str, with_trunks: bool) -> None:
    """Delete a group that no number is routed to. Its trunks stay, unless --with-trunks is given.

    The service deletes the trunks of a group with it. So this command takes them out first.
    """
    record = load(session, group)
    trunks = in_order(record.sms_trunks)
    _check_unused(session, "sms_trunk_group", "SMS trunk group", record)
    if with_trunks:
        for trunk in trunks:
            _check_unused(session, "sms_trunk", "SMS trunk", trunk)
    names = ", ".join(trunk.name for trunk in trunks) or "none"
    confirm_plan(
        session,
        f"SMS trunk group {record.name!r} will be deleted.",
        f"Trunks that are deleted with it: {names}." if with_trunks else f"Trunks that stay: {names}.",
        question="Delete the group?",
        seen=_state(trunks),
        read=lambda: _state(load(session, record.id).sms_trunks),
    )
    if trunks and not with_trunks:
        with step():
            _set_members(session, record, [])
            session.known.append(f"The trunks were taken out of SMS trunk group {record.name!r}: {names}.")
    session.client.sms_trunk_groups().delete(record)
    session.say(f"SMS trunk group {record.name!r} was deleted.")


def _check_unused(session: Session, field: str, kind: str, record: Any) -> None:
    """Check that no number is routed to a trunk or a group that is to be deleted.

    Raises:
        RefusedError: Numbers are.
    """
    use = routed(session.client, field, record.id)
    if use.total:
        option = "--sms-trunk" if field == "sms_trunk" else "--sms-group"
        command = session.command_line("numbers", "route", use.numbers[0], option, "OTHER")
        raise RefusedError(
            f"{kind} {record.name!r} cannot be deleted. {use.sentence('it')} Route elsewhere first: {command}"
        )
