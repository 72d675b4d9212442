"""SMS trunk groups: SMS trunks with failover for inbound messages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Ids, Text, Texts
from didww._schema.meta import Meta
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.did import Did
    from didww.resources.sms_trunk import SmsTrunk


class SmsTrunkGroupMeta(Meta):
    """Current data about an SMS trunk group."""

    sms_trunks_count: int = attribute("Current number of trunks in the group.")


class SmsTrunkGroup(
    Resource,
    type="sms_trunk_groups",
    since="2026-11-19",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids},
    columns={"name": "name", "trunks": "sms_trunks.name", "created": "created_at"},
):
    """A group of SMS trunks that numbers are routed to as one destination.

    The trunk with the highest priority value is tried first. Deleting a group also deletes its trunks; it fails while
    numbers are routed to the group or to one of its trunks.
    """

    name: str = writable(
        "Name, unique among the SMS trunks and SMS trunk groups of the account.",
        required=True,
        filter=Texts,
        sort=True,
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=Text,
        sort=True,
    )
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    updated_at: datetime = attribute("Date and time of the last update.", sort=True)
    sms_trunks: list[SmsTrunk] = writable_relationship(
        "Trunks of the group, of any type except `http_out`. Setting the list replaces it and removes the trunks from "
        "other groups.",
        distinct=True,
        include=True,
    )
    incoming_dids: list[Did] = relationship("DIDs whose messages are routed to the group.", include=True)
    meta = resource_meta(SmsTrunkGroupMeta, "Current data about the group.")
