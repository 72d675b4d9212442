"""Groups of numbers that share channels of a capacity pool."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalText, RequiredIds, RequiredTexts
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.capacity_pool import CapacityPool
    from didww.resources.did import Did


class SharedCapacityGroup(
    Resource,
    type="shared_capacity_groups",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids},
):
    """Numbers that use a common set of channels (concurrent calls) taken from one capacity pool.

    It cannot be deleted while active numbers are assigned to it; then its channels go back to the pool.
    Source: tests/contract/facts/shared_capacity_groups.yaml.
    """

    name: str = writable(
        "Name of the account's own; no two groups can have the same.", required=True, filter=RequiredTexts, sort=True
    )
    shared_channels_count: int = writable("Channels taken from the pool, at most those still free there.", sort=True)
    metered_channels_count: int | None = writable(
        "Further channels, charged by the minute, for when the shared ones are taken; 0 for none, which older "
        "responses show as None.",
        not_none="Write 0 for none.",
        sort=True,
    )
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime = attribute("When it was created.", sort=True)
    capacity_pool: CapacityPool = writable_relationship(
        "The pool that its channels come from.", required=True, filter=RequiredIds, include=True
    )
    dids: list[Did] = writable_relationship(
        "The numbers that share the channels; an update replaces the whole list.", distinct=True, include=True
    )
