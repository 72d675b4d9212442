"""Receive the text messages of numbers by email, or by HTTP at a URL of yours.

Run: python sms_trunk.py 442079460001 [NUMBER ...] --to sms@example.com [--name "Text messages"]
     python sms_trunk.py 442079460001 --to https://hooks.example.com/sms
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: none for the trunk and the routes. Messages may cost money.
"""

from __future__ import annotations

import argparse

from didww import (
    Did,
    DidwwClient,
    DidwwError,
    HttpInConfiguration,
    SmsBodyType,
    SmsHttpMethod,
    SmsToEmailConfiguration,
    SmsTrunk,
)

JSON = '{"from": "{SMS_SRC_ADDR}", "to": "{SMS_DST_ADDR}", "text": "{SMS_TEXT_BASE64_ENCODED}"}'


def configuration_for(target: str) -> SmsToEmailConfiguration | HttpInConfiguration:
    if "://" in target:
        return HttpInConfiguration(
            url=target,
            http_method=SmsHttpMethod.POST,
            body_type=SmsBodyType.JSON,
            body=JSON,  # the text as base64: it may contain quotes
            validate_https_certificate=True,
        )
    return SmsToEmailConfiguration(
        send_to=target, subject="SMS from {SMS_SRC_ADDR} to {SMS_DST_ADDR}", message="{SMS_TEXT}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Receive the text messages of numbers by email or HTTP.")
    parser.add_argument("numbers", nargs="+", metavar="NUMBER", help="numbers of the account, digits only")
    parser.add_argument("--to", required=True, help="an email address, or a URL")
    parser.add_argument("--name", default="Text messages", help="name of the trunk (default: Text messages)")
    args = parser.parse_args()

    with DidwwClient(api_version="2026-11-19") as client:  # text messages need this version
        dids = client.dids().list(filter={"number": args.numbers}, include=["did_group"]).data
        if missing := set(args.numbers) - {did.number for did in dids}:
            raise SystemExit(f"The account does not have {', '.join(sorted(missing))}.")
        trunk = SmsTrunk(name=args.name, configuration=configuration_for(args.to))
        trunk = client.sms_trunks().create(trunk).data
        client.dids().update_many(Did.build(did.id, sms_trunk=trunk) for did in dids).raise_for_failures()
        for did in dids:
            able = did.did_group is not None and "sms_in" in did.did_group.features
            print(f"{did.number}: text messages go to {args.to}{'' if able else ', but it cannot receive any'}.")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
