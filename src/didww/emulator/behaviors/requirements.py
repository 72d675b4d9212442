"""Proof types, document templates, and the address and emergency requirements of countries.

Proof types are some of the service's (recorded), templates are the emulator's own, and requirements are drawn from the
seed, one per country and number type that needs it. Some accept only persons or only companies: the area level of the
other identity type is null. Sources: the files of these types in `tests/contract/facts/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.emulator.behaviors.base import Behavior
from didww.emulator.engine import queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["MANDATORY_FIELDS", "AddressRequirements", "EmergencyRequirements", "ProofTypes", "Templates"]

_PROOFS: Final = {
    "Personal": ("Passport", "National ID", "Drivers License"),
    "Business": ("Trade License", "Excerpt from the commercial register"),
    "Address": ("Utility Bill", "Copy of Phone Bill", "Rental Receipt"),
}
_PERMANENT: Final = ("Declaration of Consent", "Business Declaration")
_ONETIME: Final = ("Number Assignment Form", "Letter of Authorization")
MANDATORY_FIELDS: Final = {
    "Birth Date": "birth_date",
    "Company ID": "company_reg_number",
    "Company Representative Date of Birth": "birth_date",
    "Contact email": "contact_email",
    "Country of Tax Residence": "country",
    "ID Number": "id_number",
    "Personal Tax ID": "personal_tax_id",
    "Representative Tax ID": "personal_tax_id",
    "State/Province/Region": "area",
    "VAT Number / TAX Code": "vat_id",
}
"""Mandatory fields of emergency requirements: labels of version 2026-04-16, and the attributes they stand for."""
_NAMES_SINCE: Final = "2026-11-19"
_TAKEN: Final = (*("any",) * 6, "personal", "business")
"""Accepted identity types, weighted."""


class ProofTypes(Behavior):
    """Proof types."""

    def rows(self, session: AccountSession) -> Iterable[Record]:
        """Return the shared records."""
        for entity, names in _PROOFS.items():
            for name in names:
                yield {"id": _proof_type(session, entity, name), "name": name, "entity_type": entity}


class Templates(Behavior):
    """Supporting document templates."""

    def rows(self, session: AccountSession) -> Iterable[Record]:
        """Return the shared records."""
        for permanent, names in ((True, _PERMANENT), (False, _ONETIME)):
            for name in names:
                file = name.lower().replace(" ", "-")
                yield {
                    "id": _template(session, name),
                    "name": name,
                    "permanent": permanent,
                    "url": f"https://forms.example.com/{file}.pdf",
                }


class AddressRequirements(Behavior):
    """One per country and number type that needs registration."""

    def rows(self, session: AccountSession) -> Iterable[Record]:
        """Return the requirements, drawn by their ids."""
        for id, country, type, number_type in _pairs(session, "address_requirements", "needs_registration"):
            draw = int(id[:8], 16)
            taken = _TAKEN[(draw >> 8) % len(_TAKEN)]
            barred = {"personal": "business", "business": "personal"}.get(taken)
            for proven, names in (("personal", "Personal"), ("business", "Business"), ("address", "Address")):
                proof_names = () if proven == barred else _PROOFS[names]
                session.runtime.store.link(
                    id, f"{proven}_proof_types", [_proof_type(session, names, name) for name in proof_names]
                )
            permanent, onetime = draw % 3 == 0, draw % 4 == 0
            asks: Record = {
                "id": id,
                "identity_type": taken,
                "personal_area_level": "world_wide",
                "business_area_level": "country" if draw % 2 else "world_wide",
                "address_area_level": "country",
                "personal_proof_qty": 1,
                "business_proof_qty": 1,
                "address_proof_qty": 1,
                "personal_mandatory_fields": ["birth_date"] if draw % 2 else None,
                "business_mandatory_fields": ["company_reg_number"] if draw % 5 else ["company_reg_number", "vat_id"],
                "service_description_required": draw % 6 == 0,
                "restriction_message": "The end user has to have an address in the country.",
                "country": country,
                "did_group_type": type,
                "number_type": number_type,
                "personal_permanent_document": _template(session, _PERMANENT[0]) if permanent else None,
                "business_permanent_document": _template(session, _PERMANENT[1]) if permanent else None,
                "personal_onetime_document": _template(session, _ONETIME[0]) if onetime else None,
                "business_onetime_document": _template(session, _ONETIME[1]) if onetime else None,
            }
            # A null area level means that this identity type is not accepted.
            nothing = {name: 0 if name.endswith("_qty") else None for name in asks if name.startswith(f"{barred}_")}
            yield asks | nothing


class EmergencyRequirements(Behavior):
    """One per country and number type with emergency calling."""

    def rows(self, session: AccountSession) -> Iterable[Record]:
        """Return the requirements, drawn by their ids; each has a rate."""
        for id, country, type, number_type in _pairs(
            session, "emergency_requirements", "features LIKE '%\"emergency\"%'"
        ):
            draw = int(id[:8], 16)
            yield {
                "id": id,
                "identity_type": "any",
                "personal_area_level": "world_wide",
                "business_area_level": "world_wide",
                "address_area_level": "country",
                "personal_mandatory_fields": ["Birth Date"] if draw % 2 else [],
                "business_mandatory_fields": ["Company ID", "Country of Tax Residence"] if draw % 2 else [],
                "address_mandatory_fields": [],
                "estimate_setup_time": ("1", "7-14 days", "3 business days")[draw % 3],
                "requirement_restriction_message": None,
                "country": country,
                "did_group_type": type,
                "number_type": number_type,
            }

    def attributes(self, session: AccountSession, record: Record) -> None:
        """Name the mandatory fields as the API version does: by labels before 2026-11-19."""
        if session.version is not None and session.version >= _NAMES_SINCE:
            for name in ("personal_mandatory_fields", "business_mandatory_fields", "address_mandatory_fields"):
                fields = record[name]
                record[name] = None if fields is None else [MANDATORY_FIELDS.get(label, label) for label in fields]

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:  # noqa: ARG002 drawn by the id
        """Return its prices."""
        return {"setup_price": "0.0", "monthly_price": f"{1 + int(record['id'][:8], 16) % 3}.50"}


def _pairs(session: AccountSession, requirement: str, condition: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield id, country and type (id, and `number_type`) of each requirement."""
    for country, type, number_type in queries.requirement_pairs(session, condition):
        yield session.catalog.id_of(requirement, f"{country}/{type}"), country, type, number_type


def _proof_type(session: AccountSession, entity: str, name: str) -> str:
    return session.catalog.id_of("proof_types", f"{entity}/{name}")


def _template(session: AccountSession, name: str) -> str:
    return session.catalog.id_of("supporting_document_templates", name)
