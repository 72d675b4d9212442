"""Requests for DIDWW's approval of an address, which register numbers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, status_is, writable, writable_relationship
from didww._schema.filters import Ids, OptionalIds, OptionalText, Part, References, Text
from didww._schema.forms import WEB_ADDRESS
from didww._schema.resource import Resource, WaitSpec
from didww._schema.rules import Together
from didww.enums import AddressVerificationStatus, CallbackMethod

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.did import Did
    from didww.resources.encrypted_file import EncryptedFile

AddressVerificationFilter = TypedDict(
    "AddressVerificationFilter",
    {
        "address.id": OptionalIds,
        "address.identity.id": OptionalIds,
        "external_reference_id": OptionalText,
        "id": Ids,
        "reference": Part,
        "reference_in": References,
        "status": Text,
    },
    total=False,
)
AddressVerificationInclude = Literal[
    "address",
    "address.area",
    "address.city",
    "address.country",
    "address.identity",
    "address.proofs",
    "dids",
    "dids.address_verification",
    "dids.capacity_pool",
    "dids.did_group",
    "dids.emergency_calling_service",
    "dids.emergency_verification",
    "dids.identity",
    "dids.order",
    "dids.shared_capacity_group",
    "dids.voice_in_trunk",
    "dids.voice_in_trunk_group",
]
AddressVerificationSort = Literal[
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
]


class AddressVerification(
    Resource,
    type="address_verifications",
    rules=(Together(("callback_url", "callback_method")),),
    operations=("list", "find", "create", "update"),
    filter=AddressVerificationFilter,
    include=AddressVerificationInclude,
    sort=AddressVerificationSort,
    outcome=WaitSpec(
        "status",
        success=("approved",),
        terminal=("approved", "rejected"),
        reasons=("reject_reasons", "reject_comment"),
    ),
):
    """A request to approve an address for some numbers; a rejected one is followed by a new one.

    Source: tests/contract/facts/address_verifications.yaml.
    """

    reference: str = attribute("Reference for people to read, e.g. `AV-1234`.")
    status: AddressVerificationStatus = attribute("Where the review stands; pending until DIDWW has decided.")
    reject_reasons: list[str] | None = attribute("Why it was rejected; None or empty if it was not.")
    reject_comment: str | None = attribute("What the reviewer wrote; None if nothing.")
    service_description: str | None = writable(
        "What the numbers are for; only where the address requirement asks for it, else it is refused.",
        on="create",
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS URL that is called when the status changes; None for no callback.",
        on="create",
        form=WEB_ADDRESS,
    )
    callback_method: CallbackMethod | None = writable(
        "HTTP method of the callback, set together with the URL; None if it was not set.", on="create"
    )
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.", longest=100
    )
    created_at: datetime = attribute("When it was submitted.")
    address: Address = writable_relationship("The address to approve.", on="create", required=True)
    dids: list[Did] = writable_relationship(
        "The numbers to register at the address, at least one.", on="create", required=True, low=1, distinct=True
    )
    onetime_files: list[EncryptedFile] = writable_relationship(
        "Uploaded one-time documents, where the address requirement asks for them; answers do not show them.",
        on="create",
        distinct=True,
        readable=False,
    )

    is_pending = status_is(AddressVerificationStatus.PENDING)
    is_approved = status_is(AddressVerificationStatus.APPROVED)
    is_rejected = status_is(AddressVerificationStatus.REJECTED)
