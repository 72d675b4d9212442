"""Permanent supporting documents: completed forms kept on file for an identity."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalText
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.encrypted_file import EncryptedFile
    from didww.resources.identity import Identity
    from didww.resources.supporting_document_template import SupportingDocumentTemplate


class PermanentSupportingDocument(
    Resource,
    type="permanent_supporting_documents",
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids},
    columns={
        "template": "template.name",
        "company or name": ("identity.company_name", "identity.last_name"),
        "created": "created_at",
    },
):
    """A completed form that is submitted once for an identity, not with each address verification.

    A new document replaces the one with the same identity and template. Only the reference can be updated.
    """

    created_at: datetime = attribute("Date and time of creation.", sort=True)
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    template: SupportingDocumentTemplate = writable_relationship(
        "Template that was completed.", on="create", required=True, include=True
    )
    identity: Identity = writable_relationship(
        "Identity that the document belongs to.", on="create", required=True, include=True
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
