"""Requests for DIDWW's approval of an address for emergency calls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, status_is, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalText, Text
from didww._schema.forms import WEB_ADDRESS
from didww._schema.resource import Resource, WaitSpec
from didww._schema.rules import OneOf, Together
from didww.enums import CallbackMethod, EmergencyVerificationStatus

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.did import Did
    from didww.resources.emergency_calling_service import EmergencyCallingService


class EmergencyVerification(
    Resource,
    type="emergency_verifications",
    rules=(Together(("callback_url", "callback_method")), OneOf(("dids", "emergency_calling_service"), alone=True)),
    operations=("list", "find", "create", "update"),
    outcome=WaitSpec(
        "status", success=("approved",), terminal=("approved", "rejected"), reasons=("reject_reasons", "reject_comment")
    ),
    filters={"id": Ids},
):
    """A request to approve an address for emergency calls; a rejected one is followed by a new one.

    With `dids`, it activates emergency calling for them and creates the calling service. With
    `emergency_calling_service`, it gives that service another address. It takes exactly one of the two.
    Source: tests/contract/facts/emergency_verifications.yaml.
    """

    reference: str = attribute("Reference for people to read, e.g. `XKQ-004821`; its form is not fixed.")
    status: EmergencyVerificationStatus = attribute("Where the review stands; pending until decided.", filter=Text)
    reject_reasons: list[str] | None = attribute("Why it was rejected; None or empty if it was not.")
    reject_comment: str | None = attribute("What the reviewer wrote; None if nothing.")
    callback_url: str | None = writable(
        "HTTP or HTTPS URL that is called when the status changes; None for no callback.", on="create", form=WEB_ADDRESS
    )
    callback_method: CallbackMethod | None = writable(
        "HTTP method of the callback, set together with the URL; None if it was not set.", on="create"
    )
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime = attribute("When it was submitted.", sort=True)
    address: Address = writable_relationship("The address to approve.", on="create", required=True, include=True)
    dids: list[Did] = writable_relationship(
        "The numbers to activate emergency calling for, at least one.", on="create", ge=1, include=True
    )
    emergency_calling_service: EmergencyCallingService = writable_relationship(
        "The calling service to give another address.", on="create", filter=Ids, include=True
    )

    is_pending = status_is(EmergencyVerificationStatus.PENDING)
    is_approved = status_is(EmergencyVerificationStatus.APPROVED)
    is_rejected = status_is(EmergencyVerificationStatus.REJECTED)
