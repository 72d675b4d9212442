"""Enable emergency calling (such as 911 or 112) for a number, with a registered address.

The emergency services go to the address that you give.

Run: python enable_emergency.py --first-name Alex --last-name Example --street "1 Example Street" --city "New York"
       --postal-code 10001 [--number NUMBER] [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: a setup price, and a price each month until you cancel. It shows both and asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse

import didww
from didww import Address, DidwwClient, EmergencyRequirementValidation, EmergencyVerification, Identity, IdentityType


def main(client: DidwwClient, args: argparse.Namespace) -> None:
    able = client.dids().iterate(
        filter={"did_group.features": "emergency", "emergency_enabled": False},
        include=["did_group.country", "did_group.did_group_type"],
    )
    did = next((did for did in able if args.number in (None, did.number)), None)
    if did is None or did.did_group is None or did.did_group.country is None or did.did_group.did_group_type is None:
        raise SystemExit(
            'No such number can have emergency calling. Buy one: order_numbers.py --country US --area "New York"'
        )
    country = did.did_group.country
    requirement = client.emergency_requirements().first(
        filter={"country.id": country.id, "did_group_type.id": did.did_group.did_group_type.id}
    )
    if requirement is None:
        raise SystemExit(f"The account has no rate for emergency calling with {did.number}.")
    prices = f"{requirement.meta.setup_price:.2f} USD setup, {requirement.meta.monthly_price:.2f} USD a month"
    print(f"{did.number}: {prices}; setup takes (days): {requirement.estimate_setup_time}")
    where = f"{args.first_name} {args.last_name}, {args.street}, {args.postal_code} {args.city}, {country.name}"
    print(f"Emergency services will be sent to: {where}")
    if not args.yes and input("Is that right, and order it? [y/N] ").lower() != "y":
        raise SystemExit("Nothing was ordered.")

    user = Identity(identity_type=IdentityType.PERSONAL, country=country)
    user.first_name, user.last_name = args.first_name, args.last_name
    user.phone_number, user.birth_date = "12125550100", "1980-01-31"
    user = client.identities().create(user).data
    address = Address(identity=user, country=country, city_name=args.city, postal_code=args.postal_code)
    address.address = args.street
    address = client.addresses().create(address).data
    try:
        check = EmergencyRequirementValidation(emergency_requirement=requirement, identity=user, address=address)
        client.emergency_requirement_validations().create(check)  # stores nothing
        verification = EmergencyVerification(address=address, dids=[did])
        verification = client.emergency_verifications().create(verification).data
        client.emergency_verifications().wait(verification, timeout=60)
        did = client.dids().find(did, include="emergency_calling_service").data
        service = did.emergency_calling_service
        print(f"Emergency calling for {did.number} is {service.status if service else 'not ready'}.")
    except didww.ApiTimeoutError:
        print("The review is not finished. Look later: client.emergency_calling_services().list()")
    except (didww.ValidationError, didww.WaitError) as error:
        raise SystemExit(f"Correct the address and submit another verification. {error}") from None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Enable emergency calling for a number.")
    parser.add_argument("--number", help="default: the first one without emergency calling that can have it")
    for name in ("first-name", "last-name", "street", "city", "postal-code"):
        parser.add_argument(f"--{name}", required=True, help="of the person and the place where the phone is")
    parser.add_argument("--yes", action="store_true", help="order without asking")
    args = parser.parse_args()
    try:
        with DidwwClient() as client:
            main(client, args)
    except didww.PermissionDeniedError:
        raise SystemExit("Emergency calling is not enabled for this account. Ask DIDWW's support.") from None
    except didww.DidwwError as error:
        raise SystemExit(str(error)) from None
    except EOFError:
        raise SystemExit("There is nobody to ask. Use --yes.") from None
