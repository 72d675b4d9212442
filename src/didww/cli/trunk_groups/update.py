"""`didww groups update`, `add`, `remove` and `delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups
from didww.cli.dry_run import step
from didww.cli.errors import RefusedError
from didww.cli.field_options import FieldOption, differences, given, values_of
from didww.cli.framework import Command
from didww.cli.plans import confirm_plan
from didww.cli.trunk_groups.failover import in_order
from didww.cli.trunk_groups.list import group_argument, load, print_group
from didww.cli.trunk_groups.options import (
    GROUP_OPTIONS,
    groups_of,
    load_trunks,
    moves,
    new_priorities,
    priorities_option,
    priority_lines,
    set_priorities,
    state,
    trunks_argument,
)
from didww.cli.trunks.use import routed
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.resources.voice_in_trunk import VoiceInTrunk

__all__ = ["add", "delete", "remove", "update"]

RENAME = FieldOption("--rename", VoiceInTrunkGroup, "name", "New name.", convert=lookups.new_name)
OPTIONS = [RENAME, *GROUP_OPTIONS]


@click.command(
    cls=Command,
    changes=True,
    params=[*OPTIONS],
    examples=(
        "didww groups update Support --order Backup,Office",
        "didww groups update Support --rename Helpdesk --capacity-limit 50",
    ),
)
@group_argument
@click.option("--order", metavar="TRUNKS", help="All trunks of the group by name, the first to ring first.")
@priorities_option
@click.pass_obj
def update(session: Session, /, group: str, order: str | None, priorities: str | None, **fields: Any) -> None:
    """Rename a group, limit its calls, or change the order in which its trunks ring."""
    record = load(session, group)
    name, members = record.name, in_order(record.voice_in_trunks)
    before = values_of(OPTIONS, record)
    record._assign(given(OPTIONS, fields, VoiceInTrunkGroup))
    changes = differences(OPTIONS, before, values_of(OPTIONS, record))
    trunks, wanted = members, [trunk.priority for trunk in members]
    if order is not None or priorities is not None:
        trunks = members if order is None else _ordered(name, members, order)
        wanted = new_priorities(priorities, trunks)
    lines = [*(f"  {line}" for line in changes), *priority_lines(trunks, wanted)]
    if not lines:
        session.say("Nothing to change: these are the values already.")
        return
    _ask(session, record, f"Group {name!r}:", lines, "Change the group?", [])
    if changes:
        with step():
            session.client.voice_in_trunk_groups().update(record)
            session.known.append(f"Group {name!r}: {'; '.join(changes)}.")
    set_priorities(session, trunks, wanted)
    _finish(session, record)


def _ordered(name: str, members: Sequence[VoiceInTrunk], text: str) -> list[VoiceInTrunk]:
    """Return all trunks of a group in the order of a text.

    Raises:
        UsageError: It does not name all of them once.
    """
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    by_name = {trunk.name: trunk for trunk in members}
    if sorted(wanted) != sorted(by_name):
        raise click.UsageError(
            f"--order must name each trunk of group {name!r} once: {', '.join(by_name)}. To change which they are: "
            "didww groups add, didww groups remove."
        )
    return [by_name[each] for each in wanted]


@click.command(
    cls=Command,
    changes=True,
    examples=("didww groups add Support Mobile", "didww groups add Support Mobile --priorities 1 --yes"),
)
@group_argument
@trunks_argument
@priorities_option
@click.pass_obj
def add(session: Session, group: str, trunk_names: tuple[str, ...], priorities: str | None) -> None:
    """Add trunks to a group. They ring after those that it has, unless you set other priorities."""
    record = load(session, group)
    here = {trunk.id for trunk in record.voice_in_trunks}
    trunks = load_trunks(session.client, trunk_names)
    for trunk in trunks:
        if trunk.id in here:
            raise click.UsageError(f"Trunk {trunk.name!r} is in group {record.name!r} already.")
    last = max((trunk.priority for trunk in record.voice_in_trunks), default=0)
    wanted = new_priorities(priorities, trunks, first=last + 1)
    lines = [
        f"  Trunk {trunk.name!r} joins, with priority {priority} (now {trunk.priority})."
        for trunk, priority in zip(trunks, wanted, strict=True)
    ]
    lines += moves(trunks, record.id)
    _ask(session, record, f"Group {record.name!r}:", lines, "Add to the group?", trunks)
    set_priorities(session, trunks, wanted)
    with step():
        _set_members(session, record, [*record.voice_in_trunks, *trunks])
    _finish(session, record)


@click.command(cls=Command, changes=True, examples=("didww groups remove Support Mobile",))
@group_argument
@trunks_argument
@click.pass_obj
def remove(session: Session, group: str, trunk_names: tuple[str, ...]) -> None:
    """Take trunks out of a group. The trunks stay."""
    record = load(session, group)
    here = {trunk.id: trunk for trunk in record.voice_in_trunks}
    leaving = load_trunks(session.client, trunk_names)
    for trunk in leaving:
        if here.pop(trunk.id, None) is None:
            names = ", ".join(each.name for each in record.voice_in_trunks) or "none"
            raise click.UsageError(f"Trunk {trunk.name!r} is not in group {record.name!r}. Its trunks: {names}.")
    lines = [f"  Trunk {trunk.name!r} leaves the group." for trunk in leaving]
    if not here:
        lines.append("  No trunk is left: calls to the group will fail.")
    _ask(session, record, f"Group {record.name!r}:", lines, "Take out of the group?", [])
    _set_members(session, record, list(here.values()))
    _finish(session, record)


def _set_members(session: Session, group: VoiceInTrunkGroup, trunks: list[VoiceInTrunk]) -> None:
    change = VoiceInTrunkGroup.build(group.id)
    change.voice_in_trunks = trunks
    session.client.voice_in_trunk_groups().update(change)


def _ask(
    session: Session,
    group: VoiceInTrunkGroup,
    title: str,
    lines: Sequence[str],
    question: str,
    joining: Sequence[VoiceInTrunk],
) -> None:
    client = session.client
    use = routed(client, "voice_in_trunk_group", group.id)

    def read() -> dict[str, Any]:
        now = load(session, group.id)
        return state(now.voice_in_trunks) | groups_of(load_trunks(client, [trunk.id for trunk in joining]))

    seen = state(group.voice_in_trunks) | groups_of(joining)
    confirm_plan(session, title, *lines, use.sentence("the group"), question=question, seen=seen, read=read)


def _finish(session: Session, group: VoiceInTrunkGroup) -> None:
    if not session.settings.dry_run:
        print_group(session, load(session, group.id))


@click.command(
    cls=Command,
    output=False,
    changes=True,
    examples=("didww groups delete Support", "didww groups delete Support --with-trunks"),
)
@group_argument
@click.option("--with-trunks", is_flag=True, help="Delete its trunks too. By default they are taken out first.")
@click.pass_obj
def delete(session: Session, group: str, with_trunks: bool) -> None:
    """Delete a group that no number is routed to. Its trunks stay, unless --with-trunks is given.

    The service deletes the trunks of a group with it. So this command takes them out first.
    """
    client = session.client
    record = load(session, group)
    use = routed(client, "voice_in_trunk_group", record.id)
    if use.total:
        command = session.command_line("numbers", "route", use.numbers[0], "--group", "OTHER")
        raise RefusedError(
            f"Group {record.name!r} cannot be deleted. {use.sentence('it')} Route elsewhere first: {command}"
        )
    trunks = in_order(record.voice_in_trunks)
    if with_trunks:
        for trunk in trunks:
            used = routed(client, "voice_in_trunk", trunk.id)
            if used.total:
                raise RefusedError(
                    f"Trunk {trunk.name!r} of the group cannot be deleted. {used.sentence('it')} Leave out "
                    "--with-trunks, or route elsewhere first."
                )
    names = ", ".join(trunk.name for trunk in trunks) or "none"
    plan = f"Trunks that are deleted with it: {names}." if with_trunks else f"Trunks that stay: {names}."
    confirm_plan(
        session,
        f"Group {record.name!r} will be deleted.",
        plan,
        question="Delete the group?",
        seen=state(trunks),
        read=lambda: state(load(session, record.id).voice_in_trunks),
    )
    if trunks and not with_trunks:
        with step():
            _set_members(session, record, [])
            session.known.append(f"The trunks were taken out of group {record.name!r}: {names}.")
    client.voice_in_trunk_groups().delete(record)
    session.say(f"Group {record.name!r} was deleted.")
