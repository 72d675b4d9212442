"""`didww groups`: groups of inbound trunks."""

from __future__ import annotations

from typing import Final

import click

from didww.cli.framework import LazyGroup

__all__ = ["groups"]

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "": {
        "list": ("trunk_groups.list:list_", "List trunk groups."),
        "show": ("trunk_groups.list:show", "Show a group: which trunk rings when, and the numbers that use it."),
        "create": ("trunk_groups.create:create", "Create a group of trunks."),
        "update": ("trunk_groups.update:update", "Rename a group, limit its calls, or order its trunks."),
        "add": ("trunk_groups.update:add", "Add trunks to a group."),
        "remove": ("trunk_groups.update:remove", "Take trunks out of a group."),
        "delete": ("trunk_groups.update:delete", "Delete a group; its trunks stay, unless you want otherwise."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    examples=("didww groups create Support Office Backup", "didww groups show Support"),
)
def groups() -> None:
    """Groups of inbound trunks, for failover and for sharing calls.

    A call goes to the trunk with the lowest priority first, and on to the next one if it fails with one of the codes of
    the trunk: didww trunks update TRUNK --reroute-on CODES. Trunks of equal priority share the calls by weight.
    """
