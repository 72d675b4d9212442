"""Replacement of the SIP credentials of an outbound trunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import writable_relationship
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.voice_out_trunk import VoiceOutTrunk


class VoiceOutTrunkRegenerateCredential(
    Resource, type="voice_out_trunk_regenerate_credentials", operations=("create",)
):
    """A request to replace the SIP credentials of an outbound trunk with new ones.

    The response contains only an id; find the trunk to read its new credentials.
    Source: tests/contract/facts/voice_out_trunk_regenerate_credentials.yaml.
    """

    voice_out_trunk: VoiceOutTrunk = writable_relationship(
        "Trunk to generate new credentials for. Only trunks with `credentials_and_ip` authentication have any.",
        on="create",
        required=True,
    )
