"""`didww numbers register`: what is required, what is missing; then upload, validate, submit and wait."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from didww.cli import lookups, parameters
from didww.cli.framework import Command
from didww.cli.output import RecordTable, print_rows
from didww.cli.regulation import asking, people, requirements, reviews, uploads
from didww.cli.regulation.requirements import Case
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from didww.cli.session import Session
    from didww.resources.address import Address
    from didww.resources.address_requirement import AddressRequirement
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
)


@dataclasses.dataclass
class Given:
    """The options of the command.

    Attributes:
        identity: Text of `--identity`.
        address: Text of `--address`.
        proofs: Types and files of `--proof`.
        permanent: Files of `--permanent`.
        onetime: Files of `--onetime`.
        description: Text of `--service-description`.
        callback_url: URL of `--callback-url`.
        reference: Text of `--reference`.
    """

    identity: str | None
    address: str | None
    proofs: list[tuple[str, Path]]
    permanent: tuple[Path, ...]
    onetime: tuple[Path, ...]
    description: str | None
    callback_url: str | None
    reference: str | None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to submit with: only the checklist is wanted."""
        return not any(dataclasses.astuple(self))


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww numbers register --requirements DE --type local",
        "didww numbers register +493012345678",
        "didww numbers register +493012345678 --identity Example --proof passport=scan.pdf --proof utility-bill=bill.pdf",
        "didww numbers register +493012345678 --identity Example --yes --no-wait -o json",
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
@click.option("--callback-url", metavar="URL", help="URL to notify of the decision, by POST.")
@click.option("--reference", metavar="TEXT", help="Your own identifier of the verification.")
@reviews.no_wait_option
@reviews.max_wait_option
@click.pass_obj
def register(
    session: Session,
    number_texts: tuple[str, ...],
    country: str | None,
    number_type: str | None,
    no_wait: bool,
    max_wait: timedelta | None,
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
        return
    if number_type is not None:
        raise click.UsageError("--type goes with --requirements.")
    if not number_texts:
        raise click.UsageError("Pass numbers, or --requirements COUNTRY.")
    table = RecordTable(session.settings, _verification_class())
    dids = lookups.dids(session.client, number_texts, include=_INCLUDES)
    waiting = [did for did in dids if did.awaiting_registration]
    for did in dids:
        if not did.awaiting_registration:
            session.say(f"+{did.number} {_state(did)}.")
    under_review = _pending(session, waiting)
    reviewed = {did.id for each in under_review for did in each.dids}
    todo = [did for did in waiting if did.id not in reviewed]
    for each in under_review:
        numbers = _listed([did for did in waiting if did.id in {other.id for other in each.dids}])
        session.say(f"{numbers} under review already: {each.reference}, submitted {each.created_at:%Y-%m-%d %H:%M}.")
    if todo and given.empty and not session.settings.yes:
        _print_checklist(session, todo)
        return
    submitted = [*under_review, *([_submit(session, todo, given)] if todo else [])]
    if session.settings.dry_run and todo:
        return
    if not no_wait and not (given.empty and not session.settings.yes):
        for each in submitted:
            reviews.wait_for(session, session.client.address_verifications(), each, max_wait, command=WAIT)
    elif submitted:
        session.say(f"To wait for the decision: {WAIT} {submitted[-1].reference}")
    _print(session, table, [*submitted, *(did.address_verification for did in dids if did not in waiting)])


def _verification_class() -> type[AddressVerification]:
    from didww.resources.address_verification import AddressVerification

    return AddressVerification


def _print(session: Session, table: RecordTable, verifications: Sequence[AddressVerification | None]) -> None:
    endpoint = session.client.address_verifications()
    ids = list(dict.fromkeys(each.id for each in verifications if each is not None))
    if len(ids) == 1:
        table.print_one(endpoint.find(ids[0], include=table.includes).data)
    elif ids or session.settings.output != "table":
        table.print(endpoint.iterate(filter={"id": ids}, include=table.includes) if ids else ())


def _state(did: Did) -> str:
    group = did.did_group
    needed = group is not None and group.address_requirement is not None
    return "is registered" if needed or did.address_verification is not None else "needs no registration"


def _listed(dids: Sequence[Did]) -> str:
    numbers = ", ".join(f"+{did.number}" for did in dids[:5])
    more = f" and {len(dids) - 5} more" if len(dids) > 5 else ""
    return f"{numbers}{more} {'is' if len(dids) == 1 else 'are'}"


def _pending(session: Session, dids: Sequence[Did]) -> list[AddressVerification]:
    """Return the verifications under review that have one of the numbers."""
    if not dids:
        return []
    ids = {did.id for did in dids}
    pending = session.client.address_verifications().iterate(filter={"status": "pending"}, include=["dids"])
    return [each for each in pending if ids & {did.id for did in each.dids}]


# Requirements


def _print_requirements(session: Session, country: str, number_type: str | None) -> None:
    client = session.client
    place = lookups.country(client, country)
    query: dict[str, Any] = {"country.id": place.id}
    if number_type is not None:
        query["did_group_type.id"] = lookups.number_type(client, number_type).id
    found: list[AddressRequirement] = list(
        client.address_requirements().iterate(filter=query, include=requirements.INCLUDES)
    )
    if not found:
        kind = f" of type {number_type}" if number_type is not None else ""
        session.say(f"Numbers{kind} in {place.name} need no registration.")
    rows: list[dict[str, Any]] = []
    for requirement in found:
        name = requirement.did_group_type.name if requirement.did_group_type is not None else ""
        lines = requirements.checklist(Case(requirement, "", session.now()))
        rows += [{"type": name, "item": row.item, "required": row.required} for row in lines]
    types = {row["type"] for row in rows}
    names = ["type", "item", "required"] if len(types) > 1 else ["item", "required"]
    print_rows(session.settings, rows, names)


def _print_checklist(session: Session, dids: Sequence[Did]) -> None:
    case = _case(session, dids)
    client = session.client
    accepted = requirements.kinds_of(case.requirement)
    include = [*people.IDENTITY_INCLUDES, "addresses.proofs.proof_type"]
    known: list[Identity] = list(client.identities().iterate(include=include, limit=100))
    fitting = [each for each in known if each.identity_type.value in accepted]
    if len(fitting) == 1:
        case.identity = fitting[0]
        addresses = _addresses(case, fitting[0])
        case.address = addresses[0] if len(addresses) == 1 else None
        session.say(f"Compared with {people.identity_label(fitting[0])}, the only identity that fits.")
    elif fitting:
        names = people.candidates(fitting, people.identity_label)
        session.say(f"To compare with an identity, pass --identity: {names}.")
    session.say(f"{_heading(case, dids)}:")
    print_rows(session.settings, [row.named() for row in requirements.checklist(case)], requirements.NAMES)
    numbers = " ".join(f"+{did.number}" for did in dids)
    whom = shlex.quote(people.identity_label(case.identity)) if case.identity is not None else "IDENTITY"
    session.say(f"To register: didww numbers register {numbers} --identity {whom} ...")


def _heading(case: Case, dids: Sequence[Did]) -> str:
    kind, country = case.requirement.did_group_type, case.requirement.country
    what = ", ".join(each.name for each in (country, kind) if each is not None)
    return f"Registration of {_listed(dids).rpartition(' ')[0]} ({what})"


def _case(session: Session, dids: Sequence[Did]) -> Case:
    """Return the requirement that the numbers share.

    Raises:
        UsageError: They have several.
    """
    groups: dict[tuple[str, str], list[Did]] = {}
    for did in dids:
        groups.setdefault(_key(did), []).append(did)
    if len(groups) > 1:
        lines = "\n".join(
            f"- {_place(group[0])}: {' '.join(f'+{did.number}' for did in group)}" for group in groups.values()
        )
        raise click.UsageError(
            f"The numbers have different requirements. Register each of these groups by itself:\n{lines}\n"
        )
    ((id, area),) = groups
    if not id:
        raise NotExactlyOneError(f"DIDWW lists no requirement for {_listed(dids).rpartition(' ')[0]}.")
    requirement = session.client.address_requirements().find(id, include=requirements.INCLUDES).data
    return Case(requirement, area, session.now())


def _key(did: Did) -> tuple[str, str]:
    """Return the requirement of a number and, if the address must be near it, its area."""
    group = did.did_group
    requirement = group.address_requirement if group is not None else None
    if group is None or requirement is None:
        return "", ""
    return requirement.id, group.area_name if str(requirement.address_area_level) in ("area", "city") else ""


def _place(did: Did) -> str:
    group = did.did_group
    if group is None:
        return "unknown"
    parts = (group.country, group.did_group_type)
    return ", ".join([*(part.name for part in parts if part is not None), group.area_name])


# Submission


def _submit(session: Session, dids: Sequence[Did], given: Given) -> AddressVerification:
    """Upload documents, validate, ask and submit; return the verification."""
    case = _case(session, dids)
    case.identity = _identity(session, case, given)
    case.address = _address(session, case, given, case.identity)
    kind = case.identity.identity_type.value
    _refuse_unneeded(case, given, kind)
    documents = _complete(session, case, given, kind)
    new = [document for document in documents if not document.is_stored()]
    if not new:
        _validate(session, case)
    verification = _verification(session, dids, case, given)
    session.confirm(
        f"{_heading(case, dids)}:",
        f"- to {people.identity_label(case.identity)}, {people.address_label(case.address)}",
        *(f"- uploads {document.kind.name}: {document.names}" for document in new),
        *(f"- has {document.kind.name} already: {document.names}" for document in documents if document not in new),
        *(f"- with the form {path.name}" for path in given.onetime),
        *([f"- used for: {case.description}"] if case.description else []),
        question="Submit the registration?",
    )
    for document in new:
        document.store(session)
        session.known.append(f"{document.kind.name} is stored. Run the command again to go on.")
    if new and not session.settings.dry_run:
        _validate(session, case)
    created: AddressVerification = uploads.create_record(
        session, session.client.address_verifications(), verification, "onetime_files", given.onetime
    )
    session.known.clear()
    if not session.settings.dry_run:
        session.say(f"Verification {created.reference} was submitted.")
    return created


def _identity(session: Session, case: Case, given: Given) -> Identity:
    """Return the identity of `--identity`, or of `--address`, or the one chosen in the terminal."""
    client = session.client
    if given.identity is not None:
        return people.identity(client, given.identity, [*people.IDENTITY_INCLUDES, "addresses.proofs.proof_type"])
    if given.address is not None:
        of = people.address(client, given.address, ["identity"]).identity
        return people.identity(client, of.id, [*people.IDENTITY_INCLUDES, "addresses.proofs.proof_type"])
    accepted = requirements.kinds_of(case.requirement)
    include = [*people.IDENTITY_INCLUDES, "addresses.proofs.proof_type"]
    known = [
        each
        for each in client.identities().iterate(include=include, limit=asking.MAX_CHOICES)
        if each.identity_type.value in accepted
    ]
    if not known:
        what = " or ".join(requirements.PERSON_OR_COMPANY[kind] for kind in accepted)
        raise click.UsageError(f"The account has no identity of a {what}. Create one: didww identities create")
    chosen: Identity = asking.choose(session, "--identity", "Register to which identity", known, people.identity_label)
    return chosen


def _addresses(case: Case, identity: Identity) -> list[Address]:
    """Return the addresses of an identity that are in the required country."""
    probe = dataclasses.replace(case)
    return [each for each in identity.addresses if _fits(probe, each)]


def _fits(case: Case, address: Address) -> bool:
    country = case.requirement.country
    anywhere = str(case.requirement.address_area_level) in ("world_wide", "None") or country is None
    return anywhere or address.country.id == country.id  # type: ignore[union-attr]


def _address(session: Session, case: Case, given: Given, identity: Identity) -> Address:
    """Return the address of `--address`, or the only one that fits, or the one chosen in the terminal."""
    client = session.client
    name = people.identity_label(identity)
    if given.address is not None:
        address = people.address(client, given.address, people.ADDRESS_INCLUDES)
        if address.identity.id != identity.id:
            raise click.UsageError(
                f"--address: {people.address_label(address)} belongs to {people.identity_label(address.identity)}, "
                f"not to {name}."
            )
        return address
    fitting = _addresses(case, identity)
    country = case.requirement.country
    if not fitting:
        where = f" in {country.name}" if country is not None else ""
        raise click.UsageError(
            f"{name} has no address{where}. Create one: didww addresses create --identity {shlex.quote(name)} "
            f"--country {country.iso if country is not None else 'COUNTRY'} --city CITY --postal-code CODE "
            "--street STREET"
        )
    if len(fitting) == 1:
        return fitting[0]
    chosen: Address = asking.choose(session, "--address", "Register at which address", fitting, people.address_label)
    return chosen


def _refuse_unneeded(case: Case, given: Given, kind: str) -> None:
    """Refuse options that DIDWW would reject."""
    requirement = case.requirement
    if given.description and not requirement.service_description_required:
        raise click.UsageError("--service-description is not required for these numbers, and DIDWW would reject it.")
    for option, files, name in (("onetime", given.onetime, "onetime"), ("permanent", given.permanent, "permanent")):
        if files and requirements.of_kind(requirement, kind, f"{name}_document") is None:
            raise click.UsageError(
                f"--{option}: no such form is required for a {requirements.PERSON_OR_COMPANY[kind]}."
            )


def _documents(case: Case, given: Given, kind: str) -> list[uploads.Document]:
    """Return the documents of the options; files of one type are one document."""
    requirement, identity, address = case.requirement, case.identity, case.address
    files: dict[str, tuple[Any, Any, list[Path]]] = {}
    own = requirements.of_kind(requirement, kind, "proof_types")
    for text, path in given.proofs:
        of_identity = uploads.kind_named(own, text)
        found = of_identity or uploads.kind_named(requirement.address_proof_types, text)
        if found is None:
            found = uploads.type_named([*own, *requirement.address_proof_types], text, "accepted proof")
        owner = identity if of_identity is not None else address
        files.setdefault(found.id, (found, owner, []))[2].append(path)
    if given.permanent:
        form = requirements.of_kind(requirement, kind, "permanent_document")
        files[form.id] = (form, identity, list(given.permanent))
    documents = [uploads.document(*each) for each in files.values()]
    case.description = given.description
    case.permanent, case.onetime = bool(given.permanent), bool(given.onetime)
    case.proofs = {document.kind.id for document in documents}
    return documents


def _complete(session: Session, case: Case, given: Given, kind: str) -> list[uploads.Document]:
    """Ask for what is missing, in a terminal, and return the documents.

    Raises:
        UsageError: Something is missing.
    """
    documents = _documents(case, given, kind)
    while missing := _missing(case):
        if not asking.is_possible(session) or any(row.option not in _ASKABLE for row in missing):
            _fail(missing)
        _ask(session, case, given, missing[0], kind)
        documents = _documents(case, given, kind)
    return documents


_ASKABLE: Final = ("--service-description", "--onetime", "--permanent", "--proof")


def _ask(session: Session, case: Case, given: Given, row: requirements.Row, kind: str) -> None:
    if row.option == "--service-description":
        given.description = asking.text("What are the numbers used for")
    elif row.option == "--onetime":
        given.onetime = (asking.file(f"Completed form {row.required}"),)
    elif row.option == "--permanent":
        given.permanent = (asking.file(f"Completed form {row.required}"),)
    else:
        of = "address" if row.item == requirements.PROOF_OF_ADDRESS else kind
        types = [
            each for each in requirements.of_kind(case.requirement, of, "proof_types") if each.id not in case.proofs
        ]
        chosen = asking.choose(session, row.option, row.item, types, lambda each: str(each.name))
        given.proofs.append((chosen.name, asking.file(chosen.name)))


def _missing(case: Case) -> list[requirements.Row]:
    return [row for row in requirements.checklist(case) if row.status == requirements.MISSING]


def _fail(missing: Sequence[requirements.Row]) -> NoReturn:
    lines = "\n".join(f"- {row.item}: {row.required}. {row.todo}" for row in missing)
    raise click.UsageError(f"Nothing was submitted, because this is missing:\n{lines}\n")


def _validate(session: Session, case: Case) -> None:
    """Have DIDWW compare identity and address with the requirement."""
    from didww.resources.address_requirement_validation import AddressRequirementValidation

    validation = AddressRequirementValidation(
        address_requirement=case.requirement, identity=case.identity, address=case.address
    )
    session.client.address_requirement_validations().create(validation)


def _verification(session: Session, dids: Sequence[Did], case: Case, given: Given) -> AddressVerification:
    from didww.enums import CallbackMethod

    verification = _verification_class()(
        address=case.address, dids=list(dids), external_reference_id=given.reference or _reference(session, dids)
    )
    if case.description:
        verification.service_description = case.description
    if given.callback_url is not None:
        verification.callback_url = given.callback_url
        verification.callback_method = CallbackMethod.POST
    return verification


def _reference(session: Session, dids: Sequence[Did]) -> str:
    """Return a reference made from the numbers and the count of their earlier verifications.

    The same command has the same reference until the verification is decided.
    """
    digest = hashlib.sha256(" ".join(sorted(did.id for did in dids)).encode()).hexdigest()[:24]
    endpoint = session.client.address_verifications()
    attempt = 1
    while endpoint.list(filter={"external_reference_id": f"didww-cli-{digest}-{attempt}"}).data:
        attempt += 1
    return f"didww-cli-{digest}-{attempt}"
