"""Create an outbound trunk with a daily spending limit, and save its credentials.

DIDWW generates the credentials; they go to a file that only you can read.

Run: python outbound_trunk.py [--ip 192.0.2.10] [--limit 50] [--name Outbound] [--out outbound-trunk.ini]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing for the trunk. Calls through it cost money, up to the limit in 24 hours.
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from pathlib import Path

from didww import (
    CredentialsAndIpAuthenticationMethod,
    DefaultDstAction,
    DidwwClient,
    DidwwError,
    OnCliMismatchAction,
    PermissionDeniedError,
    VoiceOutTrunk,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Create an outbound trunk with a daily spending limit.")
    parser.add_argument("--ip", default="192.0.2.10", help="address or network of your PBX (default: 192.0.2.10)")
    parser.add_argument("--limit", type=int, default=50, help="USD in 24 hours (default: 50)")
    parser.add_argument("--name", default="Outbound", help="default: Outbound")
    parser.add_argument("--out", type=Path, default=Path("outbound-trunk.ini"), help="default: outbound-trunk.ini")
    args = parser.parse_args()

    try:  # the file first: it must be new, and readable by its owner only
        args.out.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise SystemExit(f"Cannot create {args.out}: {error.strerror}.") from None

    trunk = VoiceOutTrunk(
        name=args.name,
        on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL,  # a caller ID must be a number of the account
        allow_any_did_as_cli=True,
        default_dst_action=DefaultDstAction.ALLOW_ALL,
        threshold_amount=Decimal(args.limit),  # then the trunk is blocked
        authentication_method=CredentialsAndIpAuthenticationMethod(allowed_sip_ips=[args.ip]),
    )
    try:
        with DidwwClient() as client:
            trunk = client.voice_out_trunks().create(trunk).data
            login = trunk.authentication_method
            assert isinstance(login, CredentialsAndIpAuthenticationMethod)  # for type checkers
            args.out.write_text(
                f"host = out.didww.com\nusername = {login.username}\npassword = {login.password}\n", encoding="utf-8"
            )
    except DidwwError as error:
        args.out.unlink()
        if isinstance(error, PermissionDeniedError):
            raise SystemExit("Outbound trunks are not enabled for this account. Ask DIDWW's support.") from None
        raise
    print(f"Trunk {trunk.name}: {trunk.status}, for {args.ip}, at most {trunk.threshold_amount:.2f} USD in 24 hours.")
    print(f"User {login.username}; the password is in {args.out}.")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
