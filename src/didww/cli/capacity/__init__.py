"""`didww capacity`: channels of numbers."""

from __future__ import annotations

from typing import Final

import click

from didww.cli.framework import LazyGroup

__all__ = ["capacity"]

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "": {
        "show": ("capacity.show:show", "Show pools, their channels, and which numbers use them."),
        "buy": ("capacity.buy:buy", "Buy channels for a pool."),
        "release": ("capacity.buy:release", "Give channels of a pool back."),
        "share": ("capacity.share:share", "Let numbers share channels: create or change a shared group."),
        "unshare": ("capacity.share:unshare", "Delete a shared group; its channels return to the pool."),
        "assign": ("capacity.assign:assign", "Assign channels of a pool to single numbers."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    examples=("didww capacity show", "didww capacity buy Europe --channels 10"),
)
def capacity() -> None:
    """Channels of your numbers: each carries one call at a time and is paid for monthly.

    Each number includes some channels. Buy more for a pool, which serves the numbers of its countries, and let numbers
    share them, or assign them to single numbers.
    """
