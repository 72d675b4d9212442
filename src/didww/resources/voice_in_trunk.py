"""Voice IN trunks: destinations of inbound calls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalText, RequiredTexts
from didww._schema.forms import Form
from didww._schema.resource import Resource
from didww.enums import CliFormat, PopCode
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
    columns={
        "name": "name",
        "type": "configuration.type",
        "to": ("configuration.host", "configuration.dst", "configuration.incoming_auth_username"),
        "group": "voice_in_trunk_group.name",
        "priority": "priority",
        "weight": "weight",
        "limit": "capacity_limit",
    },
):
    """An inbound trunk: a SIP host, a SIP registration or a phone number that receives the calls of DIDs.

    A trunk cannot be deleted while numbers are routed to it or while it is in a trunk group.
    """

    name: str = writable(
        "Name, unique among the voice IN trunks and trunk groups of the account.",
        required=True,
        filter=RequiredTexts,
        sort=True,
    )
    description: str | None = writable("Free-text note, or None if not set.", sort=True)
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    priority: int = writable(
        "Priority in a trunk group, 0 to 65535. The lowest value is tried first.", ge=0, le=65535, sort=True
    )
    weight: int = writable(
        "Relative share of calls among trunks with equal priority in a group, 0 to 65535.",
        ge=0,
        le=65535,
        sort=True,
    )
    capacity_limit: int | None = writable(
        "Maximum concurrent calls, 1 to 32767, or None for no limit.", ge=1, le=32767, sort=True
    )
    cli_format: CliFormat | None = writable("Format of the caller ID. None is stored as `e164`.", sort=True)
    cli_prefix: str | None = writable(
        "Prefix added to the caller ID: at most 7 letters, digits, `+` or `#`. None for no prefix.",
        max_length=7,
        form=Form("^[A-Za-z0-9+#]*$", "letters, digits, '+' and '#' only", r"\s./-"),
        sort=True,
    )
    ringing_timeout: int | None = writable(
        "Ringing timeout in seconds, 1 to 32, or None for the default of the platform.", ge=1, le=32, sort=True
    )
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    configuration: SipConfiguration | PstnConfiguration = writable(
        "Delivery of calls: to a SIP endpoint, or forwarded to a phone number.", required=True
    )
    voice_in_trunk_group: VoiceInTrunkGroup | None = writable_relationship(
        "Trunk group of the trunk, or None if not in a group.", include=True
    )
    pop_code: PopCode | None = writable(
        "Point of presence that the trunk is pinned to, or None if DIDWW chooses.", member="pop", since="2026-11-19"
    )
    pop: Pop | None = writable_relationship(
        "Point of presence that the trunk is pinned to, or None if not pinned.",
        include=True,
        until="2026-04-16",
        replacement="pop_code",
    )
