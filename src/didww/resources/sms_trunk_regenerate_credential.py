"""Replacement of the generated credentials of an SMS trunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import writable_relationship
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.sms_trunk import SmsTrunk


class SmsTrunkRegenerateCredential(
    Resource, type="sms_trunk_regenerate_credentials", since="2026-11-19", operations=("create",)
):
    """A request to replace the generated credentials of an SMS trunk with new ones.

    The response contains only an id; find the trunk to read its new credentials.
    Source: tests/contract/facts_2026_11_19/sms_trunk_regenerate_credentials.yaml.
    """

    sms_trunk: SmsTrunk = writable_relationship(
        "Trunk to generate new credentials for. Only trunks of the types `smpp_esme` and `http_out` have any.",
        on="create",
        required=True,
    )
