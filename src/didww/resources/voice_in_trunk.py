"""Voice IN trunks: where the calls to the account's numbers are delivered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalText, RequiredTexts
from didww._schema.forms import Form
from didww._schema.resource import Resource
from didww.enums import CliFormat
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration

if TYPE_CHECKING:
    from didww.resources.pop import Pop
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup


class VoiceInTrunk(
    Resource,
    type="voice_in_trunks",
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filters={"configuration.type": RequiredTexts, "id": Ids},
):
    """An inbound trunk: a SIP host, a SIP registration or a phone number that takes the calls of DIDs.

    A trunk that numbers are routed to, or that is in a trunk group, cannot be deleted.
    """

    name: str = writable(
        "What the account calls it; no other trunk or trunk group has the same name.",
        required=True,
        filter=RequiredTexts,
        sort=True,
    )
    description: str | None = writable("The account's own note; None if there is none.", sort=True)
    external_reference_id: str | None = writable(
        "The account's own identifier for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    priority: int = writable(
        "Order of trial inside a trunk group, 0 to 65535, the smallest first.", ge=0, le=65535, sort=True
    )
    weight: int = writable(
        "Share of the calls among the trunks of a group with the same priority, 0 to 65535.",
        ge=0,
        le=65535,
        sort=True,
    )
    capacity_limit: int | None = writable(
        "Most concurrent calls, 1 to 32767; None for no limit.", ge=1, le=32767, sort=True
    )
    cli_format: CliFormat | None = writable(
        "How the caller's number is written; DIDWW stores `e164` for None.", sort=True
    )
    cli_prefix: str | None = writable(
        "Put before the caller's number: at most 7 letters, digits, `+` and `#`. None for none.",
        max_length=7,
        form=Form("^[A-Za-z0-9+#]*$", "letters, digits, '+' and '#' only", r"\s./-"),
        sort=True,
    )
    ringing_timeout: int | None = writable(
        "Longest ringing in seconds, 1 to 32; None for the platform's own default.", ge=1, le=32, sort=True
    )
    created_at: datetime = attribute("When it was made.", sort=True)
    configuration: SipConfiguration | PstnConfiguration = writable(
        "How calls are delivered: by SIP, or forwarded to a phone number.", required=True
    )
    voice_in_trunk_group: VoiceInTrunkGroup | None = writable_relationship(
        "The trunk group that it is in; None for none.", include=True
    )
    pop: Pop | None = writable_relationship("The point of presence that it is pinned to; None for none.", include=True)
