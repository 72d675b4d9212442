"""`didww numbers register`: what is required, what is missing; then upload, validate, submit and wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from didww._util.shells import command_line
from didww.cli import lookups, number_types, parameters
from didww.cli.framework import Command
from didww.cli.output import RecordTable
from didww.cli.regulation import people, requirements, reviews, uploads
from didww.cli.regulation.cases import case_of, heading, listed
from didww.cli.regulation.choosing import choose_address, choose_identity, fitting_addresses, fitting_identities
from didww.cli.regulation.submission import Given, prepare, submit
from didww.resources.address_requirement import AddressRequirement

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from didww.cli.regulation.requirements import Case
    from didww.cli.session import Session
    from didww.resources.address_verification import AddressVerification
    from didww.resources.did import Did
    from didww.resources.identity import Identity

__all__ = ["register"]

WAIT: Final = "didww verifications wait"
_INCLUDES: Final = (
    "did_group.country",
    "did_group.did_group_type",
    "did_group.city",
    "did_group.address_requirement",
    "address_verification",
    "identity",
)


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww numbers register --requirements DE --type local",
        "didww numbers register +493023125010",
        "didww numbers register +493023125010 --identity Example --proof passport=1.pdf --proof utility-bill=2.pdf",
        "didww numbers register +493023125010 --identity Example --yes --no-wait -o json",
    ),
)
@parameters.numbers_argument
@click.option(
    "--requirements",
    "country",
    metavar="COUNTRY",
    shell_complete=parameters.complete_countries,
    help="Print what numbers of this country require, before you buy.",
)
@click.option("--type", "number_type", metavar="TYPE", help="With --requirements: local, mobile, toll-free and so on.")
@click.option("--check", is_flag=True, help="Only say what is missing. The default if numbers are all that is given.")
@click.option("--identity", metavar="IDENTITY", help="Person or company: id, reference, name or description.")
@click.option(
    "--address", metavar="ADDRESS", help="Id, reference, description or street. Not needed if the identity has one."
)
@click.option(
    "--proof",
    "proofs",
    type=uploads.proof_file,
    multiple=True,
    metavar="TYPE=FILE",
    help="Proof to upload, such as passport=scan.pdf; repeatable. Files of the same type are one document.",
)
@click.option(
    "--permanent", type=uploads.FILE, multiple=True, help="Completed form that is kept for the identity; repeatable."
)
@click.option(
    "--onetime", type=uploads.FILE, multiple=True, help="Completed form for this registration only; repeatable."
)
@click.option("--service-description", metavar="TEXT", help="What the numbers are used for.")
@reviews.callback_option
@click.option("--reference", metavar="TEXT", help="Your own identifier of the verification.")
@parameters.no_wait_option
@parameters.wait_option(reviews.DEFAULT_WAIT)
@click.pass_obj
def register(
    session: Session,
    number_texts: tuple[str, ...],
    country: str | None,
    number_type: str | None,
    check: bool,
    no_wait: bool,
    wait_limit: float,
    identity: str | None,
    address: str | None,
    proofs: tuple[tuple[str, Path], ...],
    permanent: tuple[Path, ...],
    onetime: tuple[Path, ...],
    service_description: str | None,
    callback_url: str | None,
    reference: str | None,
) -> None:
    """Register numbers to a person or company, where the country requires it.

    With numbers only, prints what is required and what is missing. With --identity, --address or documents, uploads
    the documents, asks, submits one verification for all numbers, and waits for the decision of DIDWW. Exits with 3
    if it is rejected. Running it again continues: nothing is uploaded or submitted twice.
    """
    given = Given(identity, address, list(proofs), permanent, onetime, service_description, callback_url, reference)
    if country is not None:
        if number_texts or not given.empty:
            raise click.UsageError("Pass either --requirements or numbers.")
        _print_requirements(session, country, number_type)
    elif number_type is not None:
        raise click.UsageError("--type goes with --requirements.")
    elif not number_texts:
        raise click.UsageError("Pass numbers, or --requirements COUNTRY.")
    elif check or (given.empty and not session.settings.yes):
        _check(session, _sort(session, number_texts), given)
    else:
        _register(session, _sort(session, number_texts), given, wait_limit, wait=not no_wait)


class _Numbers(NamedTuple):
    """Numbers by what is left to do.

    Attributes:
        other: Registered, or without need of it.
        under_review: The verifications under review of some of them.
        todo: Neither.
    """

    other: list[Did]
    under_review: list[AddressVerification]
    todo: list[Did]


def _sort(session: Session, texts: Sequence[str]) -> _Numbers:
    """Look the numbers up and say which of them need nothing."""
    from didww.resources.did import Did

    include = number_types.in_version(session.client, Did, _INCLUDES)
    dids = lookups.dids(session.client, texts, include=include)
    other = [did for did in dids if not did.awaiting_registration]
    for did in other:
        session.say(f"+{did.number} {_state(did)}.")
    waiting = {did.id: did for did in dids if did.awaiting_registration}
    under_review = _pending(session, waiting)
    for each in under_review:
        reviewed = [waiting.pop(did.id) for did in each.dids if did.id in waiting]
        session.say(f"Under review as {each.reference} since {each.created_at:%Y-%m-%d %H:%M}: {listed(reviewed)}.")
    return _Numbers(other, under_review, list(waiting.values()))


def _state(did: Did) -> str:
    registered = did.address_verification is not None or did.identity is not None
    return "is registered already" if registered else "needs no registration"


def _pending(session: Session, ids: Collection[str]) -> list[AddressVerification]:
    """Return the verifications under review that have one of the numbers."""
    if not ids:
        return []
    pending = session.client.address_verifications().iterate(filter={"status": "pending"}, include=["dids"])
    return [each for each in pending if any(did.id in ids for did in each.dids)]


def _register(session: Session, numbers: _Numbers, given: Given, wait_limit: float, *, wait: bool) -> None:
    """Submit what is left to do, wait, and print the verifications."""
    endpoint = session.client.address_verifications()
    submitted = list(numbers.under_review)
    if numbers.todo:
        submitted.append(submit(session, numbers.todo, given))
        if session.settings.dry_run:
            return
    for each in submitted:
        if wait:
            reviews.wait_for(session, endpoint, each, wait_limit, command=WAIT)
        else:
            session.say(f"To wait for the decision: {WAIT} {each.reference}")
    _print(session, [*submitted, *(did.address_verification for did in numbers.other)])


def _print(session: Session, verifications: Sequence[AddressVerification | None]) -> None:
    from didww.resources.address_verification import AddressVerification

    endpoint = session.client.address_verifications()
    table = RecordTable(session.settings, AddressVerification)
    ids = list(dict.fromkeys(each.id for each in verifications if each is not None))
    if len(ids) == 1:
        table.print_one(endpoint.find(ids[0], include=table.includes).data)
    elif ids or session.settings.output != "table":
        table.print(endpoint.iterate(filter={"id": ids}, include=table.includes) if ids else ())


def _check(session: Session, numbers: _Numbers, given: Given) -> None:
    """Print the checklist, compared with the given identity and address, or with the only ones that fit."""
    if not numbers.todo:
        _print(session, [*numbers.under_review, *(did.address_verification for did in numbers.other)])
        return
    case = case_of(session, numbers.todo)
    for did in numbers.todo:
        _say_rejected(session, did)
    case.identity = _compared(session, case, given)
    if case.identity is not None:
        fitting = fitting_addresses(case, case.identity)
        if given.address is not None or len(fitting) == 1:
            case.address = choose_address(session, case, case.identity, given.address)
        elif fitting:
            session.say(f"To compare, pass --address: {people.candidates(fitting, people.address_label)}.")
        prepare(case, given)
    session.say(heading(case, numbers.todo))
    rows = requirements.checklist(case)
    requirements.print_checklist(session.settings, rows)
    texts = " ".join(f"+{did.number}" for did in numbers.todo)
    whom = f" --identity {command_line(people.identity_label(case.identity))}" if case.identity is not None else ""
    session.say(f"To register: didww numbers register {texts}{whom} {requirements.options_of(rows)}".rstrip())


def _say_rejected(session: Session, did: Did) -> None:
    verification = did.address_verification
    if verification is not None and verification.is_rejected:
        reasons = "; ".join(verification.reject_reasons or ())
        session.say(f"+{did.number} was rejected as {verification.reference}: {reasons or 'no reason given'}.")


def _compared(session: Session, case: Case, given: Given) -> Identity | None:
    if given.identity is not None or given.address is not None:
        return choose_identity(session, case, given.identity, given.address)
    fitting = fitting_identities(session, case)
    if len(fitting) == 1:
        session.say(f"Compared with {people.identity_label(fitting[0])}, the only identity that fits.")
        return fitting[0]
    if fitting:
        session.say(f"To compare, pass --identity: {people.candidates(fitting, people.identity_label)}.")
    return None


def _print_requirements(session: Session, country: str, number_type: str | None) -> None:
    """Print what the numbers of a country require."""
    client = session.client
    place = lookups.country(client, country)
    query: dict[str, Any] = {"country.id": place.id}
    if number_type is not None:
        query |= number_types.filter_by(client, AddressRequirement, number_type)
    found: list[AddressRequirement] = list(
        client.address_requirements().iterate(
            filter=query, include=number_types.in_version(client, AddressRequirement, requirements.INCLUDES)
        )
    )
    if not found:
        kind = f" of type {number_type}" if number_type is not None else ""
        session.say(f"Numbers{kind} in {place.name} need no registration.")
    requirements.print_requirements(session.settings, found, session.now())
