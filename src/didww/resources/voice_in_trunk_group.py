"""Voice IN trunk groups: trunks that take calls together, with fail-over and load sharing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Ids, OptionalText
from didww._schema.record import Meta
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.voice_in_trunk import VoiceInTrunk


class VoiceInTrunkGroupMeta(Meta):
    """Facts about a trunk group, as they are now."""

    trunks_count: int = attribute("Trunks in the group now.")


class VoiceInTrunkGroup(
    Resource,
    type="voice_in_trunk_groups",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids},
):
    """Inbound trunks that routing treats as one target.

    The trunk with the lowest priority is tried first, trunks of equal priority share the calls by weight, and
    a call goes on to the next trunk on the rerouting codes of the one before. Deleting a group deletes its trunks; the
    service refuses it while numbers are routed to the group or to one of them.
    """

    name: str = writable(
        "What the account calls it; no other group or trunk has the same name.", required=True, sort=True
    )
    capacity_limit: int | None = writable(
        "Most concurrent calls of the whole group, 1 to 32767; None for no limit.", ge=1, le=32767, sort=True
    )
    external_reference_id: str | None = writable(
        "The account's own identifier for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime = attribute("When it was made.", sort=True)
    voice_in_trunks: list[VoiceInTrunk] = writable_relationship(
        "All its trunks, at most 10; a list written replaces the one before and takes trunks out of other groups.",
        le=10,
        include=True,
    )
    meta = resource_meta(VoiceInTrunkGroupMeta, "Facts about it, as they are now.")
