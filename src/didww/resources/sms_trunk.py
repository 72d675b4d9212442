"""SMS trunks: where inbound text messages go, and how outbound ones are sent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Ids, Text, Texts
from didww._schema.meta import Meta
from didww._schema.resource import Resource
from didww._schema.rules import OfType, When
from didww.resources.sms_configuration import (
    HttpInConfiguration,
    HttpOutConfiguration,
    SmppEsmeConfiguration,
    SmppSmscConfiguration,
    SmsToEmailConfiguration,
)

if TYPE_CHECKING:
    from didww.resources.did import Did
    from didww.resources.sender_id_verification import SenderIdVerification
    from didww.resources.sms_trunk_group import SmsTrunkGroup


class SmsTrunkMeta(Meta):
    """Data about an SMS trunk. Only trunks of the type `http_out` have any."""

    host: str | None = attribute("URL that messages are submitted to, or None for other types.")


class SmsTrunk(
    Resource,
    type="sms_trunks",
    since="2026-11-19",
    rules=(
        When("allow_any_did_as_source", (True,), bars=("outgoing_dids",)),
        OfType("configuration", ("http_out",), bars=("priority", "sms_trunk_group")),
        OfType("configuration", ("sms_to_email", "http_in"), bars=("allow_any_did_as_source", "outgoing_dids")),
    ),
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    filters={"configuration.type": Texts, "id": Ids},
    columns={
        "name": "name",
        "type": "configuration.type",
        "to": (
            "configuration.send_to",
            "configuration.url",
            "configuration.host",
            "configuration.server_location",
            "meta.host",
        ),
        "group": "sms_trunk_group.name",
        "priority": "priority",
        "blocked": "blocked",
    },
):
    """A trunk for text messages: an email address, a URL or an SMPP connection.

    The type of `configuration` decides the direction, and cannot be changed: `sms_to_email` and `http_in` receive
    messages, `http_out` sends them, `smpp_esme` and `smpp_smsc` do both. The route of inbound messages is set on the
    DID (`Did.sms_trunk`). A trunk cannot be deleted while a DID is routed to it. When a trunk is deleted, its sender ID
    verifications are left without a trunk.
    """

    name: str = writable(
        "Name, unique among the SMS trunks and SMS trunk groups of the account.",
        required=True,
        filter=Texts,
        sort=True,
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=Text,
        sort=True,
    )
    blocked: bool = writable(
        "Whether the trunk is blocked. A blocked trunk handles no messages. Defaults to False.", sort=True
    )
    priority: int | None = writable(
        "Priority in a trunk group, 0 to 32767. The highest value is tried first. Defaults to 100. None for the type "
        "`http_out`, which cannot be in a group.",
        ge=0,
        le=32767,
        sort=True,
    )
    allow_any_did_as_source: bool = writable(
        "Whether any DID of the account may be the source of messages. Setting True empties `outgoing_dids`. Only for "
        "the types `http_out`, `smpp_esme` and `smpp_smsc`. Defaults to False.",
        on_set={True: {"outgoing_dids": []}},
    )
    allow_in: bool = attribute("True if the trunk receives messages.", sort=True)
    allow_out: bool = attribute("True if the trunk sends messages.", sort=True)
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    updated_at: datetime = attribute("Date and time of the last update.", sort=True)
    configuration: (
        SmsToEmailConfiguration
        | HttpInConfiguration
        | HttpOutConfiguration
        | SmppEsmeConfiguration
        | SmppSmscConfiguration
    ) = writable("How messages are received or sent. The type cannot be changed.", required=True)
    outgoing_dids: list[Did] = writable_relationship(
        "DIDs that may be the source of messages. An update replaces the whole list. A DID that awaits registration is "
        "refused.",
        distinct=True,
        include=True,
    )
    incoming_dids: list[Did] = relationship("DIDs whose messages are routed to the trunk.", include=True)
    sms_trunk_group: SmsTrunkGroup | None = writable_relationship(
        "Trunk group of the trunk, or None if not in a group.", include=True
    )
    sender_id_verifications: list[SenderIdVerification] = relationship(
        "Sender ID verifications that are assigned to the trunk.", include=True
    )
    meta = resource_meta(SmsTrunkMeta, "Data about the trunk; empty except for the type `http_out`.")
