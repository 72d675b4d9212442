"""Voice IN trunk groups: inbound trunks with failover and load balancing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Ids, OptionalText
from didww._schema.meta import Meta
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.voice_in_trunk import VoiceInTrunk


class VoiceInTrunkGroupMeta(Meta):
    """Current data about a trunk group."""

    trunks_count: int = attribute("Current number of trunks in the group.")


class VoiceInTrunkGroup(
    Resource,
    type="voice_in_trunk_groups",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids},
    columns={"name": "name", "trunks": "voice_in_trunks.name", "limit": "capacity_limit", "created": "created_at"},
):
    """A group of inbound trunks that numbers are routed to as one destination.

    The trunk with the lowest priority value is tried first, and trunks of equal priority share calls by weight. A call
    moves to the next trunk on the rerouting codes of the current one. Deleting a group also deletes its trunks; it
    fails while numbers are routed to the group or to one of its trunks.
    """

    name: str = writable(
        "Name, unique among the voice IN trunks and trunk groups of the account.", required=True, sort=True
    )
    capacity_limit: int | None = writable(
        "Maximum concurrent calls of the whole group, 1 to 32767, or None for no limit.", ge=1, le=32767, sort=True
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    voice_in_trunks: list[VoiceInTrunk] = writable_relationship(
        "Trunks of the group, at most 10. Setting the list replaces it and removes the trunks from other groups.",
        le=10,
        include=True,
    )
    meta = resource_meta(VoiceInTrunkGroupMeta, "Current data about the group.")
