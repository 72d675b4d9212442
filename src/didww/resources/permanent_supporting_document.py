"""Filled-in forms that are kept on file for an identity."""

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
):
    """A filled-in form that is handed in once for an identity, not with each of its address verifications.

    A new one takes the place of the one with the same identity and template; an update changes the reference only.
    """

    created_at: datetime = attribute("When it was created.", sort=True)
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    template: SupportingDocumentTemplate = writable_relationship(
        "The form that was filled in.", on="create", required=True, include=True
    )
    identity: Identity = writable_relationship(
        "The person or company that it belongs to.", on="create", required=True, include=True
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
