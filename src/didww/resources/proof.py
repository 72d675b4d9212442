"""Documents that prove an identity or an address."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filters import Ids, OptionalText
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.encrypted_file import EncryptedFile
    from didww.resources.identity import Identity
    from didww.resources.proof_type import ProofType

ProofFilter = TypedDict(
    "ProofFilter",
    {
        "external_reference_id": OptionalText,
        "id": Ids,
    },
    total=False,
)
ProofInclude = Literal[
    "entity",
    "entity.addresses",
    "entity.area",
    "entity.birth_country",
    "entity.city",
    "entity.country",
    "entity.identity",
    "entity.permanent_documents",
    "entity.proofs",
    "proof_type",
]
ProofSort = Literal[
    "created_at",
    "-created_at",
    "expires_at",
    "-expires_at",
    "external_reference_id",
    "-external_reference_id",
]


class Proof(
    Resource,
    type="proofs",
    operations=("list", "find", "create", "update", "delete"),
    filter=ProofFilter,
    include=ProofInclude,
    sort=ProofSort,
):
    """A document that proves an identity or an address; to replace it, delete it and create another.

    Source: tests/contract/facts/proofs.yaml.
    """

    created_at: datetime = attribute("When it was created.")
    expires_at: datetime | None = attribute("When the document is no longer accepted; None if it stays good.")
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.", longest=100
    )
    proof_type: ProofType = writable_relationship("What kind of document it is.", on="create", required=True)
    entity: Identity | Address = writable_relationship(
        "What it proves; an identity or an address, whichever the proof type is for.",
        on="create",
        required=True,
    )
    files: list[EncryptedFile] = writable_relationship(
        "The uploaded files of it, 1 to 5; they are copied, and answers do not show them.",
        on="create",
        required=True,
        low=1,
        high=5,
        distinct=True,
        readable=False,
    )
