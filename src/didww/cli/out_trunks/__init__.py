"""`didww out-trunks`: outbound trunks."""

from __future__ import annotations

from typing import Final

import click

from didww.cli.framework import LazyGroup

__all__ = ["out_trunks"]

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "": {
        "list": ("out_trunks.list:list_", "List outbound trunks."),
        "show": ("out_trunks.list:show", "Show an outbound trunk and what it has spent."),
        "create": ("out_trunks.create:create", "Create an outbound trunk."),
        "update": ("out_trunks.update:update", "Change an outbound trunk."),
        "delete": ("out_trunks.update:delete", "Delete an outbound trunk."),
        "credentials": ("out_trunks.credentials:credentials", "Show the credentials of an outbound trunk."),
        "regenerate": ("out_trunks.credentials:regenerate", "Replace the credentials of an outbound trunk."),
    },
}


@click.group(
    "out-trunks",
    cls=LazyGroup,
    sections=SECTIONS,
    examples=(
        "didww out-trunks create Outbound --allow 192.0.2.10",
        "didww out-trunks credentials Outbound --show",
    ),
)
def out_trunks() -> None:
    """Outbound trunks, which send your calls to the telephone network, and their credentials.

    DIDWW has to enable outbound trunks for your account.
    """
