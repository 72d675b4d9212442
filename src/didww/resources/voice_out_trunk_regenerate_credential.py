"""New SIP credentials for an outbound trunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import writable_relationship
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.voice_out_trunk import VoiceOutTrunk


class VoiceOutTrunkRegenerateCredential(
    Resource, type="voice_out_trunk_regenerate_credentials", operations=("create",)
):
    """A request to replace the SIP credentials of an outbound trunk by new ones.

    The response holds an id alone; find the trunk to read its new credentials.
    Source: tests/contract/facts/voice_out_trunk_regenerate_credentials.yaml.
    """

    voice_out_trunk: VoiceOutTrunk = writable_relationship(
        "The trunk to get new credentials; only `credentials_and_ip` trunks have any.", on="create", required=True
    )
