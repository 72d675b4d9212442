"""Registration of numbers: requirement validations and address verifications.

A verification is approved automatically soon after it is submitted. The texts of conflicts are the emulator's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.files import attach
from didww.emulator.behaviors.requirements import MANDATORY_FIELDS
from didww.emulator.engine.errors import HttpError, conflict, relationship_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = [
    "AddressVerifications",
    "Addresses",
    "Identities",
    "PermanentDocuments",
    "Proofs",
    "Validations",
    "check",
    "reference",
    "register",
    "rejection_fields",
]

SECONDS_TO_APPROVE = 0.5


class Validations(Behavior):
    """Validate an identity, an address or both; nothing is stored.

    Args:
        requirement: Name of the relationship to the requirement.
        requirements: Type of the requirements.
    """

    stored = False

    def __init__(self, requirement: str, requirements: str) -> None:
        self._requirement = requirement
        self._requirements = requirements

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Report everything that is missing; the response has the requirement's id."""
        identity, address = record["identity"], record["address"]
        if identity is None and address is None:
            raise relationship_error("identity", "can't be blank")
        requirement = session.get(self._requirements, record[self._requirement])
        assert requirement is not None  # noqa: S101 checked with the body
        record["id"] = requirement["id"]
        check(
            session,
            requirement,
            None if identity is None else session.get("identities", identity),
            None if address is None else session.get("addresses", address),
        )


class AddressVerifications(Behavior):
    """Verifications, approved automatically."""

    steps = ((SECONDS_TO_APPROVE, "approve"),)
    outcomes = ("approve", "reject")
    undecided = frozenset({"pending"})

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check the requirements of the numbers."""
        address = session.get("addresses", record["address"])
        assert address is not None  # noqa: S101 checked with the body
        identity = session.get("identities", address["identity"])
        for requirement in _requirements(session, record["dids"]):
            check(session, requirement, identity, address)
            _check_documents(record, requirement, identity)
        attach(session, record, "onetime_files")
        record.update(status="pending", reference=reference(session, "AV"))

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Schedule the decision."""
        session.start_transitions("address_verifications", {"id": record["id"]})

    def after_seed(self, session: AccountSession, record: Record) -> None:
        """Register the numbers of an approved verification."""
        if record["status"] == "approved":
            _register_all(session, record)

    def due(self, session: AccountSession, name: str, payload: Any) -> None:
        """Approve (register the numbers) or reject."""
        verification = session.get("address_verifications", payload["id"])
        if verification is None or verification["status"] != "pending":
            return
        if name == "reject":
            session.update("address_verifications", payload["id"], rejection_fields(payload))
            return
        session.update("address_verifications", payload["id"], {"status": "approved"})
        _register_all(session, verification)


class Identities(Behavior):
    """Identities."""

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete an identity in use, or with an address in use."""
        if session.count("dids", identity=record["id"]):
            raise conflict("The identity cannot be removed while a number is registered to it")
        for address in session.related("identities", record["id"], "addresses"):
            _check_not_in_use(session, address)

    def attributes(self, session: AccountSession, record: Record) -> None:
        """Set whether a number is registered to it."""
        record["verified"] = session.count("dids", identity=record["id"]) > 0


class Addresses(Behavior):
    """Addresses of identities."""

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete an address in use."""
        _check_not_in_use(session, record["id"])

    def attributes(self, session: AccountSession, record: Record) -> None:
        """Set whether a number is registered to it."""
        record["verified"] = session.count("dids", address=record["id"]) > 0


class Proofs(Behavior):
    """Proofs of identities and addresses."""

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check that the proof type fits the entity."""
        proves = (session.get("proof_types", record["proof_type"]) or {})["entity_type"]
        entity = session.get(record["entity_type"], record["entity"]) or {}
        kinds = {"identities": str(entity.get("identity_type", "")).capitalize(), "addresses": "Address"}
        if kinds[record["entity_type"]] != proves:
            raise relationship_error("proof_type")
        attach(session, record, "files")

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete a document that a review needs."""
        of_address = record["entity_type"] == "addresses"
        kind = "address" if of_address else (session.get("identities", record["entity"]) or {})["identity_type"]
        addresses = [record["entity"]] if of_address else session.related("identities", record["entity"], "addresses")
        for requirement in _under_review(session, addresses):
            types = session.related("address_requirements", requirement["id"], f"{kind}_proof_types")
            if requirement[f"{kind}_proof_qty"] and record["proof_type"] in types:
                raise _needed_error("proof")


class PermanentDocuments(Behavior):
    """Permanent supporting documents, one per identity and template."""

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Attach its files."""
        attach(session, record, "files")

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Remove the document that it replaces."""
        same = {"identity": record["identity"], "template": record["template"]}
        for document in session.find("permanent_supporting_documents", **same):
            if document["id"] != record["id"]:
                session.delete("permanent_supporting_documents", document["id"])

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete a document that a review needs."""
        kind = (session.get("identities", record["identity"]) or {})["identity_type"]
        for requirement in _under_review(session, session.related("identities", record["identity"], "addresses")):
            if requirement[f"{kind}_permanent_document"] == record["template"]:
                raise _needed_error("supporting document")


def register(session: AccountSession, did: str, address: Record) -> None:
    """Register a number with an approved address."""
    changes = {
        "awaiting_registration": False,
        "blocked": False,
        "identity": address["identity"],
        "address": address["id"],
    }
    session.update("dids", did, changes)


def _register_all(session: AccountSession, verification: Record) -> None:
    address = session.get("addresses", verification["address"]) or {}
    for did in session.related("address_verifications", verification["id"], "dids"):
        register(session, did, address)


def rejection_fields(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a rejected verification."""
    reasons = list(payload.get("reasons") or ()) or ["Rejected"]
    return {"status": "rejected", "reject_reasons": reasons, "reject_comment": payload.get("comment")}


def _check_not_in_use(session: AccountSession, address: str) -> None:
    """Refuse to delete an address that a review or an emergency calling service uses."""
    for type in ("address_verifications", "emergency_verifications"):
        if session.count(type, address=address, status="pending"):
            raise conflict("The address cannot be removed while its verification is pending")
    living = ("new", "in_process", "active", "changes_required", "pending_update")
    if session.count("emergency_calling_services", address=address, status=living):
        raise conflict("The address cannot be removed while an emergency calling service uses it")


def _under_review(session: AccountSession, addresses: Iterable[str]) -> Iterator[Record]:
    """Yield the requirements of pending reviews of these addresses."""
    for verification in session.find("address_verifications", address=list(addresses), status="pending"):
        yield from _requirements(session, session.related("address_verifications", verification["id"], "dids"))


def _needed_error(what: str) -> HttpError:
    text = f"The {what} cannot be removed while a verification that needs it is under review"
    return HttpError(422, text, text, "/data")


def check(session: AccountSession, requirement: Record, identity: Record | None, address: Record | None) -> None:
    """Check an identity and address against a requirement.

    Raises:
        HttpError: Something is missing; each error points to the whole request.
    """
    if identity is not None and address is not None and address["identity"] != identity["id"]:
        raise relationship_error("address")
    country = session.get("countries", requirement["country"]) or {}
    lacking = [
        *(_missing_for_identity(session, requirement, identity, country) if identity is not None else ()),
        *(_missing_for_address(session, requirement, address, country) if address is not None else ()),
    ]
    if lacking:
        raise HttpError.combine(HttpError(422, text, text, "/data") for text in lacking)


def reference(session: AccountSession, letters: str) -> str:
    """Return a new human-readable reference."""
    return f"{letters}-{session.rng.randrange(10**4, 10**6)}"


def _missing_for_identity(
    session: AccountSession, requirement: Record, identity: Record, country: Record
) -> Iterator[str]:
    kind: str = identity["identity_type"]
    if requirement["identity_type"] not in ("any", kind):
        yield f"{requirement['identity_type'].capitalize()} Identity required"
        return
    if requirement[f"{kind}_area_level"] != "world_wide" and identity["country"] != country.get("id"):
        yield f"Identity in {country.get('name')} required"
    for field in requirement[f"{kind}_mandatory_fields"] or ():
        if not identity.get(_attribute(field)):
            yield f"{_label(field)} is required for {kind.capitalize()} Identity"
    yield from _missing_proofs(session, requirement, kind, identity["id"], "Identity")
    form = requirement.get(f"{kind}_permanent_document")
    if form and not session.count("permanent_supporting_documents", identity=identity["id"], template=form):
        template = session.get("supporting_document_templates", form) or {}
        yield f"Following Supporting Document(s) required ({template.get('name')})"


def _attribute(field: str) -> str:
    """Return the attribute or relationship of a mandatory field."""
    return MANDATORY_FIELDS.get(field) or field


def _label(field: str) -> str:
    return field if field in MANDATORY_FIELDS else field.replace("_", " ").title()


def _missing_for_address(
    session: AccountSession, requirement: Record, address: Record, country: Record
) -> Iterator[str]:
    if requirement["address_area_level"] != "world_wide" and address["country"] != country.get("id"):
        yield f"Address in {country.get('name')} required"
    for field in requirement.get("address_mandatory_fields") or ():
        if not address.get(_attribute(field)):
            yield f"{_label(field)} is required for Address"
    yield from _missing_proofs(session, requirement, "address", address["id"], "Address")


def _missing_proofs(session: AccountSession, requirement: Record, kind: str, entity: str, label: str) -> Iterator[str]:
    needed = requirement.get(f"{kind}_proof_qty") or 0
    if not needed:  # emergency requirements have no proofs
        return
    types = session.related("address_requirements", requirement["id"], f"{kind}_proof_types")
    if session.count("proofs", entity=entity, proof_type=types) < needed:
        names = ", ".join(proof_type["name"] for proof_type in session.find("proof_types", id=types))
        yield f"{needed} {label} Proof(s) ({names}) required"


def _requirements(session: AccountSession, dids: list[str]) -> list[Record]:
    """Return the address requirements of some numbers."""
    records: dict[str, Record] = {}
    for did in dids:
        group = session.get("did_groups", (session.get("dids", did) or {}).get("did_group")) or {}
        requirement = session.get("address_requirements", group.get("address_requirement"))
        if requirement is not None:
            records[requirement["id"]] = requirement
    return list(records.values())


def _check_documents(record: Record, requirement: Record, identity: Record | None) -> None:
    kind = (identity or {}).get("identity_type", "personal")
    wants_form, wants_text = requirement[f"{kind}_onetime_document"], requirement["service_description_required"]
    checks = {
        "one-time document is required": wants_form and not record["onetime_files"],
        "one-time document is not needed": not wants_form and record["onetime_files"],
        "service description is required": wants_text and not record["service_description"],
        "service description is not needed": not wants_text and record["service_description"],
    }
    errors = [HttpError(422, text, text, "/data") for text, wrong in checks.items() if wrong]
    if errors:
        raise HttpError.combine(errors)
