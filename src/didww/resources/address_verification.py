"""Requests for DIDWW's approval of an address, which register numbers."""

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
):
    """A request to approve an address for some numbers; a rejected one is followed by a new one."""

    reference: str = attribute("Reference for people to read, e.g. `AV-1234`.", filter=Part)
    status: AddressVerificationStatus = attribute(
        "Where the review stands; pending until DIDWW has decided.", filter=Text
    )
    reject_reasons: list[str] | None = attribute("Why it was rejected; None or empty if it was not.")
    reject_comment: str | None = attribute("What the reviewer wrote; None if nothing.")
    service_description: str | None = writable(
        "What the numbers are for; only where the address requirement asks for it, else it is refused.", on="create"
    )
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
    address: Address = writable_relationship(
        "The address to approve.", on="create", required=True, filter=OptionalIds, include=True
    )
    dids: list[Did] = writable_relationship(
        "The numbers to register at the address, at least one.",
        on="create",
        required=True,
        ge=1,
        distinct=True,
        include=True,
    )
    onetime_files: list[EncryptedFile] = writable_relationship(
        "Uploaded one-time documents, where the address requirement asks for them; return do not show them.",
        on="create",
        distinct=True,
        readable=False,
    )

    is_pending = status_is(AddressVerificationStatus.PENDING)
    is_approved = status_is(AddressVerificationStatus.APPROVED)
    is_rejected = status_is(AddressVerificationStatus.REJECTED)
