"""`didww balance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from didww.cli.framework import Command

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["balance"]


@click.command(cls=Command, examples=("didww balance", "didww balance --query total -o json"))
@click.pass_obj
def balance(session: Session) -> None:
    """Show the balance, in US dollars."""
    from didww.cli.output import print_row

    account = session.client.balance().find().data
    print_row(session.settings, {"total": account.total_balance, "prepaid": account.balance, "credit": account.credit})
