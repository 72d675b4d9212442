"""Requests to DIDWW to approve an address for emergency calls."""

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
    columns={
        "reference": "reference",
        "status": "status",
        "numbers": "dids.number",
        "reasons": "reject_reasons",
        "created": "created_at",
    },
):
    """A request to approve an address for emergency calls. If it is rejected, create a new one.

    With `dids`, it activates emergency calling for these numbers and creates the calling service. With
    `emergency_calling_service`, it changes the address of that service. Set exactly one of the two.
    Source: tests/contract/facts/emergency_verifications.yaml.
    """

    reference: str = attribute("Human-readable reference, e.g. `XKQ-004821`; the format may vary.")
    status: EmergencyVerificationStatus = attribute("Status of the review; `pending` until DIDWW decides.", filter=Text)
    reject_reasons: list[str] | None = attribute("Reasons for the rejection; None or empty if not rejected.")
    reject_comment: str | None = attribute("Comment of the reviewer, or None if there is none.")
    callback_url: str | None = writable(
        "HTTP or HTTPS URL to notify when the status changes, or None for no callback.", on="create", form=WEB_ADDRESS
    )
    callback_method: CallbackMethod | None = writable(
        "HTTP method of the callback, or None without a callback. Set it together with `callback_url`.", on="create"
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime = attribute("Date and time of submission.", sort=True)
    address: Address = writable_relationship(
        "Address to approve for emergency calls.", on="create", required=True, include=True
    )
    dids: list[Did] = writable_relationship(
        "Numbers to activate emergency calling for, at least one.", on="create", ge=1, include=True
    )
    emergency_calling_service: EmergencyCallingService = writable_relationship(
        "Emergency calling service whose address is to change.", on="create", filter=Ids, include=True
    )

    is_pending = status_is(EmergencyVerificationStatus.PENDING)
    is_approved = status_is(EmergencyVerificationStatus.APPROVED)
    is_rejected = status_is(EmergencyVerificationStatus.REJECTED)
