"""DID reservations: numbers held for the account until they are ordered."""

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
    columns={"number": "available_did.number", "description": "description", "expires": "expires_at"},
):
    """A temporary hold on an available number. Delete it to release the number.

    The plan of the account limits the number of reservations; `available_count` in the meta of the response is the
    number left.
    The sort key `expire_at` is a legacy name of `expires_at`.
    """

    description: str | None = writable(
        "Free-text note, or None if not set.", on="create", filter=OptionalPart, sort=True
    )
    created_at: datetime = attribute("Date and time of the reservation.", sort=True)
    expires_at: datetime | None = attribute(
        "Date and time when the reservation ends and the number returns to stock.", sort=True
    )
    available_did: AvailableDid = writable_relationship("Reserved number.", on="create", required=True, include=True)
