"""The account's subscriptions to emergency calling."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, status_is
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Id, Ids, OptionalPart, OptionalText, Text
from didww._schema.record import Meta
from didww._schema.resource import Resource, WaitSpec
from didww._schema.types import DateText
from didww.enums import EmergencyCallingServiceStatus

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.country import Country
    from didww.resources.did import Did
    from didww.resources.did_group_type import DidGroupType
    from didww.resources.emergency_requirement import EmergencyRequirement
    from didww.resources.emergency_verification import EmergencyVerification
    from didww.resources.order import Order


class EmergencyCallingServiceMeta(Meta):
    """What the subscription costs, in US dollars."""

    setup_price: Decimal = attribute("Price of the activation, once.")
    monthly_price: Decimal = attribute("Price by the month.")


class EmergencyCallingService(
    Resource,
    type="emergency_calling_services",
    operations=("list", "find", "delete"),
    outcome=WaitSpec("status", success=("active",), terminal=("canceled",), blocked=("changes_required",)),
    filters={"id": Ids, "identity.id": Id},
    sorts=("country.name",),
):
    """A subscription to emergency calling for some numbers at one address.

    A new `EmergencyVerification` with `dids` creates it. Deleting cancels it: the record stays, canceled;
    that is refused while its status is `in_process`.
    Source: tests/contract/facts/emergency_calling_services.yaml.
    """

    name: str = attribute("What it is called.", filter=OptionalPart, sort=True)
    reference: str = attribute("Reference for people to read, e.g. `ECS-1234`.", filter=OptionalText)
    status: EmergencyCallingServiceStatus = attribute("Where it is in its life.", filter=Text, sort=True)
    activated_at: datetime | None = attribute("When it was activated; None if it has not been.")
    canceled_at: datetime | None = attribute("When it was canceled; None if it has not been.")
    renew_date: DateText | None = attribute(
        "When it renews next, `YYYY-MM-DD`; None before activation and once canceled.", sort=True
    )
    created_at: datetime = attribute("When it was created.", sort=True)
    address: Address | None = relationship(
        "The address that calls for help are sent to. DIDWW's own SDKs read it; its OpenAPI document does not have it.",
        filter=Id,
        include=True,
    )
    country: Country | None = relationship("The country of the numbers.", filter=Ids, include=True)
    did_group_type: DidGroupType | None = relationship("The kind of the numbers.", filter=Ids, include=True)
    order: Order | None = relationship("The order that it was charged by; None before activation.", include=True)
    emergency_requirement: EmergencyRequirement | None = relationship(
        "The requirement that it has to meet.", include=True
    )
    emergency_verification: EmergencyVerification | None = relationship(
        "The verification of its address.", include=True
    )
    dids: list[Did] = relationship(
        "The numbers that use it. To detach one, set its `emergency_calling_service` to None.", include=True
    )
    meta = resource_meta(EmergencyCallingServiceMeta, "What it costs.")

    is_new = status_is(EmergencyCallingServiceStatus.NEW)
    is_in_process = status_is(EmergencyCallingServiceStatus.IN_PROCESS)
    is_active = status_is(EmergencyCallingServiceStatus.ACTIVE)
    is_changes_required = status_is(EmergencyCallingServiceStatus.CHANGES_REQUIRED)
    is_pending_update = status_is(EmergencyCallingServiceStatus.PENDING_UPDATE)
    is_canceled = status_is(EmergencyCallingServiceStatus.CANCELED)
