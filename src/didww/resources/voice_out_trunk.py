"""Outbound trunks: who may place calls, and which caller ids and destinations they may use."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import KEEP, attribute, status_is, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Bool, Id, Ids, OptionalPart, OptionalText, RequiredText, Text, Texts
from didww._schema.forms import DIGITS, WEB_ADDRESS
from didww._schema.record import Meta
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


_OTHER_ACTIONS = tuple(one.value for one in OnCliMismatchAction if one != OnCliMismatchAction.REPLACE_CLI)


class VoiceOutTrunkMeta(Meta):
    """What an outbound trunk has spent."""

    spent_amount: Decimal = attribute("US dollars spent on the trunk in the running billing period.")


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
):
    """A trunk for outbound calls; accounts without the outbound API get 403 for every operation.

    Deleting it ends its calls at once; DIDs that were its caller ID stay in the account.
    Recorded responses hold null in `rtp_timeout` and `threshold_amount`. Including `default_did` is what
    DIDWW's own SDKs do; its OpenAPI document does not have that include.
    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    name: str = writable(
        "Name of the account's own.", required=True, filter=RequiredText, filter_contains=OptionalPart, sort=True
    )
    status: VoiceOutTrunkStatus = writable(
        "Whether the trunk can place calls; `blocked` stops it. New trunks are active.", filter=Text
    )
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    capacity_limit: int | None = writable("Most concurrent calls, 1 to 32767; None for no limit.", ge=1, le=32767)
    allow_any_did_as_cli: bool = writable(
        "Whether any DID of the account may be caller id; while True, `dids` cannot be set. False by default.",
        filter=Bool,
        sort=True,
    )
    on_cli_mismatch_action: OnCliMismatchAction = writable(
        "What becomes of a call whose caller id is no allowed DID. To assign another action than `replace_cli` sets "
        "`default_did` to None.",
        required=True,
        on_set={action: {"default_did": None} for action in _OTHER_ACTIONS},
        filter=RequiredText,
    )
    default_dst_action: DefaultDstAction = writable(
        "Whether destinations outside `dst_prefixes` are allowed; `allow_all` by default.", filter=Text
    )
    dst_prefixes: list[str] = writable(
        "Prefixes of numbers, digits only, that get the opposite of `default_dst_action`.", form=DIGITS
    )
    media_encryption_mode: MediaEncryptionMode = writable(
        "The media encryption that calls must use; disabled by default.", filter=Text
    )
    allowed_rtp_ips: list[str] | None = writable(
        "IP addresses or subnets that media is accepted from, at most 60; None for any.", le=60, distinct=True
    )
    force_symmetric_rtp: bool = writable("Whether media goes back to where it comes from; False by default.")
    rtp_ping: bool = writable("Whether RTP keep-alive packets are sent; False by default.")
    rtp_timeout: int | None = writable(
        "Seconds without media that end a call, 30 to 600; 30 by default, None only in responses.",
        ge=30,
        le=600,
        not_none=KEEP,
    )
    threshold_amount: Decimal | None = writable(
        "US dollars of spending in 24 hours that block the trunk, in a range that depends on the account; None only "
        "in responses.",
        not_none=KEEP,
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS URL called when the trunk is blocked or unblocked, by the threshold or by hand; None for no "
        "callback.",
        form=WEB_ADDRESS,
    )
    emergency_enable_all: bool = writable(
        "Whether every DID may make emergency calls; while True, `emergency_dids` cannot be set."
    )
    authentication_method: (
        CredentialsAndIpAuthenticationMethod | TwilioAuthenticationMethod | IpOnlyAuthenticationMethod
    ) = writable("How callers authenticate; an assigned one replaces the whole method.", required=True)
    created_at: datetime = attribute("When it was created.", sort=True)
    threshold_reached: bool = attribute("Whether spending has gone over `threshold_amount`.", filter=Bool, sort=True)
    default_did: Did | None = writable_relationship(
        "The caller id in place of one not allowed; needed with `replace_cli`, refused with any other action.",
        filter=Id,
        include=True,
    )
    dids: list[Did] = writable_relationship(
        "DIDs that may be caller id; an update replaces them all.", distinct=True, include=True
    )
    emergency_dids: list[Did] = writable_relationship(
        "DIDs that may make emergency calls; an update replaces them all.", distinct=True, include=True
    )
    meta = resource_meta(VoiceOutTrunkMeta, "What it has spent.")

    is_active = status_is(VoiceOutTrunkStatus.ACTIVE)
    is_blocked = status_is(VoiceOutTrunkStatus.BLOCKED)
