"""`didww numbers search`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from didww.cli import parameters
from didww.cli.framework import Command
from didww.cli.numbers.offers import COLUMNS, MORE_COLUMNS, find_offers, offer_options
from didww.cli.output import print_rows

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["search"]


@click.command(
    cls=Command,
    examples=(
        "didww numbers search GB --city London --type local --feature sms_in",
        "didww numbers search US --region NY --no-registration",
        "didww numbers search --city London",
    ),
)
@offer_options
@click.option("--sold-out", is_flag=True, help="Also what is not in stock.")
@parameters.limit_option
@click.pass_obj
def search(session: Session, /, limit: int | None, **criteria: Any) -> None:
    """Search numbers for sale, with prices and stock.

    COUNTRY is an ISO code or a name. Prices are in US dollars for one number, without VAT: setup once, monthly for each
    month. Each line is an offer (a SKU); offers for the same place differ in the channels that are included. Add
    --columns place,monthly,sku_id for the ids that `numbers buy --sku` takes.
    """
    offers = islice(find_offers(session.client, **criteria), limit)
    print_rows(session.settings, (offer.row() for offer in offers), COLUMNS, more=MORE_COLUMNS)
