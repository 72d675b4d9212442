"""Register the user of a number: identity, address, proofs and verification.

Change the sample person below first. A number that needs registration is blocked until DIDWW has verified an address.
A review takes hours or days. If it is rejected, the program prints the reasons.
Run: python register_number.py [--scan scan.pdf] [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. It sends personal data and documents to DIDWW, and asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import didww
from didww import Address, AddressRequirement, AddressVerification, Did, DidwwClient, Identity, IdentityType, Proof


def submit(client: DidwwClient, scan: Path, needs: AddressRequirement, address: Address, did: Did) -> str:
    """Add the documents that the country of the number requires, and submit a verification. Return its ID."""
    user, verification = address.identity, AddressVerification(address=address, dids=[did])
    proofs = [(user, kind) for kind in needs.personal_proof_types[: needs.personal_proof_qty]]
    for entity, kind in [*proofs, *((address, kind) for kind in needs.address_proof_types[: needs.address_proof_qty])]:
        print(f"Sending a proof: {kind.name}")
        file = client.upload_file(scan, description=kind.name)
        client.proofs().create(Proof(proof_type=kind, entity=entity, files=[file]))
    if needs.personal_permanent_document:
        files, template = [client.upload_file(scan, description="Form")], needs.personal_permanent_document
        form = didww.PermanentSupportingDocument(template=template, identity=user, files=files)
        client.permanent_supporting_documents().create(form)
    if needs.personal_onetime_document:
        verification.onetime_files = [client.upload_file(scan, description="Form")]
    if needs.service_description_required:
        verification.service_description = "Support line of a shop"
    # A validation stores nothing. It raises ValidationError with everything that is missing.
    check = didww.AddressRequirementValidation(address_requirement=needs, identity=user, address=address)
    client.address_requirement_validations().create(check)
    return client.address_verifications().create(verification).data.id


def main(client: DidwwClient, args: argparse.Namespace) -> None:
    did = client.dids().first(filter={"awaiting_registration": True}, include="did_group.country")
    if did is None or did.did_group is None or did.did_group.country is None:
        raise SystemExit("No number awaits registration. Buy one: order_numbers.py --country DE --area Cologne")
    group, country = client.did_groups().find(did.did_group, include="address_requirement").data, did.did_group.country
    paths = ("personal_proof_types", "address_proof_types", "personal_permanent_document", "personal_onetime_document")
    needs = client.address_requirements().find(group.address_requirement or "", include=paths).data
    if not args.yes and input(f"Send the data for {did.number} to DIDWW? [y/N] ").lower() != "y":
        raise SystemExit("Nothing was sent.")

    user = Identity(identity_type=IdentityType.PERSONAL, first_name="Alex", last_name="Example", country=country)
    user.phone_number, user.birth_date = "442079460000", "1980-01-31"
    user = client.identities().create(user).data
    address = Address(identity=user, country=country, city_name="Cologne", postal_code="50667", address="1 Example St")
    address = client.addresses().create(address, include="identity").data
    try:
        id = submit(client, args.scan, needs, address, did)
        verification = client.address_verifications().wait(id, timeout=60).data
        print(f"{verification.reference} is {verification.status}: {did.number} is registered.")
    except didww.ApiTimeoutError:
        print("The review is not finished. Look later: client.address_verifications().list()")
    except (didww.WaitError, didww.ValidationError) as error:
        reasons = error.reasons if isinstance(error, didww.WaitError) else error.fields.get("", [str(error)])
        client.identities().delete(user)  # with its address and proofs
        raise SystemExit("\n- ".join(("Correct this, and run the program again:", *reasons))) from None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Register the user of the first number that awaits registration.")
    parser.add_argument("--scan", type=Path, default=Path(__file__).with_name("scan.pdf"), help="scan of the documents")
    parser.add_argument("--yes", action="store_true", help="send without asking")
    args = parser.parse_args()
    try:
        with DidwwClient() as client:
            main(client, args)
    except didww.DidwwError as error:
        raise SystemExit(str(error)) from None
    except EOFError:
        raise SystemExit("There is nobody to ask. Use --yes.") from None
