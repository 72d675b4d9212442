"""Requests to DIDWW to approve an address and register numbers at it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, status_is, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalIds, OptionalText, Part, References, Text
from didww._schema.forms import WEB_ADDRESS
from didww._schema.resource import Resource, WaitSpec
from didww._schema.rules import Together
from didww.enums import AddressVerificationStatus, CallbackMethod

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.did import Did
    from didww.resources.encrypted_file import EncryptedFile


class AddressVerification(
    Resource,
    type="address_verifications",
    rules=(Together(("callback_url", "callback_method")),),
    operations=("list", "find", "create", "update"),
    outcome=WaitSpec(
        "status", success=("approved",), terminal=("approved", "rejected"), reasons=("reject_reasons", "reject_comment")
    ),
    filters={"address.identity.id": OptionalIds, "id": Ids, "reference_in": References},
    columns={
        "reference": "reference",
        "status": "status",
        "numbers": "dids.number",
        "reasons": "reject_reasons",
        "created": "created_at",
    },
):
    """A request to approve an address for some numbers. If it is rejected, create a new one."""

    reference: str = attribute("Human-readable reference, e.g. `AV-1234`.", filter=Part)
    status: AddressVerificationStatus = attribute("Status of the review; `pending` until DIDWW decides.", filter=Text)
    reject_reasons: list[str] | None = attribute("Reasons for the rejection; None or empty if not rejected.")
    reject_comment: str | None = attribute("Comment of the reviewer, or None if there is none.")
    service_description: str | None = writable(
        "Intended use of the numbers. Set it only if the address requirement asks for it; otherwise it is rejected.",
        on="create",
    )
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
        "Address to approve.", on="create", required=True, filter=OptionalIds, include=True
    )
    dids: list[Did] = writable_relationship(
        "Numbers to register at the address, at least one.",
        on="create",
        required=True,
        ge=1,
        distinct=True,
        include=True,
    )
    onetime_files: list[EncryptedFile] = writable_relationship(
        "Uploaded one-time documents, if the address requirement asks for them. Not returned in responses.",
        on="create",
        distinct=True,
        readable=False,
    )

    is_pending = status_is(AddressVerificationStatus.PENDING)
    is_approved = status_is(AddressVerificationStatus.APPROVED)
    is_rejected = status_is(AddressVerificationStatus.REJECTED)
