"""Delivery of calls by SIP: to a host, or to a device that registers at DIDWW."""

from __future__ import annotations

from didww._schema.fields import ANY_VALUE, KEEP, attribute, writable
from didww._schema.forms import Form
from didww._schema.rules import Ascending, When
from didww.enums import (
    Codec,
    DiversionInjectMode,
    DiversionRelayPolicy,
    MediaEncryptionMode,
    NetworkProtocolPriority,
    ReroutingDisconnectCode,
    RxDtmfFormat,
    SstRefreshMethod,
    StirShakenMode,
    TransportProtocol,
    TxDtmfFormat,
)
from didww.resources.configuration.base import TrunkConfiguration


class SipConfiguration(
    TrunkConfiguration,
    type="sip_configurations",
    rules=(
        When("enabled_sip_registration", (False,), needs=("host",), bars=("use_did_in_ruri",)),
        When("enabled_sip_registration", (True,), bars=("host", "port")),
        When("auth_enabled", (True,), needs=("auth_user", "auth_password")),
        When("auth_enabled", (False,), bars=("auth_user", "auth_password")),
        When("sst_enabled", (True,), needs=("sst_min_timer", "sst_max_timer")),
        Ascending(("sst_min_timer", "sst_session_expires", "sst_max_timer")),
        Ascending(("dns_srv_failover_timer", "sip_timer_b")),
    ),
):
    """Calls are sent by SIP to a host, or to a device that registers at DIDWW.

    Switching `enabled_sip_registration` on sets `host` and `port` to None; switching it off sets
    `use_did_in_ruri` to False; a `host` that is not None switches it off; switching `auth_enabled` off sets
    `auth_user` and `auth_password` to None: the service refuses other combinations. What is set in the same call
    stays as it is given, and is checked before it is sent. Where a field does not say what None means, it means
    "not set".

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    host: str | None = writable(
        "Host name or IP address that calls are sent to; None with registration.",
        on_set={ANY_VALUE: {"enabled_sip_registration": False}},
    )
    port: int | None = writable(
        "SIP port of the host, 1 to 65535; None for the usual one, and with registration.", ge=1, le=65535
    )
    username: str | None = writable(
        "User part of the request URI, without white space or `@`; `{DID}` stands for the called number.",
        form=Form(r"^[^\s@]*$", "text without white space or '@'", r"\s"),
    )
    transport_protocol_id: TransportProtocol = writable("What carries the signalling: UDP, TCP or TLS.")
    network_protocol_priority: NetworkProtocolPriority = writable("IP version to prefer when the host is looked up.")
    resolve_ruri: bool = writable("Whether the host of the request URI is looked up before sending.")
    use_did_in_ruri: bool = writable(
        "Whether the called number becomes the user part of the request URI; with registration only."
    )
    codec_ids: list[Codec] = writable(
        "Codecs that are offered, the most preferred one first; at least one, none twice.",
        required=True,
        ge=1,
        distinct=True,
    )
    rx_dtmf_format_id: RxDtmfFormat | None = writable(
        "How keypad tones are accepted from the account's side; None in responses only.", not_none=KEEP
    )
    tx_dtmf_format_id: TxDtmfFormat | None = writable(
        "How keypad tones are sent to the account's side; None in responses only.", not_none=KEEP
    )
    auth_enabled: bool = writable(
        "Whether requests to the host carry credentials; they do not unless this is True.",
        default=False,
        on_set={False: {"auth_user": None, "auth_password": None}},
    )
    auth_user: str | None = writable("User name of these credentials, which they need.", secret=True)
    auth_password: str | None = writable("Password of these credentials, which they need.", secret=True)
    auth_from_user: str | None = writable("User of the From header when credentials are used.")
    auth_from_domain: str | None = writable("Domain of the From header when credentials are used.")
    enabled_sip_registration: bool = writable(
        "Whether the account's device registers at DIDWW, instead of calls going to a fixed host. A trunk without it "
        "needs a `host`.",
        default=False,
        on_set={True: {"host": None, "port": None}, False: {"use_did_in_ruri": False}},
    )
    incoming_auth_username: str | None = attribute(
        "User name to register with, made by the service; None without registration.", secret=True
    )
    incoming_auth_password: str | None = attribute(
        "Password to register with, made by the service; None without registration.", secret=True
    )
    sst_enabled: bool = writable("Whether SIP session timers are used.")
    sst_min_timer: int | None = writable("Shortest session timer, in seconds; needed with `sst_enabled`.", ge=1)
    sst_max_timer: int | None = writable("Longest session timer, in seconds; needed with `sst_enabled`.")
    sst_session_expires: int | None = writable("Session timer to ask for, in seconds, between these two.")
    sst_refresh_method_id: SstRefreshMethod = writable("How sessions are refreshed.")
    sst_accept_501: bool = writable("Whether the response 501 to a refresh counts as success.")
    sip_timer_b: int | None = writable(
        "Milliseconds until an INVITE without a response is given up, 1000 to 64000. None in responses only.",
        ge=1000,
        le=64_000,
        not_none=KEEP,
    )
    dns_srv_failover_timer: int | None = writable(
        "Milliseconds until the next host of a DNS SRV record is tried, at most `sip_timer_b`.", ge=1
    )
    rtp_ping: bool | None = writable("Whether RTP packets are sent to keep the way open.")
    rtp_timeout: int | None = writable(
        "Seconds without RTP after which the call is ended, 5 to 600; None in responses only.",
        ge=5,
        le=600,
        not_none=KEEP,
    )
    force_symmetric_rtp: bool | None = writable("Whether audio is sent to where the other side's audio comes from.")
    symmetric_rtp_ignore_rtcp: bool | None = writable("Whether RTCP packets are left aside in finding out that place.")
    allowed_rtp_ips: list[str] | None = writable(
        "The only IP addresses that audio may come from, at most 10; None for any.", le=10, distinct=True
    )
    media_encryption_mode: MediaEncryptionMode = writable("Encryption of the audio.")
    stir_shaken_mode: StirShakenMode = writable("How the STIR/SHAKEN attestation of the caller is passed on.")
    diversion_relay_policy: DiversionRelayPolicy = writable("What becomes of a Diversion header that comes in.")
    diversion_inject_mode: DiversionInjectMode = writable("Whether DIDWW adds a Diversion header.")
    cnam_lookup: bool = writable("Whether the caller's name is looked up and delivered.")
    max_transfers: int = writable("Most transfers (REFER) of a call, 0 to 8.", ge=0, le=8)
    max_30x_redirects: int = writable("Most redirects (3xx responses) of a call, 0 to 8.", ge=0, le=8)
    rerouting_disconnect_code_ids: list[ReroutingDisconnectCode] | None = writable(
        "Outcomes on which the next trunk of the group is tried; None for none of the account's own.", distinct=True
    )
