"""Emergency calling services: subscriptions of the account to emergency calling."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, status_is
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Id, Ids, OptionalPart, OptionalText, Text, Texts
from didww._schema.meta import Meta
from didww._schema.resource import Resource, WaitSpec
from didww._schema.types import DateText
from didww.enums import EmergencyCallingServiceStatus, NumberType

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.country import Country
    from didww.resources.did import Did
    from didww.resources.did_group_type import DidGroupType
    from didww.resources.emergency_requirement import EmergencyRequirement
    from didww.resources.emergency_verification import EmergencyVerification
    from didww.resources.order import Order


class EmergencyCallingServiceMeta(Meta):
    """Prices of the subscription, in US dollars."""

    setup_price: Decimal = attribute("One-time price of the activation, in US dollars.")
    monthly_price: Decimal = attribute("Monthly price, in US dollars.")


class EmergencyCallingService(
    Resource,
    type="emergency_calling_services",
    operations=("list", "find", "delete"),
    outcome=WaitSpec("status", success=("active",), terminal=("canceled",), blocked=("changes_required",)),
    filters={"id": Ids, "identity.id": Id},
    sorts=("country.name",),
    columns={
        "name": "name",
        "status": "status",
        "country": "country.name",
        "numbers": "dids.number",
        "renews": "renew_date",
    },
):
    """A subscription to emergency calling for numbers at one address.

    To create one, create an `EmergencyVerification` with `dids`. Deleting a service cancels it: the record remains,
    with status `canceled`. A service whose status is `in_process` cannot be deleted.
    Source: tests/contract/facts/emergency_calling_services.yaml.
    """

    name: str = attribute("Name.", filter=OptionalPart, sort=True)
    reference: str = attribute("Human-readable reference, e.g. `ECS-1234`.", filter=OptionalText)
    status: EmergencyCallingServiceStatus = attribute("Status of the service.", filter=Text, sort=True)
    activated_at: datetime | None = attribute("Date and time of activation, or None if not activated.")
    canceled_at: datetime | None = attribute("Date and time of cancellation, or None if not canceled.")
    renew_date: DateText | None = attribute(
        "Date of the next renewal, `YYYY-MM-DD`, or None before activation and after cancellation.", sort=True
    )
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    number_type: NumberType = attribute("Type of the numbers.", filter=Texts, since="2026-11-19")
    address: Address | None = relationship(
        "Address that emergency services are sent to. Not in the OpenAPI document of DIDWW, but returned by the API.",
        filter=Id,
        include=True,
    )
    country: Country | None = relationship("Country of the numbers.", filter=Ids, include=True)
    did_group_type: DidGroupType | None = relationship(
        "Type of the numbers, e.g. Local or Mobile.",
        filter=Ids,
        include=True,
        until="2026-04-16",
        replacement="number_type",
    )
    order: Order | None = relationship(
        "Order that the service was charged with, or None before activation.", include=True
    )
    emergency_requirement: EmergencyRequirement | None = relationship(
        "Emergency requirement of the service.", include=True
    )
    emergency_verification: EmergencyVerification | None = relationship("Verification of the address.", include=True)
    dids: list[Did] = relationship(
        "Numbers that use the service. To detach one, set its `emergency_calling_service` to None.", include=True
    )
    meta = resource_meta(EmergencyCallingServiceMeta, "Prices of the service.")

    is_new = status_is(EmergencyCallingServiceStatus.NEW)
    is_in_process = status_is(EmergencyCallingServiceStatus.IN_PROCESS)
    is_active = status_is(EmergencyCallingServiceStatus.ACTIVE)
    is_changes_required = status_is(EmergencyCallingServiceStatus.CHANGES_REQUIRED)
    is_pending_update = status_is(EmergencyCallingServiceStatus.PENDING_UPDATE)
    is_canceled = status_is(EmergencyCallingServiceStatus.CANCELED)
