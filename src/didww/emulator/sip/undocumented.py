"""What the emulator does in calls, and sends about them, where DIDWW's documentation is silent.

It is shown on the parity page.
"""

from __future__ import annotations

from typing import Final

__all__ = ["SIP_CALLS"]

SIP_CALLS: Final = (
    (
        "Trunks of the same priority whose weights are all 0, or weight 0 beside others",
        "In random order; beside others, weight 0 is drawn with a small chance, as RFC 2782 has it.",
    ),
    ("A trunk without rerouting codes", "No code leads to the next trunk: the call ends with the first attempt."),
    ("Rerouting codes of a trunk that forwards to a phone number", "All of them."),
    ("The response of the last trunk in a group", "It ends the call, whatever the rerouting codes."),
    (
        "A trunk whose `capacity_limit` is reached",
        "An attempt without an INVITE, with 480 and initiator System; then the next trunk is tried.",
    ),
    (
        "A number, its channels or a trunk group whose limit is reached",
        "One record with 480 and initiator System; no trunk is tried.",
    ),
    (
        "A number without any channels",
        "Its calls are not limited. At DIDWW it needs capacity to receive calls.",
    ),
    ("A number with metered capacity, outside of a capacity group", "Its calls are not limited by channels."),
    (
        "The end of a call, when a number uses its own channels and those of a capacity group",
        "A channel of the group is released first.",
    ),
    (
        "Calls to a DID that is blocked, terminated, expired or awaits registration",
        "One record with 403 and initiator System. Only `DID service expired` is a documented text.",
    ),
    ("Calls to a DID without a trunk, or with an empty trunk group", "One record with 404 and initiator System."),
    ("The balance", "Calls are placed whatever the balance is: 402 is not emulated."),
    (
        "Ringing timeout",
        "CANCEL; 480, initiator System, and rerouting code 1505. If `ringing_timeout` is null, 32 s.",
    ),
    ("No response to an INVITE within `sip_timer_b`", "408, initiator System. If a connection fails, 503."),
    ("The caller gives up while it rings", "487, initiator Origination; no other trunk is tried."),
    ("More redirects than `max_30x_redirects`", "The attempt ends with the code of the redirect."),
    (
        "The user part of the request URI, if `username` is null, or its placeholders are empty",
        "The number. Placeholders: `{DID}`, `{CALL_CPC}`.",
    ),
    (
        "`{CALL_CPC}`",
        "01, 02, 03 and 04 for calls to toll-free numbers, as documented; empty for other numbers.",
    ),
    ("The calling party category in the From header", "Not sent. DIDWW enables it on request."),
    (
        "The request URI of a trunk with TCP or TLS",
        "It has `;transport=tcp` or `;transport=tls`.",
    ),
    ("The To header", "The number, at the trunk's host and port."),
    ("The host of From, P-Asserted-Identity and Diversion", "`emulator.example.com`, if no `auth_from_domain` is set."),
    (
        "`cli_format`",
        "Digits without a plus sign. `local` removes the prefix of the called number's country and adds no zero.",
    ),
    (
        "A caller who withholds the number",
        "From is `sip:anonymous@anonymous.invalid`, with `Privacy: id`; no `cli_prefix`.",
    ),
    (
        "P-Asserted-Identity",
        "Only for `stir_shaken_mode` `pai` and `original_pai`, if the call has an attestation and a caller's number.",
    ),
    (
        "`P-Stir-Verstat`",
        "`TN-Validation-Passed` for each attestation. A call without an attestation has none of these headers.",
    ),
    ("The Identity header", "Not sent: the emulator has no certificate to sign one."),
    (
        "The caller's name",
        "Sent if `cnam_lookup` is enabled and the caller's number begins with 1. Then it is charged.",
    ),
    (
        "Diversion headers",
        (
            "That of the DID comes first. `as_is` and `sip` send a SIP URI, `tel` a `tel:` URI with a plus sign; "
            "the reason is `unconditional`."
        ),
    ),
    (
        "Telephone events in the offer",
        "Offered if codec 6 is selected, and DTMF is sent or accepted as RFC 2833.",
    ),
    ("Payload types", "101 for telephone events; other dynamic ones from 96."),
    (
        "`media_encryption_mode`",
        (
            "`srtp_sdes` offers RTP/SAVP with AES_CM_128_HMAC_SHA1_80, but the silence is not encrypted; "
            "`srtp_dtls` and `zrtp` offer RTP without encryption."
        ),
    ),
    ("`sst_min_timer` below 90", "90 s, the least of RFC 4028."),
    ("REFER", "603: transfers are not emulated, whatever `max_transfers`."),
    ("Calls to trunks that forward to a phone number", "Nobody is called: a simulated far end rings and answers."),
    ("SRV records", "Each target is an attempt with a record of its own."),
    (
        "When the next SRV target is tried",
        "After no response, an error of the network, or 503; at most ten targets.",
    ),
    (
        "`ringing_timeout`",
        "Counts from the start of each attempt, with look-ups and redirects. Without a connection by then, 503.",
    ),
    (
        "Redirects",
        "Contacts are tried by `q`; without `transport=`, with the trunk's transport. A loop ends with 482.",
    ),
    ("Certificates of trunks with TLS", "Verified by name, except those of loopback addresses."),
    ("Several registered phones", "All ring. The first that answers gets the call; a 6xx response stops the others."),
    ("No registered phone", "480 `Not registered`, initiator System."),
    (
        "More than ten contacts of a trunk",
        "The eleventh is refused with 403. The same `+sip.instance` replaces its own contact.",
    ),
    ("Realm and algorithm of registrations", "`sip.didww.com`, MD5 with qop `auth`. A nonce lasts 5 minutes."),
    ("Expiry of registrations", "60 to 3600 s; below that, 423. It is real time."),
    (
        "A wrong password in a registration",
        "401 once, then 403. After ten in a minute, 403 with Retry-After for that address and user.",
    ),
    ("Where calls to a registered phone go", "To the address that the REGISTER came from."),
    ("Longest call", "Two hours."),
    ("Media", "Silence after the answer. `rtp_timeout`, `rtp_ping` and `allowed_rtp_ips` have no effect."),
    ("A request of Call Events that fails", "Not sent again."),
    (
        "CDR Streaming",
        "A record is sent when its call has ended. A request that fails is sent again after 3 seconds, without end.",
    ),
    ("`disconnect_initiator` in streamed records", "1 System, 2 Destination, 3 Origination."),
    ("The end event of outbound calls", "`outbound-call-end-event`, with the attributes of the record."),
    ("`out_pop_id`, and charges that a call does not have", "Null."),
)
"""Cases that DIDWW's documentation leaves open, and what the emulator does."""
