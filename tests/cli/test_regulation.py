"""`didww identities`, `addresses`, `documents`, `verifications` and `emergency`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest

from support.cli_registration import ADDRESS, PERSON, buy, requests_to

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

COMPANY = (
    "identities create --type business --company-name 'Example Ltd' --first-name Kim --last-name Other"
    " --phone 442079460001 --country GB --description 'Customer 42' --reference customer-42"
)


@pytest.fixture
def person(didww: Command) -> str:
    """Return the id of a person with an address in Germany."""
    created: dict[str, Any] = json.loads(didww.ok(f"{PERSON} -o json"))
    didww.ok(f"{ADDRESS} --country DE --description Office")
    return str(created["id"])


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Return a file to upload."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"%PDF-1.7 scan")
    return path


# Identities


def test_identity_is_created_with_plain_words(didww, person):
    """Countries are given by code, phone numbers with a plus and spaces."""
    identity = didww.client.identities().find(person, include="country").data
    assert (identity.phone_number, identity.country.iso) == ("442079460000", "DE")
    assert f"{identity.birth_date}" == "1980-01-31"


def test_identity_with_a_known_reference_is_not_created_again(didww):
    """The same command prints the same identity."""
    first = json.loads(didww.ok(f"{COMPANY} -o json"))
    result = didww(f"{COMPANY} -o json")
    assert json.loads(result.out)["id"] == first["id"]
    assert "nothing was created" in result.err
    assert requests_to(didww, "/identities") == 1


@pytest.mark.parametrize("text", ["customer-42", "example ltd", "Example Ltd", "Other", "Customer 42"])
def test_identity_is_found_by_what_people_know(didww, person, text):
    """By external reference, name in any case, last name or description."""
    didww.ok(COMPANY)
    found = json.loads(didww.ok("identities show -o json", text))
    assert found["company_name"] == "Example Ltd"


def test_identity_is_found_by_id_and_full_name(didww, person):
    """A person is found by first and last name."""
    for text in (person, "Alex Example"):
        assert json.loads(didww.ok("identities show -o json", text))["id"] == person


def test_ambiguous_identity_lists_the_candidates(didww, person):
    """Exit code 4; both ids are named."""
    other = json.loads(didww.ok(f"{PERSON} -o json"))["id"]
    result = didww("identities show Example")
    assert result.code == 4
    assert person in result.err
    assert other in result.err


@pytest.mark.parametrize("text", ["Exampel", "''", "7f3d4e5a-0000-4000-8000-000000000000"])
def test_unknown_identity_is_not_found(didww, person, text):
    """Exit code 4."""
    assert didww(f"identities show {text}").code == 4


def test_unknown_identity_suggests_a_name(didww, person):
    """A name with a slip is guessed."""
    assert "Alex Example" in didww("identities show 'Alex Exampel'").err


def test_identity_shows_its_documents(didww, person, scan):
    """The table names addresses and proofs."""
    didww.ok(f"documents upload {scan} --type passport --identity Example")
    lines = dict(line.split(maxsplit=1) for line in didww.ok("identities show Example").splitlines())
    assert lines["proofs"] == "Passport"
    assert lines["addresses"] == "1 Example Street"


def test_identities_are_listed_by_type_and_country(didww, person):
    """Filters are words of the field."""
    didww.ok(COMPANY)
    for options, name in (
        ("--type business", "Example Ltd"),
        ("--country DE", "Example"),
        ("--country gb", "Example Ltd"),
    ):
        (row,) = [line.split("\t") for line in didww.ok(f"identities list {options}").splitlines()[1:]]
        assert row[2] == name


def test_identity_update_changes_and_clears(didww, person):
    """An empty text clears a field."""
    didww.ok("identities update Example --email alex@example.com --id-number 123 --birth-country france")
    identity = didww.client.identities().find(person, include="birth_country").data
    assert (identity.contact_email, identity.birth_country.iso) == ("alex@example.com", "FR")
    didww.ok("identities update Example --email ''")
    assert didww.client.identities().find(person).data.contact_email is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("identities update Example", "--birth-date"),
        ("identities update Example --birth-date yesterday", "--birth-date"),
        ("identities update Example --type business", "--type"),
        ("identities create --type any --first-name A --last-name B --phone 442079460000", "--type"),
        ("identities create --type personal --last-name B --phone 442079460000", "--first-name"),
        ("identities create --type personal --first-name A --last-name B --phone 12", "12"),
        ("identities create --type personal --first-name A --last-name B --phone 442079460000 --vat-id 1", "vat_id"),
        ("identities create --type business --first-name A --last-name B --phone 442079460000", "company_name"),
    ],
)
def test_wrong_values_of_identities(didww, person, line, text):
    """The option is named, and nothing is sent."""
    before = requests_to(didww, "/identities")
    result = didww(line)
    assert result.code == 2, result
    assert text in result.err
    assert requests_to(didww, "/identities") == before


def test_identity_delete_says_what_goes_with_it(didww, person, scan):
    """Without --yes it refuses, with it the identity is gone."""
    didww.ok(f"documents upload {scan} --type passport --identity Example")
    result = didww("identities delete Example")
    assert result.code == 2
    assert "Deletes Alex Example with 1 address and 1 document." in result.err
    assert "- 1 Example Street, 10115 Berlin" in result.err
    assert didww.client.identities().count() == 1
    didww.ok("identities delete Example --yes")
    assert didww.client.identities().count() == 0


def test_dry_run_creates_nothing(didww):
    """The request is printed."""
    assert "POST" in didww.ok(f"{PERSON} --dry-run")
    assert didww.client.identities().count() == 0


# Addresses


@pytest.mark.parametrize("text", ["Office", "1 Example Street", "1 example street, 10115 berlin"])
def test_address_is_found_by_what_people_know(didww, person, text):
    """By description, street, or the whole line."""
    assert json.loads(didww.ok("addresses show -o json", text))["city_name"] == "Berlin"


def test_addresses_are_listed_by_identity(didww, person):
    """Those of others are not in the list."""
    didww.ok(COMPANY)
    assert len(didww.ok("addresses list --identity customer-42").splitlines()) == 1
    assert len(didww.ok("addresses list --identity Example --country DE").splitlines()) == 2


def test_address_update_and_delete(didww, person):
    """The identity and the country have no option."""
    didww.ok("addresses update Office --postal-code 10117 --description Head")
    assert json.loads(didww.ok("addresses show Head -o json"))["postal_code"] == "10117"
    assert didww("addresses update Head --country FR").code == 2
    assert didww("addresses update Head").code == 2
    assert didww("addresses delete Head").code == 2
    didww.ok("addresses delete Head --yes")
    assert didww.client.addresses().count() == 0


def test_address_with_a_known_reference_is_not_created_again(didww, person):
    """The same command prints the same address."""
    line = f"{ADDRESS} --country DE --reference site-7 -o json"
    assert json.loads(didww.ok(line))["id"] == json.loads(didww.ok(line))["id"]
    assert didww.client.addresses().count() == 2


@pytest.mark.parametrize(
    "line",
    [
        COMPANY.replace("customer-42", "''"),
        f"{ADDRESS} --country DE --reference ' '",
        "documents upload {scan} --type passport --identity Example --reference ''",
        "emergency enable +12125550100 --address Office --reference ''",
        "numbers register {number} --identity Example --reference ''",
    ],
)
def test_empty_references_are_refused(didww, person, scan, line):
    """They are those of variables that are not set."""
    number = buy(didww, "DE", "Local")[0] if "{number}" in line else ""
    didww.emulator.journal.clear()
    result = didww(line.format(scan=scan, number=number))
    assert result.code == 2
    assert "--reference" in result.err
    assert "must not be empty" in result.err
    assert all(entry.method == "GET" for entry in didww.emulator.journal.entries())


def test_changes_that_concern_registered_numbers_are_confirmed(didww, person, scan):
    """The plan says what changes and what depends on it; notes of the account are changed at once."""
    (number,) = buy(didww, "DE", "Local")
    proofs = f"--proof passport={scan} --proof utility-bill={scan}"
    didww.ok(f"numbers register {number} --identity Example {proofs} --yes")
    for line, plan in (
        ("identities update Example --last-name Sample", "- last name: Example -> Sample"),
        ("identities update Example --country FR", "- country: Germany -> France"),
        ("addresses update Office --street '2 Example Street'", "- street: 1 Example Street -> 2 Example Street"),
    ):
        result = didww(line)
        assert result.code == 2, result
        assert "Numbers are registered" in result.err
        assert plan in result.err
    didww.ok("identities update Example --description Customer")
    didww.ok("addresses update Office --description Head")
    didww.ok("addresses update Head --street '2 Example Street' --yes")
    assert didww.client.addresses().first().address == "2 Example Street"


def test_changes_that_concern_emergency_calling_are_confirmed(didww, emergency_numbers):
    """Of the address that emergency services see, and of its identity; other addresses are free."""
    didww.ok(f"emergency enable {emergency_numbers[0]} --address Site --yes")
    for line in ("addresses update Site --postal-code 10118", "identities update Example --last-name Sample"):
        result = didww(line)
        assert result.code == 2, result
        assert "Emergency calling uses it" in result.err
    didww.ok("addresses update Office --postal-code 10118")


def test_address_in_an_unknown_country(didww, person):
    """Exit code 4, with a suggestion."""
    result = didww(f"{ADDRESS} --country Germoney")
    assert result.code == 4
    assert "Germany" in result.err


# Documents


def test_document_is_uploaded_encrypted_and_once(didww, person, scan):
    """The same file for the same identity is not stored twice; the clear text is not sent."""
    line = f"documents upload {scan} --type 'National ID' --identity Example -o json"
    first = json.loads(didww.ok(line))
    result = didww(line)
    assert (json.loads(result.out)["id"], result.code) == (first["id"], 0)
    assert "nothing was uploaded" in result.err
    assert requests_to(didww, "/encrypted_files") == 1
    assert requests_to(didww, "/proofs") == 1


def test_two_files_are_one_document(didww, person, scan, tmp_path):
    """The two sides of a card are one proof."""
    back = tmp_path / "back.png"
    back.write_bytes(b"back")
    didww.ok(f"documents upload {scan} {back} --type national-id --identity Example")
    assert (requests_to(didww, "/encrypted_files"), requests_to(didww, "/proofs")) == (2, 1)


def test_documents_of_an_identity_include_those_of_its_addresses(didww, person, scan):
    """Proofs and forms are listed with what they prove."""
    didww.ok(f"documents upload {scan} --type passport --identity Example")
    didww.ok(f"documents upload {scan} --type 'declaration of consent' --identity Example")
    didww.ok(f"documents upload {scan} --type utility-bill --address Office")
    documents = json.loads(didww.ok("documents list --identity Example -o json"))
    assert sorted((each["document"], each["kind"], each["of"]) for each in documents) == [
        ("Declaration of Consent", "form", "Alex Example"),
        ("Passport", "proof", "Alex Example"),
        ("Utility Bill", "proof", "1 Example Street, 10115 Berlin"),
    ]
    assert len(json.loads(didww.ok("documents list --address Office -o json"))) == 1


def test_documents_are_deleted(didww, person, scan):
    """Proofs and forms are deleted by id, after a question."""
    didww.ok(f"documents upload {scan} --type passport --identity Example")
    didww.ok(f"documents upload {scan} --type 'declaration of consent' --identity Example")
    for document in json.loads(didww.ok("documents list --identity Example -o json")):
        result = didww(f"documents delete {document['id']}")
        assert result.code == 2
        assert f"Deletes {document['document']} of Alex Example." in result.err
        didww.ok(f"documents delete {document['id']} --yes")
    assert json.loads(didww.ok("documents list --identity Example -o json")) == []
    assert didww(f"documents delete {person} --yes").code == 4


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ("documents list", 2, "--identity or --address"),
        ("documents list --identity Example --address Office", 2, "--identity or --address"),
        ("documents upload {scan} --type utility-bill --identity Example", 4, "Accepted: Passport"),
        ("documents upload {scan} --type passport --address Office", 4, "Accepted: Utility Bill"),
        ("documents upload {scan} --type passport", 2, "--identity or --address"),
        ("documents upload /nowhere.pdf --type passport --identity Example", 2, "/nowhere.pdf"),
        ("documents upload --type passport --identity Example", 2, "FILE"),
        ("documents upload {empty} --type passport --identity Example", 2, "empty"),
    ],
)
def test_wrong_documents(didww, person, scan, tmp_path, line, code, text):
    """The reason is named, and nothing is stored."""
    empty = tmp_path / "empty.pdf"
    empty.touch()
    result = didww(line.format(scan=scan, empty=empty))
    assert result.code == code, result
    assert text in result.err
    assert requests_to(didww, "/encrypted_files") == 0


@pytest.mark.slow
def test_document_ids_are_whole_in_a_terminal(didww, person, scan):
    """They are what `documents delete` takes."""
    didww.ok(f"documents upload {scan} --type passport --identity Example")
    (proof,) = didww.client.proofs().list().data
    result = didww.screen("documents list --identity Example")
    assert proof.id in result.out
    assert max(len(line) for line in result.out.splitlines()) <= 80


# Verifications


@pytest.fixture
def submitted(didww: Command, person: str, scan: Path) -> Any:
    """Return a verification of a number that waits for a decision by hand."""
    didww.emulator.transitions.set("address_verifications", by_hand=True)
    (number,) = buy(didww, "DE", "Local")
    proofs = f"--proof passport={scan} --proof utility-bill={scan}"
    didww.ok(f"numbers register {number} --identity Example {proofs} --yes --no-wait --reference mine")
    return didww.client.address_verifications().first(include="dids")


def test_verifications_are_listed(didww, submitted):
    """By status, identity and number."""
    number = submitted.dids[0].number
    for options in ("--status pending", "--identity Example", f"--number +{number}", f"--number {number} --limit 1"):
        lines = didww.ok(f"verifications list {options}").splitlines()
        assert [line.split("\t")[0] for line in lines] == ["reference", submitted.reference]
    for options in ("--status approved", "--number +442079460999"):
        assert len(didww.ok(f"verifications list {options}").splitlines()) == 1


def test_verification_is_shown_by_any_name(didww, submitted):
    """By reference, external reference and id."""
    for text in (submitted.reference, "mine", submitted.id):
        assert json.loads(didww.ok(f"verifications show {text} -o json"))["id"] == submitted.id
    assert didww("verifications show AV-0").code == 4


def test_verification_is_awaited(didww, submitted):
    """Approved: exit code 0."""
    didww.emulator.transitions.approve(submitted.id)
    assert json.loads(didww.ok(f"verifications wait {submitted.reference} -o json"))["status"] == "approved"


def test_rejected_verification_exits_with_3(didww, submitted):
    """The reasons and the comment are printed."""
    didww.emulator.transitions.reject(submitted.id, ["Wrong name", "Blurred scan"], "See the passport.")
    result = didww(f"verifications wait {submitted.reference}")
    assert (result.code, result.out) == (3, "")
    assert "Wrong name; Blurred scan. Comment: See the passport." in result.err


def test_wait_ends_after_the_limit(didww, submitted):
    """Without a decision in time, exit code 8, and the command that goes on."""
    result = didww(f"verifications wait {submitted.reference} --wait 1s")
    assert result.code == 8
    assert f"didww verifications wait {submitted.reference}" in result.err


def test_advice_is_for_the_same_account(didww, submitted):
    """The command to go on has the options of the account."""
    result = didww(f"verifications wait mine --wait 1s --base-url {didww.base_url}")
    assert result.code == 8
    assert f"To continue: didww --base-url {didww.base_url} verifications wait {submitted.reference}" in result.err


# Emergency calling


@pytest.fixture
def emergency_numbers(didww: Command, person: str) -> list[str]:
    """Return two numbers in the United States, with an address there that is called Site."""
    didww.ok(f"{ADDRESS} --country US --description Site")
    return buy(didww, "US", "Local", 2, features="emergency", needs_registration=False)


def test_emergency_requirements(didww):
    """Prices have two decimals; fields are in the words of DIDWW."""
    found = json.loads(didww.ok("emergency requirements canada --type local -o json"))
    assert found["company"] == "Company ID, Country of Tax Residence"
    assert found["monthly_price"].partition(".")[2].__len__() == 2
    assert didww("emergency requirements AQ").code == 4


def test_emergency_is_enabled_after_a_question_with_the_price(didww, emergency_numbers):
    """Nothing is submitted without --yes; then the service is active."""
    line = f"emergency enable {' '.join(emergency_numbers)} --address Site"
    result = didww(line)
    assert result.code == 2
    assert "$3.00 each month" in result.err
    assert requests_to(didww, "/emergency_verifications") == 0
    service = json.loads(didww.ok(f"{line} --yes -o json"))
    assert service["status"] == "active"
    assert didww.client.dids().count(filter={"emergency_enabled": True}) == 2


def test_emergency_is_not_submitted_twice(didww, emergency_numbers):
    """A verification under review is awaited; an active service is left as it is."""
    line = f"emergency enable {emergency_numbers[0]} --address Site --yes"
    didww.emulator.transitions.set("emergency_verifications", by_hand=True)
    didww.ok(f"{line} --no-wait")
    (verification,) = didww.client.emergency_verifications().list().data
    assert "under review already" in didww(f"{line} --no-wait").err
    didww.emulator.transitions.approve(verification.id)
    assert "already" in didww(line).err
    assert requests_to(didww, "/emergency_verifications") == 1


def test_emergency_address_is_changed(didww, emergency_numbers):
    """The plan says from where to where."""
    didww.ok(f"emergency enable {emergency_numbers[0]} --address Site --yes")
    didww.ok(f"{ADDRESS.replace('1 Example', '2 Example')} --country US --description New")
    result = didww(f"emergency enable {emergency_numbers[0]} --address New --yes -o json")
    assert result.code == 0, result
    assert "- from 1 Example Street, 10115 Berlin" in result.err
    assert "- to 2 Example Street, 10115 Berlin" in result.err
    assert json.loads(result.out)["address"]["address"] == "2 Example Street"


def test_rejected_emergency_address_exits_with_3_and_can_be_submitted_again(didww, emergency_numbers):
    """The service needs changes; the same command submits again."""
    line = f"emergency enable {emergency_numbers[0]} --address Site --yes"
    didww.emulator.transitions.set("emergency_verifications", outcome="reject", reasons=["No such street"])
    result = didww(line)
    assert result.code == 3
    assert "No such street" in result.err
    assert didww.ok("emergency verifications --status rejected").count("No such street") == 1
    didww.emulator.transitions.reset()
    didww.ok(line)
    assert didww.client.dids().count(filter={"emergency_enabled": True}) == 1


def test_emergency_refusals(didww, emergency_numbers):
    """Numbers that cannot, numbers of two services, and no number."""
    (other,) = buy(didww, "DE", "Local")
    assert f"not possible with +{other}" in didww(f"emergency enable {other} --address Site --yes").err
    didww.ok(f"emergency enable {emergency_numbers[0]} --address Site --yes")
    result = didww(f"emergency enable {' '.join(emergency_numbers)} --address Site --yes")
    assert result.code == 2
    assert f"- +{emergency_numbers[1]}: none" in result.err
    assert didww("emergency enable --address Site").code == 2


def test_emergency_address_that_does_not_meet_the_requirement(didww, emergency_numbers):
    """DIDWW's validation names what is missing; nothing is submitted."""
    result = didww(f"emergency enable {emergency_numbers[0]} --address Office --yes")
    assert result.code == 3
    assert "United States" in result.err
    assert requests_to(didww, "/emergency_verifications") == 0


def test_emergency_services_are_listed_shown_and_canceled(didww, emergency_numbers):
    """By reference and name; canceling says which numbers lose it."""
    didww.ok(f"emergency enable {emergency_numbers[0]} --address Site --yes")
    (service,) = json.loads(didww.ok("emergency list --status active --country US -o json"))
    for text in (service["reference"], service["name"], service["id"]):
        assert json.loads(didww.ok("emergency show -o json", text))["id"] == service["id"]
    result = didww(f"emergency cancel {service['reference']}")
    assert result.code == 2
    assert f"can no longer call emergency services: +{emergency_numbers[0]}" in result.err
    didww.ok(f"emergency cancel {service['reference']} --yes")
    assert didww.client.emergency_calling_services().find(service["id"]).data.is_canceled
    assert "canceled already" in didww(f"emergency cancel {service['reference']} --yes").err


def test_emergency_dry_run(didww, emergency_numbers):
    """The request is printed; nothing is submitted."""
    out = didww.ok(f"emergency enable {emergency_numbers[0]} --address Site --dry-run")
    assert "/emergency_verifications" in out
    assert requests_to(didww, "/emergency_verifications") == 0


# Help


@pytest.mark.parametrize("group", ["identities", "addresses", "documents", "verifications", "emergency"])
def test_every_command_has_an_example(group):
    """Each command and option has a help text, and each command an example."""
    from importlib import import_module

    commands = getattr(import_module(f"didww.cli.regulation.{group}"), group).commands
    for command in commands.values():
        assert command.examples
        assert command.help
        assert all(param.help for param in command.params if isinstance(param, click.Option))


def examples_of(group: str) -> list[str]:
    """Return the examples of a group."""
    from importlib import import_module

    commands = getattr(import_module(f"didww.cli.regulation.{group}"), group).commands
    found = [(command, example) for command in commands.values() for example in command.examples]
    return [f"{example} --yes" if command.changes and "--yes" not in example else example for command, example in found]


@pytest.mark.parametrize("group", ["identities", "addresses", "documents", "verifications", "emergency"])
def test_examples_run(didww, emergency_numbers, tmp_path, monkeypatch, group):
    """Each example works in an account that has what it names."""
    monkeypatch.chdir(tmp_path)
    for name in ("passport.pdf", "bill.pdf"):
        (tmp_path / name).write_bytes(name.encode())
    proofs = "--proof passport=passport.pdf --proof utility-bill=bill.pdf"
    (number,) = buy(didww, "DE", "Local")
    didww.ok("addresses update Site --street '3 Example Street' --yes")
    didww.ok(f"numbers register {number} --identity Example {proofs} --yes")
    didww.ok(f"emergency enable {emergency_numbers[1]} --address Site --yes")
    verification = didww.client.address_verifications().first()
    names = {
        "AV-1234": verification.reference,
        "ECS-1234": didww.client.emergency_calling_services().first().reference,
        "XKQ-004821": didww.client.emergency_verifications().first().reference,
        "+12125550100 +12125550101 --address Office": f"{emergency_numbers[1]} --address Site",
        "+12125550100 --address '1 Example Street'": f"{emergency_numbers[0]} --address '3 Example Street'",
        '+12125550100 --address "1 Example Street"': f"{emergency_numbers[0]} --address '3 Example Street'",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301": didww.client.proofs().first().id,
    }
    for example in examples_of(group):
        line = example.removeprefix("didww ")
        for name, value in names.items():
            line = line.replace(name, value)
        if " delete " in line and group != "documents":
            assert didww(line).code in (0, 3), line  # in use, as numbers are registered there
        else:
            didww.ok(line)
