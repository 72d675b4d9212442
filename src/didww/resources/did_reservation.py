"""DID reservations: numbers held for the account until it orders them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalPart
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.available_did import AvailableDid


class DidReservation(
    Resource,
    type="did_reservations",
    lookup="available_did",
    operations=("list", "find", "create", "delete"),
    filters={"id": Ids},
    sorts=("expire_at",),
    includes=("available_did.did_group.stock_keeping_units",),
):
    """A temporary hold on an available number; deleting it lets the number go.

    The account's plan limits how many it may hold: `available_count` in a response's meta says how many more.
    The sort key `expire_at` is an older name of `expires_at`.
    """

    description: str | None = writable(
        "The account's own note; None if there is none.", on="create", filter=OptionalPart, sort=True
    )
    created_at: datetime = attribute("When the hold began.", sort=True)
    expires_at: datetime | None = attribute("When the hold ends and the number goes back to stock.", sort=True)
    available_did: AvailableDid = writable_relationship("The number held.", on="create", required=True, include=True)
