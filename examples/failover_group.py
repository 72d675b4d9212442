"""Create two SIP trunks in a failover group, and route a number to the group.

Calls go to the main site. If it is unreachable, busy or does not pick up, they go to the backup site.

Run: python failover_group.py [--main sip1.example.com] [--backup sip2.example.com] [--name Support] [--number NUMBER]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. With --number, calls to that number take the new route immediately.
"""

from __future__ import annotations

import argparse

from didww import (
    Codec,
    DidwwClient,
    DidwwError,
    ReroutingDisconnectCode,
    SipConfiguration,
    VoiceInTrunk,
    VoiceInTrunkGroup,
)

NEXT_TRUNK = [
    ReroutingDisconnectCode.SIP_408_REQUEST_TIMEOUT,
    ReroutingDisconnectCode.SIP_486_BUSY_HERE,
    ReroutingDisconnectCode.SIP_503_SERVICE_UNAVAILABLE,
    ReroutingDisconnectCode.RINGING_TIMEOUT,
]


def trunk(name: str, host: str, priority: int) -> VoiceInTrunk:
    """Return a trunk that goes on to the next one if the call fails."""
    sip = SipConfiguration(host=host, codec_ids=[Codec.PCMU, Codec.PCMA, Codec.TELEPHONE_EVENT])
    sip.rerouting_disconnect_code_ids = list(NEXT_TRUNK)
    return VoiceInTrunk(name=name, priority=priority, ringing_timeout=20, configuration=sip)


def main() -> None:
    parser = argparse.ArgumentParser(description="Create two SIP trunks in a failover group.")
    parser.add_argument("--main", default="sip1.example.com", help="host of the main site")
    parser.add_argument("--backup", default="sip2.example.com", help="host of the backup site")
    parser.add_argument("--name", default="Support", help="name of the group (default: Support)")
    parser.add_argument("--number", help="a number of the account to route to the group")
    args = parser.parse_args()

    with DidwwClient() as client:
        did = client.dids().first(filter={"number": args.number}) if args.number else None
        if args.number and did is None:
            raise SystemExit(f"The account has no number {args.number}.")
        names = [f"{args.name} main", f"{args.name} backup"]
        taken = {one.name for one in client.voice_in_trunk_groups().iterate(fields={"voice_in_trunk_groups": "name"})}
        if args.name in taken or client.voice_in_trunks().count(filter={"name": [args.name, *names]}):
            raise SystemExit(f"There is a trunk or a group {args.name} already. Use another --name.")

        first = client.voice_in_trunks().create(trunk(names[0], args.main, priority=1)).data
        second = client.voice_in_trunks().create(trunk(names[1], args.backup, priority=2)).data
        group = VoiceInTrunkGroup(name=args.name, voice_in_trunks=[first, second])
        group = client.voice_in_trunk_groups().create(group, include="voice_in_trunks").data
        print(f"Group {group.name}, in this order:")
        for one in sorted(group.voice_in_trunks, key=lambda one: one.priority):
            where = one.configuration.host if isinstance(one.configuration, SipConfiguration) else ""
            print(f"  {one.priority}  {one.name}  {where}")
        if did is not None:
            did.voice_in_trunk_group = group
            client.dids().update(did)
            print(f"Calls to {did.number} go to {group.name}.")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
