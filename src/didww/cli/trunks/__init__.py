"""`didww trunks`: inbound trunks."""

from __future__ import annotations

from typing import Final

import click

from didww.cli.framework import LazyGroup

__all__ = ["trunks"]

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "": {
        "list": ("trunks.list:list_", "List inbound trunks."),
        "show": ("trunks.list:show", "Show a trunk and the numbers that use it."),
        "create": ("trunks.create:create", "Create a trunk: to a SIP host, a device or a phone number."),
        "update": ("trunks.update:update", "Change a trunk."),
        "delete": ("trunks.update:delete", "Delete a trunk."),
        "presets": ("trunks.presets:presets", "List the platforms that `create --for` knows."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    examples=("didww trunks create Office --sip sip.example.com", "didww trunks show Office"),
)
def trunks() -> None:
    """Inbound trunks: where calls to your numbers go.

    A trunk delivers calls to a SIP host, to a device that registers with DIDWW, or to a phone number. Trunks are given
    by name or id. To route numbers to a trunk: didww numbers route.
    """
