"""Voice OUT trunks: authentication, caller IDs and destinations of outbound calls."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import KEEP, attribute, status_is, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Bool, Id, Ids, OptionalPart, OptionalText, RequiredText, Text, Texts
from didww._schema.forms import DIGITS, WEB_ADDRESS
from didww._schema.meta import Meta
from didww._schema.resource import Resource
from didww._schema.rules import When
from didww.enums import DefaultDstAction, MediaEncryptionMode, OnCliMismatchAction, VoiceOutTrunkStatus
from didww.resources.authentication_method import (
    CredentialsAndIpAuthenticationMethod,
    IpOnlyAuthenticationMethod,
    TwilioAuthenticationMethod,
)

if TYPE_CHECKING:
    from didww.resources.did import Did


_OTHER_ACTIONS = tuple(action.value for action in OnCliMismatchAction if action != OnCliMismatchAction.REPLACE_CLI)


class VoiceOutTrunkMeta(Meta):
    """Spending of an outbound trunk."""

    spent_amount: Decimal = attribute("Amount spent on the trunk in the current billing period, in US dollars.")


class VoiceOutTrunk(
    Resource,
    type="voice_out_trunks",
    rules=(
        When("on_cli_mismatch_action", (OnCliMismatchAction.REPLACE_CLI.value,), needs=("default_did",)),
        When("on_cli_mismatch_action", _OTHER_ACTIONS, bars=("default_did",)),
        When("allow_any_did_as_cli", (True,), bars=("dids",)),
        When("emergency_enable_all", (True,), bars=("emergency_dids",)),
    ),
    lookup="name",
    operations=("list", "find", "create", "update", "delete"),
    largest_page=1000,
    filters={"authentication_method.type": Texts, "id": Ids},
    columns={
        "name": "name",
        "status": "status",
        "method": "authentication_method.type",
        "username": "authentication_method.username",
        "limit": "capacity_limit",
        "allowed from": "authentication_method.allowed_sip_ips",
    },
):
    """A trunk for outbound calls. Every operation fails with 403 for accounts without the outbound API.

    Deleting a trunk ends its calls immediately; its caller ID DIDs remain in the account.
    Some responses contain null in `rtp_timeout` and `threshold_amount`. The include `default_did` is not in the OpenAPI
    document of DIDWW.
    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    name: str = writable("Name.", required=True, filter=RequiredText, filter_contains=OptionalPart, sort=True)
    status: VoiceOutTrunkStatus = writable(
        "`active` if the trunk can place calls, `blocked` if not. New trunks are active.", filter=Text
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    capacity_limit: int | None = writable("Maximum concurrent calls, 1 to 32767, or None for no limit.", ge=1, le=32767)
    allow_any_did_as_cli: bool = writable(
        "Whether any DID of the account may be used as caller ID. If True, `dids` cannot be set. Defaults to False.",
        filter=Bool,
        sort=True,
    )
    on_cli_mismatch_action: OnCliMismatchAction = writable(
        "Action for calls whose caller ID is not an allowed DID. Setting an action other than `replace_cli` sets "
        "`default_did` to None.",
        required=True,
        on_set={action: {"default_did": None} for action in _OTHER_ACTIONS},
        filter=RequiredText,
    )
    default_dst_action: DefaultDstAction = writable(
        "Whether destinations outside `dst_prefixes` are allowed. Defaults to `allow_all`.", filter=Text
    )
    dst_prefixes: list[str] = writable(
        "Destination prefixes, digits only, to which the opposite of `default_dst_action` applies.", form=DIGITS
    )
    media_encryption_mode: MediaEncryptionMode = writable(
        "Media encryption that calls must use. Defaults to `disabled`.", filter=Text
    )
    allowed_rtp_ips: list[str] | None = writable(
        "IP addresses or subnets that RTP is accepted from, at most 60, or None for any.", le=60, distinct=True
    )
    force_symmetric_rtp: bool = writable(
        "Whether to send RTP to the address it is received from (symmetric RTP). Defaults to False."
    )
    rtp_ping: bool = writable("Whether to send RTP keep-alive packets. Defaults to False.")
    rtp_timeout: int | None = writable(
        "Seconds without RTP after which a call is ended, 30 to 600. Defaults to 30. None in responses only.",
        ge=30,
        le=600,
        not_none=KEEP,
    )
    threshold_amount: Decimal | None = writable(
        "Spending in 24 hours that blocks the trunk, in US dollars. The allowed range depends on the account. None in "
        "responses only.",
        not_none=KEEP,
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS URL to notify when the trunk is blocked or unblocked, by the threshold or manually, or None for "
        "no callback.",
        form=WEB_ADDRESS,
    )
    emergency_enable_all: bool = writable(
        "Whether every DID may place emergency calls. If True, `emergency_dids` cannot be set."
    )
    authentication_method: (
        CredentialsAndIpAuthenticationMethod | TwilioAuthenticationMethod | IpOnlyAuthenticationMethod
    ) = writable("Authentication of callers. Setting it replaces the whole method.", required=True)
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    threshold_reached: bool = attribute("True if spending has exceeded `threshold_amount`.", filter=Bool, sort=True)
    default_did: Did | None = writable_relationship(
        "Caller ID that replaces one not allowed. Required with `replace_cli`, not allowed with other actions.",
        filter=Id,
        include=True,
    )
    dids: list[Did] = writable_relationship(
        "DIDs allowed as caller ID. An update replaces the whole list.", distinct=True, include=True
    )
    emergency_dids: list[Did] = writable_relationship(
        "DIDs that may place emergency calls. An update replaces the whole list.", distinct=True, include=True
    )
    meta = resource_meta(VoiceOutTrunkMeta, "Spending of the trunk.")

    is_active = status_is(VoiceOutTrunkStatus.ACTIVE)
    is_blocked = status_is(VoiceOutTrunkStatus.BLOCKED)
