"""Create a SIP trunk to a voice AI platform, OpenAI Realtime, and route a number to it.

OpenAI requires TLS and SRTP, and finds your project by the user of the SIP address. At OpenAI, set a webhook for
`realtime.call.incoming`: your own server accepts or refuses each call. `didww trunks presets` has other platforms.
The settings are from public documentation of 2026 and were not tried with calls. Make a test call.

Run: python voice_ai_trunk.py proj_YOUR_PROJECT [--region us] [--name "OpenAI"] [--number NUMBER]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing at DIDWW. With --number, calls to that number take the new route immediately.
"""

from __future__ import annotations

import argparse

from didww import (
    CliFormat,
    Codec,
    DidwwClient,
    DidwwError,
    MediaEncryptionMode,
    NetworkProtocolPriority,
    RxDtmfFormat,
    SipConfiguration,
    TransportProtocol,
    TxDtmfFormat,
    ValidationError,
    VoiceInTrunk,
)

HOSTS = {"us": "sip.api.openai.com", "eu": "sip-eu.api.openai.com"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Create a SIP trunk to OpenAI Realtime.")
    parser.add_argument("project", nargs="?", default="proj_example", help="ID of your project at OpenAI")
    parser.add_argument("--region", choices=HOSTS, default="us", help="eu for EU data residency (default: us)")
    parser.add_argument("--name", default="OpenAI", help="default: OpenAI")
    parser.add_argument("--number", help="a number of the account to route to the trunk")
    args = parser.parse_args()

    sip = SipConfiguration(
        host=HOSTS[args.region],
        port=5061,
        transport_protocol_id=TransportProtocol.TLS,
        username=args.project,
        resolve_ruri=False,  # the platform needs the host name, not the address it resolves to
        media_encryption_mode=MediaEncryptionMode.SRTP_SDES,
        codec_ids=[Codec.PCMU, Codec.PCMA, Codec.TELEPHONE_EVENT],  # outside North America, PCMA first
        rx_dtmf_format_id=RxDtmfFormat.RFC_2833,
        tx_dtmf_format_id=TxDtmfFormat.RFC_2833,
        network_protocol_priority=NetworkProtocolPriority.PREFER_IPV4,
    )
    with DidwwClient() as client:
        did = client.dids().first(filter={"number": args.number}) if args.number else None
        if args.number and did is None:
            raise SystemExit(f"The account has no number {args.number}.")
        trunk = VoiceInTrunk(name=args.name, cli_format=CliFormat.E164, configuration=sip)
        try:
            trunk = client.voice_in_trunks().create(trunk).data
        except ValidationError as error:
            raise SystemExit(f"The trunk was not created: {error}") from None
        print(f"Trunk {trunk.name}: sip:{sip.username}@{sip.host}:{sip.port}, TLS, SRTP")
        if did is not None:
            did.voice_in_trunk = trunk
            client.dids().update(did)
            print(f"Calls to {did.number} go to {trunk.name}.")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
