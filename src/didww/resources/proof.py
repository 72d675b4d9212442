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


class Proof(Resource, type="proofs", operations=("list", "find", "create", "update", "delete"), filters={"id": Ids}):
    """A document that proves an identity or an address; to replace it, delete it and create another."""

    created_at: datetime = attribute("When it was created.", sort=True)
    expires_at: datetime | None = attribute(
        "When the document is no longer accepted; None if it stays good.", sort=True
    )
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    proof_type: ProofType = writable_relationship(
        "What kind of document it is.", on="create", required=True, include=True
    )
    entity: Identity | Address = writable_relationship(
        "What it proves; an identity or an address, whichever the proof type is for.",
        on="create",
        required=True,
        include=True,
    )
    files: list[EncryptedFile] = writable_relationship(
        "The uploaded files of it, 1 to 5; they are copied, and responses do not show them.",
        on="create",
        required=True,
        ge=1,
        le=5,
        distinct=True,
        readable=False,
    )
