"""Voice IN trunk groups: trunks that take calls together, with fail-over and load sharing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filters import Ids, OptionalText
from didww._schema.record import Meta
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.voice_in_trunk import VoiceInTrunk

VoiceInTrunkGroupFilter = TypedDict(
    "VoiceInTrunkGroupFilter",
    {
        "external_reference_id": OptionalText,
        "id": Ids,
    },
    total=False,
)
VoiceInTrunkGroupInclude = Literal[
    "voice_in_trunks",
    "voice_in_trunks.pop",
    "voice_in_trunks.voice_in_trunk_group",
]
VoiceInTrunkGroupSort = Literal[
    "capacity_limit",
    "-capacity_limit",
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "name",
    "-name",
]


class VoiceInTrunkGroupMeta(Meta):
    """Facts about a trunk group, as they are now."""

    trunks_count: int = attribute("Trunks in the group now.")


class VoiceInTrunkGroup(
    Resource,
    type="voice_in_trunk_groups",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filter=VoiceInTrunkGroupFilter,
    include=VoiceInTrunkGroupInclude,
    sort=VoiceInTrunkGroupSort,
):
    """Inbound trunks that routing treats as one target.

    The trunk with the lowest priority is tried first, trunks of equal priority share the calls by weight, and
    a call goes on to the next trunk on the rerouting codes of the one before. Deleting a group deletes its trunks; the
    service refuses it while numbers are routed to the group or to one of them.

    Source: tests/contract/facts/voice_in_trunk_groups.yaml.
    """

    name: str = writable("What the account calls it; no other group or trunk has the same name.", required=True)
    capacity_limit: int | None = writable(
        "Most concurrent calls of the whole group, 1 to 32767; None for no limit.", low=1, high=32767
    )
    external_reference_id: str | None = writable(
        "The account's own identifier for it, at most 100 characters; None if it has none.",
        longest=100,
    )
    created_at: datetime = attribute("When it was made.")
    voice_in_trunks: list[VoiceInTrunk] = writable_relationship(
        "All its trunks, at most 10; a list written replaces the one before and takes trunks out of other groups.",
        high=10,
    )
    meta = resource_meta(VoiceInTrunkGroupMeta, "Facts about it, as they are now.")
