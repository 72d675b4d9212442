"""Encrypted files: uploads to attach to a proof, a supporting document or a verification."""

from __future__ import annotations

from datetime import datetime

from didww._schema.fields import attribute
from didww._schema.filter_rules import Ids
from didww._schema.resource import Resource


class EncryptedFile(
    Resource,
    type="encrypted_files",
    operations=("list", "find", "create", "delete"),
    filters={"id": Ids},
    sorts=("expire_at",),
    columns={"description": "description", "expires": "expires_at"},
):
    """An uploaded file, encrypted with the public keys of DIDWW. It is removed after 24 hours, attached or not.

    Upload files with `client.upload_encrypted_file`: the API expects a multipart form, not a JSON:API document.
    Source: tests/contract/facts/encrypted_files.yaml.
    """

    description: str | None = attribute("Free-text note set at upload, or None if not set.", sort=True)
    expires_at: datetime | None = attribute(
        "Date and time of removal, 24 hours after the upload. Documented as always present.", sort=True
    )
