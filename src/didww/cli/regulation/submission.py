"""Submit the registration of numbers: upload documents, validate, ask, and create one verification."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from didww.cli.regulation import asking, people, requirements, uploads
from didww.cli.regulation.cases import case_of, heading
from didww.cli.regulation.choosing import choose_address, choose_identity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from didww.cli.regulation.requirements import Case
    from didww.cli.session import Session
    from didww.resources.address_verification import AddressVerification
    from didww.resources.did import Did

__all__ = ["Given", "prepare", "submit"]


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


def submit(session: Session, dids: Sequence[Did], given: Given) -> AddressVerification:
    """Upload documents, validate, ask and submit; return the verification."""
    if given.reference is not None and not given.reference.strip():
        raise click.UsageError("--reference must not be empty. Is a variable not set?")
    case = case_of(session, dids)
    case.identity = choose_identity(session, case, given.identity, given.address)
    case.address = choose_address(session, case, case.identity, given.address)
    kind = case.identity.identity_type.value
    _refuse_unneeded(case, given, kind)
    documents = _complete(session, case, given, kind)
    new = [document for document in documents if not document.is_stored()]
    if not new:
        _validate(session, case)
    verification = _verification(session, dids, case, given)
    session.confirm(
        heading(case, dids),
        f"- to {people.identity_label(case.identity)}, {people.address_label(case.address)}",
        *(f"- uploads {document.kind.name}: {document.names}" for document in new),
        *(f"- has {document.kind.name} already: {document.names}" for document in documents if document not in new),
        *(f"- with the form {path.name}" for path in given.onetime),
        *([f"- used for: {case.description}"] if case.description else []),
        *(f"Check: {row.required} is required. {row.todo}" for row in _rows(case, requirements.CHECK)),
        question="Submit the registration?",
    )
    if new:
        session.advice.append("To continue, run the same command again. What is stored stays so.")
    for document in new:
        document.store(session)
        session.known.append(f"{document.kind.name} is stored.")
    if new and not session.settings.dry_run:
        _validate(session, case)
    created: AddressVerification = uploads.create_record(
        session, session.client.address_verifications(), verification, "onetime_files", given.onetime
    )
    session.known.clear()
    session.advice.clear()
    if not session.settings.dry_run:
        session.say(f"Verification {created.reference} was submitted.")
    return created


def _refuse_unneeded(case: Case, given: Given, kind: str) -> None:
    """Refuse options that DIDWW would reject."""
    requirement = case.requirement
    if given.description and not requirement.service_description_required:
        raise click.UsageError("--service-description is not required for these numbers, and DIDWW would reject it.")
    for name, files in (("onetime", given.onetime), ("permanent", given.permanent)):
        if files and requirements.of_kind(requirement, kind, f"{name}_document") is None:
            whom = requirements.PERSON_OR_COMPANY[kind]
            raise click.UsageError(f"--{name}: no such form is required for a {whom}.")


def prepare(case: Case, given: Given) -> list[uploads.Document]:
    """Note in the case what is given, and return the documents of the options; files of one type are one document.

    Raises:
        NotExactlyOneError: No such proof is accepted.
    """
    requirement, identity, address = case.requirement, case.identity, case.address
    kind = requirements.kinds_of(requirement, identity)[0]
    files: dict[str, tuple[Any, Any, list[Path]]] = {}
    own = requirements.of_kind(requirement, kind, "proof_types")
    for text, path in given.proofs:
        of_identity = uploads.kind_named(own, text)
        found = of_identity or uploads.kind_named(requirement.address_proof_types, text)
        if found is None:
            found = uploads.type_named([*own, *requirement.address_proof_types], text, "accepted proof")
        owner = identity if of_identity is not None else address
        files.setdefault(found.id, (found, owner, []))[2].append(path)
    form = requirements.of_kind(requirement, kind, "permanent_document")
    if given.permanent and form is not None:
        files[form.id] = (form, identity, list(given.permanent))
    case.description = given.description
    case.permanent, case.onetime = bool(given.permanent), bool(given.onetime)
    case.proofs = set(files)
    return [uploads.document(found, owner, paths) for found, owner, paths in files.values() if owner is not None]


def _complete(session: Session, case: Case, given: Given, kind: str) -> list[uploads.Document]:
    """Ask for what is missing, in a terminal, and return the documents.

    Raises:
        UsageError: Something is missing.
    """
    documents = prepare(case, given)
    while missing := _rows(case, requirements.MISSING):
        if not asking.is_possible(session) or any(row.option not in _ASKABLE for row in missing):
            _fail(session, missing)
        _ask(session, case, given, missing[0], kind)
        documents = prepare(case, given)
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


def _rows(case: Case, status: str) -> list[requirements.Row]:
    return [row for row in requirements.checklist(case) if row.status == status]


def _fail(session: Session, missing: Sequence[requirements.Row]) -> NoReturn:
    for row in missing:
        for line in requirements.lines_of(row):
            session.say(line)
    options = ", ".join(dict.fromkeys(row.option for row in missing if row.option))
    passed = f" Pass {options}." if options else ""
    raise click.UsageError(f"Nothing was submitted, because the above is missing.{passed}")


def _validate(session: Session, case: Case) -> None:
    """Have DIDWW compare identity and address with the requirement."""
    from didww.resources.address_requirement_validation import AddressRequirementValidation

    validation = AddressRequirementValidation(
        address_requirement=case.requirement, identity=case.identity, address=case.address
    )
    session.client.address_requirement_validations().create(validation)


def _verification(session: Session, dids: Sequence[Did], case: Case, given: Given) -> AddressVerification:
    from didww.enums import CallbackMethod
    from didww.resources.address_verification import AddressVerification

    verification = AddressVerification(
        dids=list(dids), external_reference_id=given.reference or _reference(session, dids)
    )
    if case.address is not None:
        verification.address = case.address
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
