"""The public keys with which files for registrations are encrypted before they are uploaded."""

from __future__ import annotations

from typing import TypedDict

from didww._schema.fields import attribute
from didww._schema.filters import IgnoredIds
from didww._schema.resource import Resource

PublicKeyFilter = TypedDict(
    "PublicKeyFilter",
    {
        "id": IgnoredIds,
    },
    total=False,
)


class PublicKey(
    Resource,
    type="public_keys",
    operations=("list",),
    extra_operations=("find",),
    filter=PublicKeyFilter,
    paginated=False,
):
    """An RSA public key of DIDWW; there are two, and their list needs no API key.

    Source: tests/contract/facts/public_keys.yaml.
    """

    key: str = attribute("The key as PEM text, `-----BEGIN PUBLIC KEY-----` and all.")
