"""Voice IN trunks: where the calls to the account's numbers are delivered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filters import Ids, OptionalText, RequiredTexts
from didww._schema.forms import Form
from didww._schema.resource import Resource
from didww.enums import CliFormat
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration

if TYPE_CHECKING:
    from didww.resources.pop import Pop
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

VoiceInTrunkFilter = TypedDict(
    "VoiceInTrunkFilter",
    {
        "configuration.type": RequiredTexts,
        "external_reference_id": OptionalText,
        "id": Ids,
        "name": RequiredTexts,
    },
    total=False,
)
VoiceInTrunkInclude = Literal[
    "pop",
    "voice_in_trunk_group",
    "voice_in_trunk_group.voice_in_trunks",
]
VoiceInTrunkSort = Literal[
    "capacity_limit",
    "-capacity_limit",
    "cli_format",
    "-cli_format",
    "cli_prefix",
    "-cli_prefix",
    "created_at",
    "-created_at",
    "description",
    "-description",
    "external_reference_id",
    "-external_reference_id",
    "name",
    "-name",
    "priority",
    "-priority",
    "ringing_timeout",
    "-ringing_timeout",
    "weight",
    "-weight",
]


class VoiceInTrunk(
    Resource,
    type="voice_in_trunks",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filter=VoiceInTrunkFilter,
    include=VoiceInTrunkInclude,
    sort=VoiceInTrunkSort,
):
    """An inbound trunk: a SIP host, a SIP registration or a phone number that takes the calls of DIDs.

    A trunk that numbers are routed to, or that is in a trunk group, cannot be deleted.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    name: str = writable("What the account calls it; no other trunk or trunk group has the same name.", required=True)
    description: str | None = writable("The account's own note; None if there is none.")
    external_reference_id: str | None = writable(
        "The account's own identifier for it, at most 100 characters; None if it has none.",
        longest=100,
    )
    priority: int = writable(
        "Order of trial inside a trunk group, 0 to 65535, the smallest first.",
        low=0,
        high=65535,
    )
    weight: int = writable(
        "Share of the calls among the trunks of a group with the same priority, 0 to 65535.",
        low=0,
        high=65535,
    )
    capacity_limit: int | None = writable("Most concurrent calls, 1 to 32767; None for no limit.", low=1, high=32767)
    cli_format: CliFormat | None = writable("How the caller's number is written; DIDWW stores `e164` for None.")
    cli_prefix: str | None = writable(
        "Put before the caller's number: at most 7 letters, digits, `+` and `#`. None for none.",
        longest=7,
        form=Form("^[A-Za-z0-9+#]*$", "letters, digits, '+' and '#' only", r"\s./-"),
    )
    ringing_timeout: int | None = writable(
        "Longest ringing in seconds, 1 to 32; None for the platform's own default.", low=1, high=32
    )
    created_at: datetime = attribute("When it was made.")
    configuration: SipConfiguration | PstnConfiguration = writable(
        "How calls are delivered: by SIP, or forwarded to a phone number.",
        required=True,
    )
    voice_in_trunk_group: VoiceInTrunkGroup | None = writable_relationship(
        "The trunk group that it is in; None for none."
    )
    pop: Pop | None = writable_relationship("The point of presence that it is pinned to; None for none.")
