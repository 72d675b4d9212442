"""The numbers that the account owns: their routing, capacity, billing and registration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.filters import (
    Bool,
    EveryText,
    Ids,
    OptionalCounts,
    OptionalIds,
    OptionalPart,
    References,
    RequiredDigitLists,
    RequiredIds,
    TrunkGroupIds,
    TrunkIds,
)
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.address_verification import AddressVerification
    from didww.resources.capacity_pool import CapacityPool
    from didww.resources.did_group import DidGroup
    from didww.resources.emergency_calling_service import EmergencyCallingService
    from didww.resources.emergency_verification import EmergencyVerification
    from didww.resources.identity import Identity
    from didww.resources.order import Order
    from didww.resources.shared_capacity_group import SharedCapacityGroup
    from didww.resources.voice_in_trunk import VoiceInTrunk
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

DidFilter = TypedDict(
    "DidFilter",
    {
        "address_verification.id": Ids,
        "awaiting_registration": Bool,
        "billing_cycles_count": OptionalCounts,
        "blocked": Bool,
        "capacity_pool.id": OptionalIds,
        "city.id": OptionalIds,
        "country.id": OptionalIds,
        "description": OptionalPart,
        "did_group.features": EveryText,
        "did_group.id": RequiredIds,
        "emergency_calling_service.id": Ids,
        "emergency_enabled": Bool,
        "id": Ids,
        "number": RequiredDigitLists,
        "order.id": OptionalIds,
        "order.reference": References,
        "region.id": OptionalIds,
        "shared_capacity_group.id": OptionalIds,
        "terminated": Bool,
        "trunk.id": TrunkIds,
        "trunk_group.id": TrunkGroupIds,
        "voice_in_trunk.id": OptionalIds,
        "voice_in_trunk_group.id": OptionalIds,
    },
    total=False,
)
DidInclude = Literal[
    "address_verification",
    "address_verification.address",
    "address_verification.dids",
    "capacity_pool",
    "capacity_pool.countries",
    "capacity_pool.qty_based_pricings",
    "capacity_pool.shared_capacity_groups",
    "did_group",
    "did_group.address_requirement",
    "did_group.city",
    "did_group.country",
    "did_group.did_group_type",
    "did_group.region",
    "did_group.stock_keeping_units",
    "emergency_calling_service",
    "emergency_calling_service.address",
    "emergency_calling_service.country",
    "emergency_calling_service.did_group_type",
    "emergency_calling_service.dids",
    "emergency_calling_service.emergency_requirement",
    "emergency_calling_service.emergency_verification",
    "emergency_calling_service.order",
    "emergency_verification",
    "emergency_verification.address",
    "emergency_verification.dids",
    "emergency_verification.emergency_calling_service",
    "identity",
    "identity.addresses",
    "identity.birth_country",
    "identity.country",
    "identity.permanent_documents",
    "identity.proofs",
    "order",
    "shared_capacity_group",
    "shared_capacity_group.capacity_pool",
    "shared_capacity_group.dids",
    "voice_in_trunk",
    "voice_in_trunk.pop",
    "voice_in_trunk.voice_in_trunk_group",
    "voice_in_trunk_group",
    "voice_in_trunk_group.voice_in_trunks",
]
DidSort = Literal[
    "awaiting_registration",
    "-awaiting_registration",
    "billing_cycles_count",
    "-billing_cycles_count",
    "blocked",
    "-blocked",
    "capacity_limit",
    "-capacity_limit",
    "channels_included_count",
    "-channels_included_count",
    "created_at",
    "-created_at",
    "dedicated_channels_count",
    "-dedicated_channels_count",
    "description",
    "-description",
    "expires_at",
    "-expires_at",
    "number",
    "-number",
    "terminated",
    "-terminated",
]


class Did(
    Resource,
    type="dids",
    operations=("list", "find", "update"),
    extra_operations=("delete",),
    filter=DidFilter,
    include=DidInclude,
    sort=DidSort,
):
    """A number that the account owns.

    Its calls go to a trunk or to a trunk group, not to both: setting one of the two sets the other to None.
    `delete` is offered although the contract does not list it; to cancel a number, set `terminated = True`.

    Source: tests/contract/facts/dids.yaml.
    """

    number: str = attribute("E.164 digits without a plus sign, e.g. `442079460000`.")
    description: str | None = writable("The account's own note; None if there is none.", on="update")
    blocked: bool = attribute(
        "True if calls cannot arrive: blocked by the account, by DIDWW, or until it is registered.",
    )
    awaiting_registration: bool = attribute("True until the registration that its country demands is done.")
    terminated: bool = writable(
        "True once it is canceled, with effect from `expires_at`. Write True to cancel, False to restore.",
        on="update",
    )
    emergency_enabled: bool = attribute("True if emergency calling works on it.")
    capacity_limit: int | None = writable(
        "Most concurrent calls, 1 to 32767; None for no limit of its own.",
        on="update",
        low=1,
        high=32767,
    )
    channels_included_count: int = attribute("Channels that come with it from its DID group.")
    dedicated_channels_count: int = writable(
        "Extra channels bought for this number alone, 0 or more.",
        on="update",
        low=0,
    )
    billing_cycles_count: int | None = writable(
        "Billing cycles left until it is released, 0 to 999; None renews without end, 0 awaits removal.",
        on="update",
        low=0,
        high=999,
    )
    created_at: datetime = attribute("When the account got it.")
    expires_at: datetime | None = attribute("When the running billing period ends; None if there is none.")
    did_group: DidGroup | None = relationship("The group that sold it.")
    order: Order | None = relationship("The order that bought it.")
    capacity_pool: CapacityPool | None = writable_relationship(
        "The pool that its extra channels come from; None for none.",
        on="update",
    )
    shared_capacity_group: SharedCapacityGroup | None = writable_relationship(
        "The group whose channels it shares; None for none.",
        on="update",
    )
    address_verification: AddressVerification | None = writable_relationship(
        "The verification that it is registered by; None for none, and to write None is to detach it.",
        on="update",
        detach_only="To attach it, create an AddressVerification with the number among its dids.",
    )
    voice_in_trunk: VoiceInTrunk | None = writable_relationship(
        "The trunk that gets its calls; None for none. Setting it unsets the trunk group.",
        on="update",
        excludes="voice_in_trunk_group",
    )
    voice_in_trunk_group: VoiceInTrunkGroup | None = writable_relationship(
        "The trunk group that gets its calls; None for none. Setting it unsets the trunk.",
        on="update",
        excludes="voice_in_trunk",
    )
    emergency_calling_service: EmergencyCallingService | None = writable_relationship(
        "The emergency calling service that it is in; None for none, and to write None is to detach it.",
        on="update",
        detach_only="To attach it, create an EmergencyVerification with the number among its dids.",
    )
    emergency_verification: EmergencyVerification | None = relationship(
        "The verification of its emergency address; None if there is none.",
    )
    identity: Identity | None = relationship(
        "The person or company that it is registered to; None if there is none.",
    )
