"""Public keys that encrypt registration files before upload."""

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
    columns={"key": "key"},
):
    """An RSA public key of DIDWW. There are two; listing them requires no API key."""

    key: str = attribute("Public key in PEM format, starting with `-----BEGIN PUBLIC KEY-----`.")
