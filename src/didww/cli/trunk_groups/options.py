"""The options of trunk groups, and the priorities of their trunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import lookups, parameters
from didww.cli.dry_run import step
from didww.cli.field_options import FieldOption
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww.cli.session import Session

__all__ = [
    "GROUP_OPTIONS",
    "groups_of",
    "load_trunks",
    "moves",
    "new_priorities",
    "priorities_option",
    "priority_lines",
    "set_priorities",
    "state",
    "trunks_argument",
]

GROUP_OPTIONS: Final = [
    FieldOption(
        "--capacity-limit", VoiceInTrunkGroup, "capacity_limit", "Maximum concurrent calls; none for no limit."
    ),
    FieldOption(
        "--reference", VoiceInTrunkGroup, "external_reference_id", "Your own identifier, at most 100 characters."
    ),
]


def _priorities(value: Any) -> list[int] | None:
    """Return priorities of a text such as `1,1,2`; None to keep those that the trunks have."""
    if value == "keep":
        return None
    texts = [text.strip() for text in str(value).split(",")]
    if not all(text.isascii() and text.isdecimal() and int(text) <= 65535 for text in texts):
        raise click.BadParameter(f"{value!r:.80} must be numbers from 0 to 65535 such as 1,1,2, or the word keep.")
    return [int(text) for text in texts]


priorities_option: Final = click.option(
    "--priorities",
    metavar="N,N,...|keep",
    help="Priorities of the trunks in this order; keep: those that they have. Defaults to 1, 2, 3 and so on.",
)
trunks_argument: Final = click.argument(
    "trunk_names", metavar="TRUNK...", nargs=-1, required=True, shell_complete=parameters.complete_trunks
)


def load_trunks(client: Any, texts: Iterable[str]) -> list[VoiceInTrunk]:
    """Return trunks with their groups, by name or id.

    Raises:
        UsageError: One is named twice.
    """
    trunks: list[VoiceInTrunk] = []
    for text in texts:
        found = lookups.by_name(client.voice_in_trunks(), text, "trunk")
        if any(found.id == each.id for each in trunks):
            raise click.UsageError(f"Trunk {found.name!r} is named twice.")
        trunks.append(client.voice_in_trunks().find(found.id, include="voice_in_trunk_group").data)
    return trunks


def state(trunks: Iterable[VoiceInTrunk]) -> dict[str, Any]:
    """Return which trunks a group has, with their priorities, for a comparison."""
    members = {trunk.name: trunk.priority for trunk in trunks}
    priorities = {f"priority of {name}": members[name] for name in members}
    return {"trunks of the group": sorted(members), **priorities}


def groups_of(trunks: Iterable[VoiceInTrunk]) -> dict[str, Any]:
    """Return the groups that trunks are in, and their priorities, for a comparison."""
    found: dict[str, Any] = {}
    for trunk in trunks:
        group = trunk.voice_in_trunk_group
        found[f"group of {trunk.name}"] = None if group is None else group.name
        found[f"priority of {trunk.name}"] = trunk.priority
    return found


def new_priorities(text: str | None, trunks: Sequence[VoiceInTrunk], *, first: int = 1) -> list[int]:
    """Return the priority of each trunk.

    Args:
        text: The option: priorities, `keep`, or None for the order of `trunks`.
        trunks: The trunks, in the order that was given.
        first: The first priority if None was given.

    Raises:
        UsageError: There are more or fewer priorities than trunks.
    """
    if text is None:
        return [first + index for index in range(len(trunks))]
    try:
        priorities = _priorities(text)
    except click.BadParameter as error:
        raise click.UsageError(f"--priorities: {error.message}") from None
    if priorities is None:
        return [trunk.priority for trunk in trunks]
    if len(priorities) != len(trunks):
        raise click.UsageError(f"--priorities must have one for each of {len(trunks)} trunks, got {len(priorities)}.")
    return priorities


def priority_lines(trunks: Sequence[VoiceInTrunk], priorities: Sequence[int]) -> list[str]:
    """Return a line for each trunk whose priority changes."""
    return [
        f"  Trunk {trunk.name!r}: priority {trunk.priority} -> {priority}. It is a setting of the trunk."
        for trunk, priority in zip(trunks, priorities, strict=True)
        if trunk.priority != priority
    ]


def moves(trunks: Iterable[VoiceInTrunk], id: str | None) -> list[str]:
    """Return a line for each trunk that leaves another group for the one with this id."""
    return [
        f"  Trunk {trunk.name!r} leaves group {group.name!r}."
        for trunk in trunks
        if (group := trunk.voice_in_trunk_group) is not None and group.id != id
    ]


def set_priorities(session: Session, trunks: Sequence[VoiceInTrunk], priorities: Sequence[int]) -> None:
    """Change the priorities that differ."""
    for trunk, priority in zip(trunks, priorities, strict=True):
        if trunk.priority != priority:
            with step():
                session.client.voice_in_trunks().update(VoiceInTrunk.build(trunk.id, priority=priority))
                session.known.append(f"Trunk {trunk.name!r} has priority {priority}.")
