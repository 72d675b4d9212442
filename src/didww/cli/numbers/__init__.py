"""`didww numbers`: search, buy, route and cancel phone numbers."""

from __future__ import annotations

from typing import Final

import click

from didww.cli.framework import LazyGroup

__all__ = ["numbers"]

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Find and buy": {
        "search": ("numbers.search:search", "Search numbers for sale, with prices and stock."),
        "available": ("numbers.available:available", "List individual numbers for sale."),
        "reserve": ("numbers.available:reserve", "Reserve individual numbers for a few minutes."),
        "buy": ("numbers.buy:buy", "Buy numbers."),
    },
    "Your numbers": {
        "list": ("numbers.list:list_", "List your numbers."),
        "show": ("numbers.list:show", "Show a number."),
        "history": ("numbers.list:history", "Show what happened to numbers."),
        "route": ("numbers.route:route", "Route numbers to a trunk or a trunk group."),
        "register": ("numbers.register:register", "Register numbers: requirements, documents, verification."),
        "cancel": ("numbers.cancel:cancel", "Cancel numbers."),
        "restore": ("numbers.cancel:restore", "Keep numbers that were canceled."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    examples=("didww numbers search GB --city London", "didww numbers list --trunk none"),
)
def numbers() -> None:
    """Search, buy, route and cancel phone numbers (DIDs).

    Countries are given by ISO code or name, trunks and groups by name or id, numbers with or without plus and spaces.
    """
