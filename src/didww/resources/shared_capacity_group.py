"""Shared capacity groups: numbers that share channels of a capacity pool."""

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
    columns={
        "name": "name",
        "pool": "capacity_pool.name",
        "channels": "shared_channels_count",
        "metered": "metered_channels_count",
        "numbers": "dids.number",
    },
):
    """A group of numbers that share channels (concurrent calls) of one capacity pool.

    A group cannot be deleted while active numbers are assigned to it. Deleting it returns its channels to the pool.
    Source: tests/contract/facts/shared_capacity_groups.yaml.
    """

    name: str = writable(
        "Name, unique among the shared capacity groups of the account.", required=True, filter=RequiredTexts, sort=True
    )
    shared_channels_count: int = writable(
        "Number of channels taken from the pool, limited by the free channels of the pool.", sort=True
    )
    metered_channels_count: int | None = writable(
        "Number of metered channels, charged per minute when the shared channels are in use; 0 for none. Some older "
        "responses contain None instead of 0.",
        not_none="Write 0 for none.",
        sort=True,
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    capacity_pool: CapacityPool = writable_relationship(
        "Capacity pool that supplies the channels.", required=True, filter=RequiredIds, include=True
    )
    dids: list[Did] = writable_relationship(
        "Numbers that share the channels. An update replaces the whole list.", distinct=True, include=True
    )
