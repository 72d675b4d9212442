"""Documents that prove an identity or an address."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalText
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.encrypted_file import EncryptedFile
    from didww.resources.identity import Identity
    from didww.resources.proof_type import ProofType


class Proof(
    Resource,
    type="proofs",
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids},
    columns={
        "type": "proof_type.name",
        "created": "created_at",
        "expires": "expires_at",
        "your reference": "external_reference_id",
    },
):
    """A document that proves an identity or an address. To replace it, delete it and create a new one."""

    created_at: datetime = attribute("Date and time of creation.", sort=True)
    expires_at: datetime | None = attribute(
        "Date and time when the document expires, or None if it does not expire.", sort=True
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    proof_type: ProofType = writable_relationship("Type of the document.", on="create", required=True, include=True)
    entity: Identity | Address = writable_relationship(
        "Identity or address that the document proves, depending on the proof type.",
        on="create",
        required=True,
        include=True,
    )
    files: list[EncryptedFile] = writable_relationship(
        "Uploaded files of the document, 1 to 5. They are copied and not returned in responses.",
        on="create",
        required=True,
        ge=1,
        le=5,
        distinct=True,
        readable=False,
    )
