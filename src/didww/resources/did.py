"""DIDs: the phone numbers of the account, with their routing, capacity, billing and registration."""

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
    from didww.resources.sms_trunk import SmsTrunk
    from didww.resources.sms_trunk_group import SmsTrunkGroup
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
    columns={
        "number": "number",
        "country": "did_group.country.iso",
        "area": "did_group.area_name",
        "route": ("voice_in_trunk.name", "voice_in_trunk_group.name"),
        "sms route": ("sms_trunk.name", "sms_trunk_group.name"),
        "expires": "expires_at",
        "canceled": "terminated",
        "description": "description",
    },
):
    """A phone number (DID) that the account owns.

    Inbound calls go to `voice_in_trunk` or to `voice_in_trunk_group`, not to both: setting one clears the other. The
    same applies to inbound text messages, `sms_trunk` and `sms_trunk_group`.
    To cancel a number, set `terminated = True`. `delete` is provided although the API does not document it.
    """

    number: str = attribute(
        "Phone number in E.164 format without the plus sign, e.g. `442079460000`.", filter=RequiredDigitLists, sort=True
    )
    description: str | None = writable(
        "Free-text note, or None if not set.", on="update", filter=OptionalPart, sort=True
    )
    blocked: bool = attribute(
        "True if inbound calls are blocked: by the account, by DIDWW, or until the number is registered.",
        filter=Bool,
        sort=True,
    )
    awaiting_registration: bool = attribute(
        "True until the registration that the country requires is complete.", filter=Bool, sort=True
    )
    terminated: bool = writable(
        "True if the number is canceled, effective at `expires_at`. Set True to cancel, False to restore.",
        on="update",
        filter=Bool,
        sort=True,
    )
    emergency_enabled: bool = attribute("True if emergency calling is enabled.", filter=Bool)
    capacity_limit: int | None = writable(
        "Maximum concurrent calls, 1 to 32767, or None for no limit.", on="update", ge=1, le=32767, sort=True
    )
    channels_included_count: int = attribute("Number of channels included with the DID.", sort=True)
    dedicated_channels_count: int = writable(
        "Number of additional channels dedicated to this DID, 0 or more.", on="update", ge=0, sort=True
    )
    billing_cycles_count: int | None = writable(
        "Billing cycles left before the number is released, 0 to 999. None: renews indefinitely. 0: awaiting removal.",
        on="update",
        ge=0,
        le=999,
        filter=OptionalCounts,
        sort=True,
    )
    created_at: datetime = attribute("Date and time when the account acquired the number.", sort=True)
    expires_at: datetime | None = attribute("End of the current billing period, or None if there is none.", sort=True)
    did_group: DidGroup | None = relationship("DID group of the number.", filter=RequiredIds, include=True)
    order: Order | None = relationship("Order that the number was bought with.", filter=OptionalIds, include=True)
    capacity_pool: CapacityPool | None = writable_relationship(
        "Capacity pool that supplies the additional channels, or None if not set.",
        on="update",
        filter=OptionalIds,
        include=True,
    )
    shared_capacity_group: SharedCapacityGroup | None = writable_relationship(
        "Shared capacity group whose channels the number uses, or None if not set.",
        on="update",
        filter=OptionalIds,
        include=True,
    )
    address_verification: AddressVerification | None = writable_relationship(
        "Address verification the number is registered with, or None. Set None to detach it.",
        on="update",
        detach_only="To attach it, create an AddressVerification with the number among its dids.",
        filter=Ids,
        include=True,
    )
    voice_in_trunk: VoiceInTrunk | None = writable_relationship(
        "Trunk that receives the calls, or None if not set. Setting a trunk clears `voice_in_trunk_group`.",
        on="update",
        excludes="voice_in_trunk_group",
        filter=OptionalIds,
        include=True,
    )
    voice_in_trunk_group: VoiceInTrunkGroup | None = writable_relationship(
        "Trunk group that receives the calls, or None if not set. Setting a group clears `voice_in_trunk`.",
        on="update",
        excludes="voice_in_trunk",
        filter=OptionalIds,
        include=True,
    )
    sms_trunk: SmsTrunk | None = writable_relationship(
        "SMS trunk that receives the text messages, or None if not set. Setting a trunk clears `sms_trunk_group`. A "
        "trunk of the type `http_out` receives none and is refused.",
        on="update",
        excludes="sms_trunk_group",
        filter=Ids,
        include=True,
        since="2026-11-19",
    )
    sms_trunk_group: SmsTrunkGroup | None = writable_relationship(
        "SMS trunk group that receives the text messages, or None if not set. Setting a group clears `sms_trunk`.",
        on="update",
        excludes="sms_trunk",
        filter=Ids,
        include=True,
        since="2026-11-19",
    )
    emergency_calling_service: EmergencyCallingService | None = writable_relationship(
        "Emergency calling service of the number, or None. Set None to detach it.",
        on="update",
        detach_only="To attach it, create an EmergencyVerification with the number among its dids.",
        filter=Ids,
        include=True,
    )
    emergency_verification: EmergencyVerification | None = relationship(
        "Verification of the emergency address, or None if there is none.", include=True
    )
    identity: Identity | None = relationship(
        "Person or company the number is registered to, or None if not registered.", include=True
    )
