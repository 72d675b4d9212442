"""Groups of numbers that share channels of a capacity pool."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filters import Ids, OptionalText, RequiredIds, RequiredTexts
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.capacity_pool import CapacityPool
    from didww.resources.did import Did

SharedCapacityGroupFilter = TypedDict(
    "SharedCapacityGroupFilter",
    {
        "capacity_pool.id": RequiredIds,
        "external_reference_id": OptionalText,
        "id": Ids,
        "name": RequiredTexts,
    },
    total=False,
)
SharedCapacityGroupInclude = Literal[
    "capacity_pool",
    "capacity_pool.countries",
    "capacity_pool.qty_based_pricings",
    "capacity_pool.shared_capacity_groups",
    "dids",
    "dids.address_verification",
    "dids.capacity_pool",
    "dids.did_group",
    "dids.emergency_calling_service",
    "dids.emergency_verification",
    "dids.identity",
    "dids.order",
    "dids.shared_capacity_group",
    "dids.voice_in_trunk",
    "dids.voice_in_trunk_group",
]
SharedCapacityGroupSort = Literal[
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "metered_channels_count",
    "-metered_channels_count",
    "name",
    "-name",
    "shared_channels_count",
    "-shared_channels_count",
]


class SharedCapacityGroup(
    Resource,
    type="shared_capacity_groups",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filter=SharedCapacityGroupFilter,
    include=SharedCapacityGroupInclude,
    sort=SharedCapacityGroupSort,
):
    """Numbers that use a common set of channels (concurrent calls) taken from one capacity pool.

    It cannot be deleted while active numbers are assigned to it; then its channels go back to the pool.
    Source: tests/contract/facts/shared_capacity_groups.yaml.
    """

    name: str = writable("Name of the account's own; no two groups can have the same.", required=True)
    shared_channels_count: int = writable("Channels taken from the pool, at most those still free there.")
    metered_channels_count: int | None = writable(
        "Further channels, charged by the minute, for when the shared ones are taken; 0 for none, which older "
        "answers show as None.",
        not_none="Write 0 for none.",
    )
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.", longest=100
    )
    created_at: datetime = attribute("When it was created.")
    capacity_pool: CapacityPool = writable_relationship("The pool that its channels come from.", required=True)
    dids: list[Did] = writable_relationship(
        "The numbers that share the channels; an update replaces the whole list.", distinct=True
    )
