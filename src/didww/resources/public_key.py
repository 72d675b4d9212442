"""The public keys with which files for registrations are encrypted before they are uploaded."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import IgnoredIds
from didww._schema.resource import Resource


class PublicKey(
    Resource,
    type="public_keys",
    operations=("list",),
    extra_operations=("find",),
    paginated=False,
    filters={"id": IgnoredIds},
):
    """An RSA public key of DIDWW; there are two, and their list needs no API key."""

    key: str = attribute("The key as PEM text, `-----BEGIN PUBLIC KEY-----` and all.")
