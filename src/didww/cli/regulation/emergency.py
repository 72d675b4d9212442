"""`didww emergency`: emergency calling of numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import lookups, number_types, parameters
from didww.cli.framework import Group
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable, print_row, print_rows
from didww.cli.regulation import people, reviews
from didww.enums import EmergencyCallingServiceStatus, EmergencyVerificationStatus
from didww.exceptions import NotExactlyOneError
from didww.resources.did import Did
from didww.resources.emergency_requirement import EmergencyRequirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.resources.address import Address
    from didww.resources.emergency_calling_service import EmergencyCallingService

__all__ = ["emergency"]

WAIT: Final = "didww emergency wait"
ARGUMENT: Final = click.argument("text", metavar="SERVICE")
_DID_INCLUDES: Final = (
    "did_group.country",
    "did_group.did_group_type",
    "emergency_calling_service.address",
)


@click.group(
    cls=Group,
    examples=(
        "didww emergency requirements US",
        'didww emergency enable +12125550100 --address "1 Example Street"',
    ),
)
def emergency() -> None:
    """Emergency calling: the address that emergency services see when a number calls them.

    It is a subscription, charged each month for each number. A SERVICE is given by name, reference or id.
    """


@emergency.command("list", examples=("didww emergency list", "didww emergency list --status active"))
@click.option(
    "--status", type=click.Choice([each.value for each in EmergencyCallingServiceStatus]), help="With this status only."
)
@parameters.country_option
@list_options
@click.pass_obj
def list_(
    session: Session,
    status: str | None,
    country: str | None,
    listing: Listing,
) -> None:
    """List the emergency calling services."""
    from didww.resources.emergency_calling_service import EmergencyCallingService

    client = session.client
    query: dict[str, Any] = {}
    if status is not None:
        query["status"] = status
    if country is not None:
        query["country.id"] = lookups.country(client, country).id
    listing.print(session, EmergencyCallingService, query)


@emergency.command(examples=("didww emergency show ECS-1234",))
@ARGUMENT
@click.pass_obj
def show(session: Session, text: str) -> None:
    """Show a service and its address."""
    from didww.resources.emergency_calling_service import EmergencyCallingService

    table = RecordTable(session.settings, EmergencyCallingService)
    table.print_one(_service(session.client, text, [*table.includes, "address", "emergency_verification"]))


def _service(client: Any, text: str, include: Sequence[str]) -> EmergencyCallingService:
    """Return a service by id, reference or name."""
    endpoint = client.emergency_calling_services()
    found = list(endpoint.iterate(filter={"reference": text.strip()}, include=include)) if text.strip() else []
    service: EmergencyCallingService
    if len(found) == 1:
        service = found[0]
        return service
    service = lookups.by_name(endpoint, text, "service")
    return endpoint.find(service.id, include=include).data  # type: ignore[no-any-return]


@emergency.command(examples=("didww emergency requirements US", "didww emergency requirements CA --type local"))
@click.argument("country", shell_complete=parameters.complete_countries)
@click.option("--type", "number_type", metavar="TYPE", help="Type of the numbers: local, mobile and so on.")
@click.pass_obj
def requirements(session: Session, country: str, number_type: str | None) -> None:
    """Print requirements and prices of a country."""
    client = session.client
    place = lookups.country(client, country)
    query: dict[str, Any] = {"country.id": place.id}
    if number_type is not None:
        query |= number_types.filter_by(client, EmergencyRequirement, number_type)
    include = number_types.in_version(client, EmergencyRequirement, ["did_group_type", "country"])
    found = client.emergency_requirements().list(filter=query, include=include).data
    if not found:
        raise NotExactlyOneError(f"There is no emergency calling for such numbers in {place.name}.")
    rows = [_requirement_row(each, place.name) for each in found]
    if len(rows) == 1:
        print_row(session.settings, rows[0])
    else:
        print_rows(session.settings, rows, ["type", "identity", "setup price", "monthly price", "setup time"])


def _requirement_row(requirement: EmergencyRequirement, country: str) -> dict[str, Any]:
    words = {"any": "a person or a company", "personal": "a person", "business": "a company"}
    kind = str(requirement.identity_type)
    return {
        "type": number_types.name_of(requirement),
        "identity": words.get(kind, kind),
        "person": ", ".join(requirement.personal_mandatory_fields or ()) if kind != "business" else "",
        "company": ", ".join(requirement.business_mandatory_fields or ()) if kind != "personal" else "",
        "address": f"in {country}" if str(requirement.address_area_level) == "country" else _level(requirement),
        "address fields": ", ".join(requirement.address_mandatory_fields or ()),
        "setup price": _price(requirement.meta.setup_price),
        "monthly price": _price(requirement.meta.monthly_price),
        "setup time": requirement.estimate_setup_time,
        "note": requirement.requirement_restriction_message,
    }


def _price(price: Decimal | None) -> Decimal | None:
    return None if price is None else price.quantize(Decimal("0.01"))


def _level(requirement: EmergencyRequirement) -> str:
    level = str(requirement.address_area_level)
    return {"area": "in the area of the number", "city": "in the city of the number"}.get(level, "anywhere")


@emergency.command(
    changes=True,
    examples=(
        'didww emergency enable +12125550100 --address "1 Example Street"',
        "didww emergency enable +12125550100 +12125550101 --address Office --yes --no-wait",
    ),
)
@parameters.numbers_argument
@click.option("--address", metavar="ADDRESS", required=True, help="Id, reference, description or street.")
@reviews.callback_option
@click.option("--reference", type=parameters.reference, metavar="TEXT", help="Your own identifier of the verification.")
@parameters.no_wait_option
@parameters.wait_option(reviews.DEFAULT_WAIT)
@click.pass_obj
def enable(
    session: Session,
    number_texts: tuple[str, ...],
    address: str,
    callback_url: str | None,
    reference: str | None,
    no_wait: bool,
    wait_limit: float,
) -> None:
    """Enable emergency calling for numbers.

    They must be in one city. If they have a service, its address is changed.

    Says what it costs, asks, submits the address, and waits for the decision of DIDWW. Exits with 3 if it is rejected.
    Running it again continues: nothing is submitted twice.
    """
    from didww.resources.emergency_calling_service import EmergencyCallingService

    if not number_texts:
        raise click.UsageError("Pass numbers.")
    client = session.client
    dids = lookups.dids(client, number_texts, include=number_types.in_version(client, Did, _DID_INCLUDES))
    place = people.address(client, address, people.ADDRESS_INCLUDES)
    service = _common_service(dids)
    submitted = _pending(client, service)
    if submitted is not None:
        session.say(f"Verification {submitted.reference} of these numbers is under review already.")
    elif service is not None and str(service.status) == "active" and _is_at(service, place):
        session.say(f"Emergency calling is enabled at {people.address_label(place)} already.")
    elif service is not None:
        submitted = _move(session, service, place, callback_url, reference)
    else:
        submitted = _create(session, dids, place, callback_url, reference)
    if submitted is not None and not no_wait:
        reviews.wait_for(session, client.emergency_verifications(), submitted, wait_limit, command=WAIT)
    elif submitted is not None:
        session.say(f"To wait for the decision: {session.command_line('emergency', 'wait', submitted.reference)}")
    table = RecordTable(session.settings, EmergencyCallingService)
    service = client.dids().find(dids[0].id, include=["emergency_calling_service"]).data.emergency_calling_service
    if service is not None:
        table.print_one(client.emergency_calling_services().find(service.id, include=[*table.includes, "address"]).data)


def _common_service(dids: Sequence[Did]) -> EmergencyCallingService | None:
    """Return the service that the numbers have; None if none of them has one.

    Raises:
        UsageError: Only some have one, or they have several.
    """
    services = {each.emergency_calling_service.id if each.emergency_calling_service else "" for each in dids}
    if len(services) == 1:
        return dids[0].emergency_calling_service
    lines = "\n".join(
        f"- +{each.number}: {each.emergency_calling_service.name if each.emergency_calling_service else 'none'}"
        for each in dids
    )
    raise click.UsageError(f"The numbers have different emergency calling services; pass those of one:\n{lines}\n")


def _pending(client: Any, service: EmergencyCallingService | None) -> Any:
    """Return the verification of a service that is under review."""
    if service is None:
        return None
    query = {"emergency_calling_service.id": service.id, "status": EmergencyVerificationStatus.PENDING.value}
    return client.emergency_verifications().first(filter=query)


def _is_at(service: EmergencyCallingService, address: Address) -> bool:
    return service.address is not None and service.address.id == address.id


def _create(
    session: Session, dids: Sequence[Did], address: Address, callback_url: str | None, reference: str | None
) -> Any:
    """Submit a verification that creates a service."""
    requirement = _requirement(session.client, dids)
    _validate(session, requirement, address)
    setup, monthly = requirement.meta.setup_price, requirement.meta.monthly_price
    count = len(dids)
    numbers = ", ".join(f"+{did.number}" for did in dids)
    cost = "an unknown price (DIDWW does not state it)"
    if setup is not None and monthly is not None:
        cost = f"${setup * count:.2f} for the setup and ${monthly * count:.2f} each month"
    plan = (
        f"Enables emergency calling for {numbers}:",
        f"- at {people.address_label(address)}, {people.identity_label(address.identity)}",
        f"- for {cost}, charged when DIDWW has approved the address (setup time: {requirement.estimate_setup_time})",
    )
    return _submit(session, plan, "Enable emergency calling?", address, callback_url, reference, dids=list(dids))


def _move(
    session: Session,
    service: EmergencyCallingService,
    address: Address,
    callback_url: str | None,
    reference: str | None,
) -> Any:
    """Submit a verification of another address of a service."""
    before = people.address_label(service.address) if service.address is not None else "no address"
    plan = (
        f"Changes the address of {service.name} ({service.status}):",
        f"- from {before}",
        f"- to {people.address_label(address)}",
    )
    question = "Change the address that emergency services see?"
    return _submit(session, plan, question, address, callback_url, reference, emergency_calling_service=service)


def _submit(
    session: Session,
    plan: Sequence[str],
    question: str,
    address: Address,
    callback_url: str | None,
    reference: str | None,
    **subject: Any,
) -> Any:
    from didww.enums import CallbackMethod
    from didww.resources.emergency_verification import EmergencyVerification

    verification = EmergencyVerification(address=address, **subject)
    if reference is not None:
        verification.external_reference_id = reference
    if callback_url is not None:
        verification.callback_url = callback_url
        verification.callback_method = CallbackMethod.POST
    session.confirm(*plan, question=question)
    submitted = session.client.emergency_verifications().create(verification).data
    session.say(f"Verification {submitted.reference} was submitted.")
    return submitted


def _requirement(client: Any, dids: Sequence[Did]) -> EmergencyRequirement:
    """Return the requirement of the numbers.

    Raises:
        UsageError: A number does not support emergency calling, or they have different requirements.
    """
    groups = [did.did_group for did in dids if did.did_group is not None]
    unsupported = [
        f"+{did.number}" for did in dids if did.did_group is None or "emergency" not in did.did_group.features
    ]
    if unsupported:
        raise click.UsageError(f"Emergency calling is not possible with {', '.join(unsupported)}.")
    queries = [
        {"country.id": group.country.id if group.country is not None else "", **number_types.filter_like(group)}
        for group in groups
    ]
    if any(query != queries[0] for query in queries):
        raise click.UsageError("The numbers are of several countries or types; pass those of one.")
    found = client.emergency_requirements().first(filter=queries[0])
    if found is None:
        raise NotExactlyOneError("Your account has no price for emergency calling with such numbers. Ask DIDWW.")
    requirement: EmergencyRequirement = found
    return requirement


def _validate(session: Session, requirement: EmergencyRequirement, address: Address) -> None:
    """Have DIDWW compare identity and address with the requirement."""
    from didww.resources.emergency_requirement_validation import EmergencyRequirementValidation

    validation = EmergencyRequirementValidation(
        emergency_requirement=requirement, identity=address.identity, address=address
    )
    session.client.emergency_requirement_validations().create(validation)


@emergency.command(examples=("didww emergency verifications", "didww emergency verifications --status rejected"))
@click.option(
    "--status", type=click.Choice([each.value for each in EmergencyVerificationStatus]), help="With this status only."
)
@list_options
@click.pass_obj
def verifications(session: Session, status: str | None, listing: Listing) -> None:
    """List the verifications of addresses.

    The latest comes first.
    """
    from didww.resources.emergency_verification import EmergencyVerification

    listing.print(session, EmergencyVerification, {} if status is None else {"status": status}, sort="-created_at")


@emergency.command(examples=("didww emergency wait XKQ-004821",))
@click.argument("text", metavar="REFERENCE")
@parameters.wait_option(reviews.DEFAULT_WAIT)
@click.pass_obj
def wait(session: Session, text: str, wait_limit: float) -> None:
    """Wait for the verification of an address.

    Exits with 3 if it is rejected.
    """
    from didww.resources.emergency_verification import EmergencyVerification

    endpoint = session.client.emergency_verifications()
    table = RecordTable(session.settings, EmergencyVerification)
    verification = reviews.by_reference(endpoint, text, table.includes)
    reviews.wait_for(session, endpoint, verification, wait_limit, command=WAIT)
    table.print_one(endpoint.find(verification.id, include=table.includes).data)


@emergency.command(changes=True, output=False, examples=("didww emergency cancel ECS-1234",))
@ARGUMENT
@click.pass_obj
def cancel(session: Session, text: str) -> None:
    """Cancel a service.

    Its numbers can no longer call emergency services.
    """
    client = session.client
    service = _service(client, text, ["dids", "address"])
    if str(service.status) == "canceled":
        session.say(f"{service.name} is canceled already.")
        return
    numbers = ", ".join(f"+{did.number}" for did in service.dids) or "no number"
    session.confirm(
        f"Cancels {service.name} ({service.status}).",
        f"- can no longer call emergency services: {numbers}",
        question="Cancel emergency calling?",
    )
    client.emergency_calling_services().delete(service)
    session.say(f"{service.name} was canceled.")
