"""Create a trunk for a phone or a PBX that registers with DIDWW, and save its credentials.

The device needs no public address. DIDWW generates the credentials; they go to a file that only you can read.

Run: python sip_registration.py [--name "Desk phone"] [--out sip-account.ini] [--number NUMBER]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. With --number, calls to that number take the new route immediately.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from didww import Codec, DidwwClient, DidwwError, SipConfiguration, VoiceInTrunk

REGISTRAR = "sip.didww.com"


def main() -> None:
    parser = argparse.ArgumentParser(description="Create a trunk for a device that registers with DIDWW.")
    parser.add_argument("--name", default="Desk phone", help="default: Desk phone")
    parser.add_argument("--out", type=Path, default=Path("sip-account.ini"), help="default: sip-account.ini")
    parser.add_argument("--number", help="a number of the account to route to the device")
    args = parser.parse_args()

    with DidwwClient() as client:
        did = client.dids().first(filter={"number": args.number}) if args.number else None
        if args.number and did is None:
            raise SystemExit(f"The account has no number {args.number}.")
        try:  # the file first: it must be new, and readable by its owner only
            args.out.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            raise SystemExit(f"Cannot create {args.out}: {error.strerror}.") from None

        # `use_did_in_ruri`: the device sees which number was called.
        sip = SipConfiguration(enabled_sip_registration=True, use_did_in_ruri=True)
        sip.codec_ids = [Codec.PCMU, Codec.PCMA, Codec.TELEPHONE_EVENT]
        try:
            trunk = client.voice_in_trunks().create(VoiceInTrunk(name=args.name, configuration=sip)).data
        except DidwwError:
            args.out.unlink()
            raise
        assert isinstance(trunk.configuration, SipConfiguration)  # for type checkers
        login = trunk.configuration
        args.out.write_text(
            f"registrar = {REGISTRAR}\nusername = {login.incoming_auth_username}\n"
            f"password = {login.incoming_auth_password}\n",
            encoding="utf-8",
        )
        print(f"Trunk {trunk.name}: register at {REGISTRAR} as {login.incoming_auth_username}.")
        print(f"The password is in {args.out}.")

        if did is not None:
            did.voice_in_trunk = trunk
            client.dids().update(did)
            print(f"Calls to {did.number} go to {trunk.name}.")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
