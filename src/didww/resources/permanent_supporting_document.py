"""Filled-in forms that are kept on file for an identity."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filters import Ids, OptionalText
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.encrypted_file import EncryptedFile
    from didww.resources.identity import Identity
    from didww.resources.supporting_document_template import SupportingDocumentTemplate

PermanentSupportingDocumentFilter = TypedDict(
    "PermanentSupportingDocumentFilter",
    {
        "external_reference_id": OptionalText,
        "id": Ids,
    },
    total=False,
)
PermanentSupportingDocumentInclude = Literal[
    "identity",
    "identity.addresses",
    "identity.birth_country",
    "identity.country",
    "identity.permanent_documents",
    "identity.proofs",
    "template",
]
PermanentSupportingDocumentSort = Literal[
    "created_at", "-created_at", "external_reference_id", "-external_reference_id"
]


class PermanentSupportingDocument(
    Resource,
    type="permanent_supporting_documents",
    operations=("list", "find", "create", "update", "delete"),
    filter=PermanentSupportingDocumentFilter,
    include=PermanentSupportingDocumentInclude,
    sort=PermanentSupportingDocumentSort,
):
    """A filled-in form that is handed in once for an identity, not with each of its address verifications.

    A new one takes the place of the one with the same identity and template; an update changes the reference only.

    Source: tests/contract/facts/permanent_supporting_documents.yaml.
    """

    created_at: datetime = attribute("When it was created.")
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.", longest=100
    )
    template: SupportingDocumentTemplate = writable_relationship(
        "The form that was filled in.", on="create", required=True
    )
    identity: Identity = writable_relationship("The person or company that it belongs to.", on="create", required=True)
    files: list[EncryptedFile] = writable_relationship(
        "The uploaded files of it, 1 to 5; they are copied, and answers do not show them.",
        on="create",
        required=True,
        low=1,
        high=5,
        distinct=True,
        readable=False,
    )
