"""What the registration of numbers requires, as a checklist: what is there, what is missing, and what to do."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from didww._util.shells import command_line
from didww._util.text import printable
from didww.cli.number_types import name_of
from didww.cli.regulation import people
from didww.enums import IdentityType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from didww.cli.session import Settings
    from didww.resources.address import Address
    from didww.resources.address_requirement import AddressRequirement
    from didww.resources.identity import Identity

__all__ = [
    "CHECK",
    "DONE",
    "GIVEN",
    "INCLUDES",
    "MISSING",
    "NAMES",
    "PERSON_OR_COMPANY",
    "PROOF_OF_ADDRESS",
    "Case",
    "Row",
    "checklist",
    "is_in",
    "kinds_of",
    "lines_of",
    "of_kind",
    "options_of",
    "print_checklist",
    "print_requirements",
]

INCLUDES: Final = (
    "country",
    "did_group_type",
    "personal_proof_types",
    "business_proof_types",
    "address_proof_types",
    "personal_permanent_document",
    "business_permanent_document",
    "personal_onetime_document",
    "business_onetime_document",
)
NAMES: Final = ("item", "required", "status", "what to do")

PROOF_OF_ADDRESS: Final = "Proof of address"
DONE: Final = "done"
GIVEN: Final = "given"
MISSING: Final = "missing"
CHECK: Final = "check"
OPEN: Final = ""
_MARKS: Final = {DONE: "[x]", GIVEN: "[x]", MISSING: "[ ]", CHECK: "[?]", OPEN: " - "}

PERSON_OR_COMPANY: Final = {"personal": "person", "business": "company"}
_FIELDS: Final = {
    "birth_date": ("date of birth", "--birth-date"),
    "birth_country": ("country of birth", "--birth-country"),
    "country": ("country", "--country"),
    "personal_tax_id": ("tax number", "--personal-tax-id"),
    "id_number": ("identity card number", "--id-number"),
    "vat_id": ("VAT number", "--vat-id"),
    "company_reg_number": ("registration number", "--company-reg-number"),
    "contact_email": ("email address", "--email"),
}

_VALUES: Final = {"birth_date": "YYYY-MM-DD", "birth_country": "COUNTRY", "country": "COUNTRY"}


class Row(NamedTuple):
    """A line of the checklist.

    Attributes:
        item: What is required.
        required: In which form.
        status: `done`, `given` with this command, `missing`, `check` by the person, or empty if nothing to compare.
        todo: The option or the command that adds it.
        option: The option of this command that it is given with; empty if it has none, or if it depends on the type of
            an identity that is not known yet.
    """

    item: str
    required: str
    status: str
    todo: str
    option: str = ""

    def named(self) -> dict[str, str]:
        """Return the values by the names of the table."""
        return dict(zip(NAMES, self[:4], strict=True))


def _command(*words: str) -> str:
    return command_line("didww", *words)


@dataclasses.dataclass
class Case:
    """A requirement and what there is to meet it.

    Attributes:
        requirement: With everything of `INCLUDES`.
        area: Area of the numbers; empty before they are bought.
        now: Time of the service, for the expiry of proofs.
        identity: The person or company, with its documents.
        address: The address, with its proofs.
        proofs: Ids of the proof types that files are given for.
        permanent: Whether files of the permanent form are given.
        onetime: Whether files of the one-time form are given.
        description: Description of the service.
        command: Returns a command of the same account, from its words.
    """

    requirement: AddressRequirement
    area: str
    now: datetime
    identity: Identity | None = None
    address: Address | None = None
    proofs: Collection[str] = ()
    permanent: bool = False
    onetime: bool = False
    description: str | None = None
    command: Callable[..., str] = _command


def lines_of(row: Row) -> list[str]:
    """Return a line for a person, and a second one with what to do."""
    return [f"{_MARKS[row.status]} {row.item}: {row.required}", *([f"    {row.todo}"] if row.todo else [])]


def options_of(rows: Iterable[Row]) -> str:
    """Return the options that add what is missing."""
    values = {"--identity": "--identity IDENTITY", "--address": "--address ADDRESS"}
    undone = [row for row in rows if row.option and row.status in (MISSING, OPEN)]
    return " ".join(dict.fromkeys(values.get(row.option) or row.todo.partition(";")[0] for row in undone))


def print_checklist(settings: Settings, rows: Sequence[Row]) -> None:
    """Print a checklist: in a terminal as lines that can be copied, else as a table."""
    from didww.cli.output import print_rows

    if not _for_person(settings):
        print_rows(settings, [row.named() for row in rows], NAMES)
        return
    for row in rows:
        for line in lines_of(row):
            click.echo(printable(line))


def print_requirements(settings: Settings, found: Sequence[AddressRequirement], now: datetime) -> None:
    """Print the lines of requirements by type of number, before there is an identity to compare with."""
    from didww.cli.output import print_rows

    lines = {name_of(each) or "": checklist(Case(each, "", now)) for each in found}
    if _for_person(settings):
        for kind, rows in lines.items():
            click.echo(printable(f"{kind}:"))
            for row in rows:
                click.echo(printable(f"- {row.item}: {row.required}"))
    elif lines or settings.output != "table":
        values = [{"type": kind, **row.named()} for kind, rows in lines.items() for row in rows]
        print_rows(settings, values, ["type", "item", "required"])


def _for_person(settings: Settings) -> bool:
    return settings.for_person and sys.stdout.isatty()


def kinds_of(requirement: AddressRequirement, identity: Identity | None = None) -> list[str]:
    """Return the accepted types of identity; only that of the identity, if it is accepted."""
    accepted = ["personal", "business"]
    if requirement.identity_type != IdentityType.ANY:
        accepted = [requirement.identity_type.value]
    if identity is not None and identity.identity_type.value in accepted:
        return [identity.identity_type.value]
    return accepted


def of_kind(requirement: AddressRequirement, kind: str, name: str) -> Any:
    """Return what the requirement has for a type of identity, such as `proof_types`."""
    return getattr(requirement, f"{kind}_{name}")


def checklist(case: Case) -> list[Row]:
    """Return the lines: identity, its fields and documents, address and its proofs, what each verification needs."""
    kinds = kinds_of(case.requirement, case.identity)
    rows = [_identity(case)]
    for kind in kinds:
        suffix = f" ({PERSON_OR_COMPANY[kind]})" if len(kinds) > 1 else ""
        fitting = case.identity if case.identity is not None and case.identity.identity_type == kind else None
        rows += [_of_kind(row, suffix) for row in _of_identity(case, kind, fitting)]
    rows += [_address(case), *_proofs(case, "address", case.address, PROOF_OF_ADDRESS)]
    for kind in kinds:
        suffix = f" ({PERSON_OR_COMPANY[kind]})" if len(kinds) > 1 else ""
        rows += [_of_kind(row, suffix) for row in _onetime(case, kind)]
    rows += _description(case)
    if case.requirement.restriction_message:
        rows.append(Row("Note", case.requirement.restriction_message, OPEN, ""))
    return rows


def _of_kind(row: Row, suffix: str) -> Row:
    """Return a row that is for persons only, or for companies only, if there is a suffix."""
    return row._replace(item=row.item + suffix, option="") if suffix else row


def _where(case: Case, level: Any, *, default: str = "anywhere") -> str:
    country = case.requirement.country.name if case.requirement.country is not None else "the country"
    place = f"{case.area}, {country}" if case.area else country
    return {
        "country": f"in {country}",
        "area": f"in the area of the number ({place})",
        "city": f"in the city of the number ({place})",
    }.get(str(level), default)


def _identity(case: Case) -> Row:
    requirement, identity = case.requirement, case.identity
    accepted = kinds_of(requirement)
    required = ", or ".join(
        f"a {PERSON_OR_COMPANY[kind]} {_where(case, of_kind(requirement, kind, 'area_level'))}" for kind in accepted
    )
    places = {str(of_kind(requirement, kind, "area_level")) for kind in accepted}
    if len(accepted) > 1 and len(places) == 1:
        required = f"a person or a company {_where(case, next(iter(places)))}"
    if identity is None:
        return Row(
            "Identity", required, MISSING, f"--identity, or: {case.command('identities', 'create')}", "--identity"
        )
    kind, name = identity.identity_type.value, people.identity_label(identity)
    if kind not in accepted:
        is_a = f"{name} is a {PERSON_OR_COMPANY.get(kind, kind)}: another --identity"
        return Row("Identity", required, MISSING, is_a, "--identity")
    if not is_in(case, of_kind(requirement, kind, "area_level"), identity):
        country = case.requirement.country.iso if case.requirement.country is not None else "COUNTRY"
        return Row("Identity", required, MISSING, _update(case, identity, "--country", country))
    return Row("Identity", required, DONE, name)


def is_in(case: Case, level: Any, record: Any) -> bool:
    """Return whether a record is in the country that the level requires."""
    country = case.requirement.country
    return str(level) in ("world_wide", "None") or country is None or _id(record.country) == country.id


def _id(record: Any) -> str | None:
    return None if record is None else record.id


def _update(case: Case, identity: Identity | None, option: str, value: str) -> str:
    name = "IDENTITY" if identity is None else people.identity_label(identity)
    return case.command("identities", "update", name, option, value)


def _of_identity(case: Case, kind: str, identity: Identity | None) -> Iterator[Row]:
    requirement = case.requirement
    for field in of_kind(requirement, kind, "mandatory_fields") or ():
        word, option = _FIELDS.get(str(field), (str(field).replace("_", " "), ""))
        item = word[0].upper() + word[1:]
        if identity is not None and getattr(identity, str(field), None):
            yield Row(item, "a field of the identity", DONE, "")
            continue
        todo = _update(case, identity, option or "...", _VALUES.get(str(field), "TEXT"))
        yield Row(item, "a field of the identity", OPEN if identity is None else MISSING, todo)
    yield from _proofs(case, kind, identity, f"Proof of {'identity' if kind == 'personal' else 'company'}")
    form = of_kind(requirement, kind, "permanent_document")
    if form is not None:
        has = identity is not None and any(_id(each.template) == form.id for each in identity.permanent_documents)
        status = GIVEN if case.permanent else DONE if has else MISSING if identity is not None else OPEN
        todo = "" if status == DONE else f"--permanent FILE; form: {form.url}"
        yield Row("Form, once", form.name, status, todo, "--permanent")


def _proofs(case: Case, kind: str, owner: Any, item: str) -> Iterator[Row]:
    requirement = case.requirement
    count: int = of_kind(requirement, kind, "proof_qty") or 0
    if not count:
        return
    types = of_kind(requirement, kind, "proof_types")
    names = ", ".join(each.name for each in types)
    required = names if len(types) == 1 else f"{'one' if count == 1 else count} of {names}"
    accepted = {each.id for each in types}
    valid = [] if owner is None else [each for each in owner.proofs if _counts(case, each, accepted)]
    given = accepted & set(case.proofs)
    if len(valid) >= count:
        found = ", ".join(dict.fromkeys(each.proof_type.name for each in valid))
        yield Row(item, required, DONE, found)
    elif len(valid) + len(given) >= count:
        yield Row(item, required, GIVEN, "--proof", "--proof")
    else:
        status = MISSING if owner is not None else OPEN
        example = types[0].name.casefold().replace(" ", "-") if types else "TYPE"
        yield Row(item, required, status, f"--proof {example}=FILE", "--proof")


def _counts(case: Case, proof: Any, accepted: Collection[str]) -> bool:
    return _id(proof.proof_type) in accepted and (proof.expires_at is None or proof.expires_at > case.now)


def _address(case: Case) -> Row:
    level, address = case.requirement.address_area_level, case.address
    required = f"an address {_where(case, level)}"
    if address is None:
        return Row("Address", required, MISSING, f"--address, or: {case.command('addresses', 'create')}", "--address")
    if not is_in(case, level, address):
        elsewhere = f"{people.address_label(address)} is elsewhere: another --address"
        return Row("Address", required, MISSING, elsewhere, "--address")
    if str(level) in ("city", "area") and case.area and address.city_name.casefold() != case.area.casefold():
        return Row("Address", required, CHECK, f"Is {people.address_label(address)} there?", "--address")
    return Row("Address", required, DONE, people.address_label(address))


def _onetime(case: Case, kind: str) -> Iterator[Row]:
    form = of_kind(case.requirement, kind, "onetime_document")
    if form is not None:
        status = GIVEN if case.onetime else MISSING if case.identity is not None else OPEN
        todo = "" if case.onetime else f"--onetime FILE; form: {form.url}"
        yield Row("Form, each time", form.name, status, todo, "--onetime")


def _description(case: Case) -> Iterator[Row]:
    if case.requirement.service_description_required:
        status = GIVEN if case.description else MISSING if case.identity is not None else OPEN
        todo = "" if case.description else "--service-description TEXT"
        yield Row("Description of use", "what the numbers are used for", status, todo, "--service-description")
