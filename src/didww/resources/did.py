"""The numbers that the account owns: their routing, capacity, billing and registration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.filter_rules import (
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


class Did(
    Resource,
    type="dids",
    operations=("list", "find", "update"),
    extra_operations=("delete",),
    filters={
        "city.id": OptionalIds,
        "country.id": OptionalIds,
        "did_group.features": EveryText,
        "id": Ids,
        "order.reference": References,
        "region.id": OptionalIds,
        "trunk.id": TrunkIds,
        "trunk_group.id": TrunkGroupIds,
    },
):
    """A number that the account owns.

    Its calls go to a trunk or to a trunk group, not to both: setting one of the two sets the other to None.
    `delete` is offered although the contract does not list it; to cancel a number, set `terminated = True`.
    """

    number: str = attribute(
        "E.164 digits without a plus sign, e.g. `442079460000`.", filter=RequiredDigitLists, sort=True
    )
    description: str | None = writable(
        "The account's own note; None if there is none.", on="update", filter=OptionalPart, sort=True
    )
    blocked: bool = attribute(
        "True if calls cannot arrive: blocked by the account, by DIDWW, or until it is registered.",
        filter=Bool,
        sort=True,
    )
    awaiting_registration: bool = attribute(
        "True until the registration that its country demands is done.", filter=Bool, sort=True
    )
    terminated: bool = writable(
        "True once it is canceled, with effect from `expires_at`. Write True to cancel, False to restore.",
        on="update",
        filter=Bool,
        sort=True,
    )
    emergency_enabled: bool = attribute("True if emergency calling works on it.", filter=Bool)
    capacity_limit: int | None = writable(
        "Most concurrent calls, 1 to 32767; None for no limit of its own.", on="update", ge=1, le=32767, sort=True
    )
    channels_included_count: int = attribute("Channels that come with it from its DID group.", sort=True)
    dedicated_channels_count: int = writable(
        "Extra channels bought for this number alone, 0 or more.", on="update", ge=0, sort=True
    )
    billing_cycles_count: int | None = writable(
        "Billing cycles left until it is released, 0 to 999; None renews without end, 0 awaits removal.",
        on="update",
        ge=0,
        le=999,
        filter=OptionalCounts,
        sort=True,
    )
    created_at: datetime = attribute("When the account got it.", sort=True)
    expires_at: datetime | None = attribute("When the running billing period ends; None if there is none.", sort=True)
    did_group: DidGroup | None = relationship("The group that sold it.", filter=RequiredIds, include=True)
    order: Order | None = relationship("The order that bought it.", filter=OptionalIds, include=True)
    capacity_pool: CapacityPool | None = writable_relationship(
        "The pool that its extra channels come from; None for none.", on="update", filter=OptionalIds, include=True
    )
    shared_capacity_group: SharedCapacityGroup | None = writable_relationship(
        "The group whose channels it shares; None for none.", on="update", filter=OptionalIds, include=True
    )
    address_verification: AddressVerification | None = writable_relationship(
        "The verification that it is registered by; None for none, and to write None is to detach it.",
        on="update",
        detach_only="To attach it, create an AddressVerification with the number among its dids.",
        filter=Ids,
        include=True,
    )
    voice_in_trunk: VoiceInTrunk | None = writable_relationship(
        "The trunk that gets its calls; None for none. Setting it unsets the trunk group.",
        on="update",
        excludes="voice_in_trunk_group",
        filter=OptionalIds,
        include=True,
    )
    voice_in_trunk_group: VoiceInTrunkGroup | None = writable_relationship(
        "The trunk group that gets its calls; None for none. Setting it unsets the trunk.",
        on="update",
        excludes="voice_in_trunk",
        filter=OptionalIds,
        include=True,
    )
    emergency_calling_service: EmergencyCallingService | None = writable_relationship(
        "The emergency calling service that it is in; None for none, and to write None is to detach it.",
        on="update",
        detach_only="To attach it, create an EmergencyVerification with the number among its dids.",
        filter=Ids,
        include=True,
    )
    emergency_verification: EmergencyVerification | None = relationship(
        "The verification of its emergency address; None if there is none.", include=True
    )
    identity: Identity | None = relationship(
        "The person or company that it is registered to; None if there is none.", include=True
    )
