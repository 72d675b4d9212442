"""The checklist of a registration, for requirements that the emulator has none of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from didww.cli.regulation.requirements import Case, Row, checklist, options_of
from didww.enums import IdentityType

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GERMANY = SimpleNamespace(id="de", iso="DE", name="Germany")
PASSPORT = SimpleNamespace(id="passport", name="Passport")
CARD = SimpleNamespace(id="card", name="Identity Card")


def requirement(**changes: Any) -> Any:
    """Return a requirement that asks for a person in the country and an address in the city."""
    values: dict[str, Any] = {
        "identity_type": IdentityType.PERSONAL,
        "personal_area_level": "country",
        "address_area_level": "city",
        "personal_mandatory_fields": None,
        "personal_proof_qty": 2,
        "personal_proof_types": [PASSPORT, CARD],
        "address_proof_qty": 0,
        "address_proof_types": [],
        "personal_permanent_document": None,
        "personal_onetime_document": None,
        "service_description_required": False,
        "restriction_message": None,
        "country": GERMANY,
    }
    return SimpleNamespace(**(values | changes))


def person(*proofs: Any, **changes: Any) -> Any:
    """Return a person in Germany."""
    values: dict[str, Any] = {
        "identity_type": IdentityType.PERSONAL,
        "first_name": "Alex",
        "last_name": "Example",
        "company_name": None,
        "country": GERMANY,
        "proofs": list(proofs),
        "permanent_documents": [],
    }
    return SimpleNamespace(**(values | changes))


def proof(kind: Any, *, days: int | None) -> Any:
    """Return a proof that expires in some days."""
    return SimpleNamespace(proof_type=kind, expires_at=None if days is None else NOW + timedelta(days=days))


def address(city: str) -> Any:
    """Return an address in Germany."""
    return SimpleNamespace(address="1 Example Street", postal_code="10115", city_name=city, country=GERMANY, proofs=[])


def row(item: str, **case: Any) -> Row:
    """Return a line of the checklist."""
    changes = case.pop("requirement", {})
    return next(each for each in checklist(Case(requirement(**changes), "Berlin", NOW, **case)) if each.item == item)


@pytest.mark.parametrize(
    ("proofs", "given", "status"),
    [
        ([], (), "missing"),
        ([(PASSPORT, None)], (), "missing"),
        ([(PASSPORT, None), (CARD, 1)], (), "done"),
        ([(PASSPORT, None), (CARD, -1)], (), "missing"),
        ([(PASSPORT, None)], ("card",), "given"),
        ([], ("card", "passport"), "given"),
        ([], ("card", "bill"), "missing"),
    ],
)
def test_proofs_are_counted(proofs, given, status):
    """Expired proofs and those of other types do not count; files of this command do."""
    owner = person(*(proof(kind, days=days) for kind, days in proofs))
    assert row("Proof of identity", identity=owner, proofs=given).status == status


@pytest.mark.parametrize(("city", "status"), [("Berlin", "done"), ("berlin", "done"), ("Bonn", "check")])
def test_city_of_the_address_is_compared(city, status):
    """Another city is for the person to check, as names of cities differ."""
    line = row("Address", address=address(city))
    assert (line.status, line.required) == (status, "an address in the city of the number (Berlin, Germany)")


def test_person_elsewhere_gets_the_command():
    """An identity without the required country is mended with `identities update`."""
    line = row("Identity", identity=person(country=None))
    assert (line.status, line.todo) == ("missing", "didww identities update 'Alex Example' --country DE")


def test_fields_of_an_unknown_identity_are_commands():
    """They are options of `identities update`, not of `numbers register`."""
    line = row("Date of birth", requirement={"personal_mandatory_fields": ["birth_date"]})
    assert (line.status, line.todo) == ("", "didww identities update IDENTITY --birth-date YYYY-MM-DD")


def test_advice_does_not_mix_persons_and_companies():
    """Before there is an identity, the proofs of neither are in the command."""
    of_company = {
        "identity_type": IdentityType.ANY,
        "business_area_level": "country",
        "business_mandatory_fields": None,
        "business_proof_qty": 1,
        "business_proof_types": [SimpleNamespace(id="license", name="Trade License")],
        "business_permanent_document": None,
        "business_onetime_document": None,
    }
    rows = checklist(Case(requirement(**of_company), "Berlin", NOW))
    assert options_of(rows) == "--identity IDENTITY --address ADDRESS"
    assert {"Proof of identity (person)", "Proof of company (company)"} <= {each.item for each in rows}
    rows = checklist(Case(requirement(**of_company), "Berlin", NOW, identity=person()))
    assert options_of(rows) == "--proof passport=FILE --address ADDRESS"


def test_commands_are_those_of_the_account():
    """The advice has the options of the account."""
    line = row("Identity", command=lambda *words: " ".join(("didww --profile shop", *words)))
    assert line.todo == "--identity, or: didww --profile shop identities create"


def test_unknown_field_is_named():
    """A field that this version does not know is still named."""
    line = row("Blood type", identity=person(), requirement={"personal_mandatory_fields": ["blood_type"]})
    assert line.status == "missing"


def test_options_are_those_that_are_missing():
    """What is done is not asked for again."""
    case = Case(requirement(), "Berlin", NOW, identity=person())
    assert options_of(checklist(case)) == "--proof passport=FILE --address ADDRESS"
