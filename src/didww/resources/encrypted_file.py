"""Encrypted uploads that wait to be attached to a proof, a supporting document or a verification."""

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
):
    """An uploaded file, encrypted with DIDWW's public keys; removed after 24 hours, attached or not.

    Made by the client's `upload_encrypted_file`: the service takes a multipart form, not a JSON:API document.
    Source: tests/contract/facts/encrypted_files.yaml.
    """

    description: str | None = attribute(
        "Free text of the account's own, given with the upload; None if there was none.", sort=True
    )
    expires_at: datetime | None = attribute(
        "When it is removed, 24 hours after the upload; the contract always gives one.", sort=True
    )
