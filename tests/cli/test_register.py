"""`didww numbers register`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.cli_registration import ADDRESS, PERSON, buy, requests_to

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

STORED = ("/encrypted_files", "/proofs", "/permanent_supporting_documents", "/address_verifications")


@pytest.fixture
def number(didww: Command) -> str:
    """Return a local number in Germany: it requires a person with a date of birth, or a company."""
    return buy(didww, "DE", "Local")[0]


@pytest.fixture
def person(didww: Command) -> None:
    """Create a person with an address in Germany."""
    didww.ok(PERSON)
    didww.ok(f"{ADDRESS} --country DE")


@pytest.fixture
def proofs(tmp_path: Path) -> str:
    """Return the options for the proofs of a person and an address."""
    passport, bill = tmp_path / "passport.pdf", tmp_path / "bill.pdf"
    passport.write_bytes(b"%PDF-1.7 passport")
    bill.write_bytes(b"%PDF-1.7 bill")
    return f"--proof passport='{passport}' --proof 'Utility Bill={bill}'"


def sent(didww: Command) -> dict[str, int]:
    """Return how many documents and verifications were stored."""
    return {path: count for path in STORED if (count := requests_to(didww, path))}


def rows(didww: Command, line: str) -> dict[str, Any]:
    """Return the checklist by item."""
    return {row["item"]: row for row in json.loads(didww.ok(f"{line} -o json"))}


def awaits_registration(didww: Command, number: str) -> bool:
    """Return whether the number is not registered."""
    return didww.client.dids().one(filter={"number": number}).awaiting_registration


# What is required


def test_requirements_are_known_before_buying(didww):
    """The requirement of a country and type is printed with the accepted proofs."""
    found = rows(didww, "numbers register --requirements germany --type local")
    assert found["Identity"]["required"] == "a person anywhere, or a company in Germany"
    assert "Date of birth (person)" in found
    assert "Registration number (company)" in found
    assert found["Proof of identity (person)"]["required"] == "one of Passport, National ID, Drivers License"


def test_requirements_of_all_types_name_the_type(didww):
    """Without a type, each row says its type."""
    types = {row["type"] for row in json.loads(didww.ok("numbers register --requirements DE -o json"))}
    assert {"Local", "Mobile"} <= types


def test_no_requirement_is_said(didww):
    """Where no registration is needed, the list is empty."""
    result = didww("numbers register --requirements GB --type local -o json")
    assert (result.code, json.loads(result.out)) == (0, [])
    assert "United Kingdom need no registration" in result.err


@pytest.mark.parametrize(
    "line",
    [
        "numbers register",
        "numbers register --type local",
        "numbers register --requirements DE +4930000000",
        "numbers register --requirements DE --identity Example",
    ],
)
def test_wrong_usage(didww, line):
    """Numbers and --requirements exclude each other, and one of them is needed."""
    assert didww(line).code == 2


def test_numbers_alone_print_what_is_required(didww, number):
    """Without an identity, there is nothing to compare with; nothing is sent."""
    found = rows(didww, f"numbers register +{number}")
    assert found["Identity"]["status"] == "missing"
    assert found["Proof of address"]["status"] == ""
    assert sent(didww) == {}


def test_checklist_compares_with_the_only_identity_that_fits(didww, number, person):
    """What is there is done; what is missing names the option."""
    found = rows(didww, f"numbers register +{number}")
    assert {item: row["status"] for item, row in found.items() if row["status"]} == {
        "Identity": "done",
        "Date of birth": "done",
        "Proof of identity": "missing",
        "Address": "done",
        "Proof of address": "missing",
    }
    assert found["Proof of identity"]["what_to_do"] == "--proof passport=FILE"


def test_checklist_names_the_command_for_a_missing_field(didww, number):
    """A field of the identity is set with `identities update`."""
    didww.ok("identities create --type personal --first-name Alex --last-name Example --phone 442079460000")
    row = rows(didww, f"numbers register +{number} --identity Example --check")["Date of birth"]
    assert row["status"] == "missing"
    assert row["what_to_do"] == "didww identities update 'Alex Example' --birth-date YYYY-MM-DD"


def test_checklist_refuses_a_person_where_a_company_is_required(didww, person):
    """German toll-free numbers are for companies only."""
    number = buy(didww, "DE", "Toll-free")[0]
    row = rows(didww, f"numbers register +{number} --identity Example --check")["Identity"]
    assert (row["status"], row["required"]) == ("missing", "a company anywhere")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 140])
def test_checklist_of_a_terminal_fits(didww, number, person, columns):
    """A terminal shows check boxes, and the command to go on with."""
    result = didww.screen(f"numbers register +{number}", columns=columns)
    *lines, _ = result.out.splitlines()
    assert result.code == 0
    assert "[x] Date of birth: a field of the identity" in lines
    assert "[ ] Proof of identity: one of Passport, National ID, Drivers License" in lines
    assert max(len(line) for line in lines if "didww" not in line) <= 80
    assert f"didww numbers register +{number} --identity 'Alex Example' --proof passport=FILE" in result.out


# Submission


def test_register_uploads_submits_and_waits(didww, number, person, proofs):
    """One command registers a number."""
    result = didww(f"numbers register +{number} --identity Example {proofs} --yes -o json")
    assert result.code == 0, result
    assert json.loads(result.out)["status"] == "approved"
    assert sent(didww) == {"/encrypted_files": 2, "/proofs": 2, "/address_verifications": 1}
    assert not awaits_registration(didww, number)


def test_register_again_does_nothing(didww, number, person, proofs):
    """A registered number is registered; nothing is uploaded or submitted twice."""
    line = f"numbers register +{number} --identity Example {proofs} --yes -o json"
    didww.ok(line)
    before = sent(didww)
    result = didww(line)
    assert (result.code, json.loads(result.out)["status"]) == (0, "approved")
    assert "registered already" in result.err
    assert sent(didww) == before


def test_verification_under_review_is_awaited(didww, number, person, proofs):
    """After an interruption, the same command waits for what was submitted."""
    didww.emulator.transitions.set("address_verifications", by_hand=True)
    line = f"numbers register +{number} --identity Example {proofs} --yes"
    didww.ok(f"{line} --no-wait")
    before = sent(didww)
    (verification,) = didww.client.address_verifications().list().data
    assert verification.reference in didww(f"{line} --no-wait").err
    didww.emulator.transitions.approve(verification.id)
    assert "approved" in didww.ok(line)
    assert sent(didww) == before


def test_checklist_says_that_a_number_is_under_review(didww, number, person, proofs):
    """With numbers only, the verification is printed and not awaited."""
    didww.emulator.transitions.set("address_verifications", by_hand=True)
    didww.ok(f"numbers register +{number} --identity Example {proofs} --yes --no-wait")
    result = didww(f"numbers register +{number} -o json")
    assert (result.code, json.loads(result.out)["status"]) == (0, "pending")
    assert "Under review" in result.err


def test_files_that_an_interrupted_run_has_uploaded_are_used(didww, number, person, proofs):
    """If storing a proof fails, its upload is not sent again."""
    line = f"numbers register +{number} --identity Example {proofs} --yes"
    fault = didww.emulator.faults.add(method="POST", path="/proofs", status=403)
    assert didww(line).code == 3
    assert sent(didww) == {"/encrypted_files": 1}
    didww.emulator.faults.remove(fault.id)
    didww.ok(line)
    assert sent(didww) == {"/encrypted_files": 2, "/proofs": 2, "/address_verifications": 1}


def test_failure_says_what_is_stored(didww, number, person, proofs):
    """If the submission fails, the proofs stay, and the next run goes on."""
    line = f"numbers register +{number} --identity Example {proofs} --yes"
    fault = didww.emulator.faults.add(method="POST", path="/address_verifications", status=403)
    result = didww(line)
    assert result.code == 7
    assert "Passport is stored." in result.err
    assert "run the same command again" in result.err
    didww.emulator.faults.remove(fault.id)
    didww.ok(line)
    assert sent(didww) == {"/encrypted_files": 2, "/proofs": 2, "/address_verifications": 1}


def test_lost_response_does_not_submit_twice(didww, number, person, proofs):
    """A verification whose response was lost is found by its reference."""
    didww.emulator.faults.add(method="POST", path="/address_verifications", lost_response=True, times=1)
    didww.ok(f"numbers register +{number} --identity Example {proofs} --yes")
    assert didww.client.address_verifications().count() == 1


def test_stored_proofs_are_enough(didww, number, person, proofs):
    """A second number needs no more documents."""
    other = buy(didww, "DE", "Local")[0]
    didww.ok(f"numbers register +{number} --identity Example {proofs} --yes")
    didww.ok(f"numbers register +{other} --address '1 Example Street' --yes")
    assert sent(didww)["/address_verifications"] == 2
    assert not awaits_registration(didww, other)


def test_numbers_are_submitted_together(didww, person, proofs):
    """Numbers that share a requirement are one verification."""
    numbers = buy(didww, "DE", "Local", 2)
    didww.ok(f"numbers register {' '.join(numbers)} --identity Example {proofs} --yes")
    (verification,) = didww.client.address_verifications().list(include="dids").data
    assert sorted(did.number for did in verification.dids) == numbers


def test_numbers_with_different_requirements_are_listed_by_group(didww, number, person, proofs):
    """Nothing is sent; the groups are named."""
    other = buy(didww, "IT", "Toll-free")[0]
    result = didww(f"numbers register {number} {other} --identity Example {proofs} --yes")
    assert result.code == 2
    assert "- Germany, Local" in result.err
    assert "- Italy, Toll-free" in result.err
    assert sent(didww) == {}


def test_company_with_forms_and_description(didww, tmp_path):
    """Permanent and one-time forms and the description are sent where they are required."""
    number = buy(didww, "IT", "Toll-free")[0]
    didww.ok(
        "identities create --type business --company-name 'Example Srl' --company-reg-number 00 --first-name Alex"
        " --last-name Example --phone 442079460000"
    )
    didww.ok("addresses create --identity 'Example Srl' --street 'Via 1' --city Roma --postal-code 00100 --country IT")
    files = {name: tmp_path / f"{name}.pdf" for name in ("license", "bill", "form", "letter")}
    for name, path in files.items():
        path.write_bytes(f"%PDF-1.7 {name}".encode())
    didww.ok(
        f"numbers register {number} --identity 'Example Srl' --proof trade-license='{files['license']}'"
        f" --proof utility-bill='{files['bill']}' --permanent '{files['form']}' --onetime '{files['letter']}'"
        " --service-description 'Support line' --callback-url https://example.com/didww --yes"
    )
    assert sent(didww) == {
        "/encrypted_files": 4,
        "/proofs": 2,
        "/permanent_supporting_documents": 1,
        "/address_verifications": 1,
    }
    (verification,) = didww.client.address_verifications().list().data
    assert (verification.service_description, verification.callback_method) == ("Support line", "post")


def test_rejection_exits_with_3_and_can_be_submitted_again(didww, number, person, proofs):
    """The reasons are printed; the same command submits a new verification."""
    line = f"numbers register +{number} --identity Example {proofs} --yes"
    didww.emulator.transitions.set("address_verifications", outcome="reject", reasons=["Blurred scan"], comment="Sorry")
    result = didww(line)
    assert (result.code, result.out) == (3, "")
    assert "was rejected: Blurred scan. Comment: Sorry" in result.err
    assert "submit again" in result.err
    assert "was rejected as AV-" in didww(f"numbers register +{number}").err
    didww.emulator.transitions.reset()
    didww.ok(line)
    assert sent(didww) == {"/encrypted_files": 2, "/proofs": 2, "/address_verifications": 2}


# Refusals


def test_missing_proofs_are_named(didww, number, person):
    """Without a terminal, the option is named and nothing is sent."""
    result = didww(f"numbers register +{number} --identity Example --yes")
    assert result.code == 2
    assert "Pass --proof." in result.err
    assert "one of Passport" in result.err
    assert sent(didww) == {}


def test_identity_must_be_chosen(didww, number, person):
    """If several identities fit, they are listed."""
    didww.ok("identities create --type personal --first-name Kim --last-name Other --phone 442079460000")
    result = didww(f"numbers register +{number} --yes")
    assert result.code == 2
    assert "Pass --identity. There are:" in result.err
    assert "Kim Other" in result.err


def test_identity_must_exist(didww, number):
    """The command that creates one is named."""
    result = didww(f"numbers register +{number} --yes")
    assert result.code == 2
    assert "didww identities create" in result.err


def test_address_must_be_in_the_country(didww, number, person, proofs):
    """An identity without an address there cannot register; the command that creates one is named."""
    didww.ok("addresses delete '1 Example Street' --yes")
    didww.ok(f"{ADDRESS} --country FR")
    result = didww(f"numbers register +{number} --identity Example {proofs} --yes")
    assert result.code == 2
    assert "Alex Example has no address in Germany" in result.err
    assert "--country DE" in result.err


def test_address_must_be_chosen(didww, number, person, proofs):
    """If several addresses fit, they are listed."""
    didww.ok(f"{ADDRESS.replace('1 Example', '2 Example')} --country DE")
    result = didww(f"numbers register +{number} --identity Example {proofs} --yes")
    assert result.code == 2
    assert "Pass --address. There are:" in result.err
    assert "2 Example Street" in result.err


def test_address_of_somebody_else_is_refused(didww, number, person, proofs):
    """The address must belong to the identity."""
    didww.ok("identities create --type personal --first-name Kim --last-name Other --phone 442079460000")
    result = didww(f"numbers register +{number} --identity Other --address '1 Example Street' {proofs} --yes")
    assert result.code == 2
    assert "belongs to Alex Example, not to Kim Other" in result.err


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ("--service-description Support", 2, "--service-description"),
        ("--onetime {file}", 2, "--onetime"),
        ("--permanent {file}", 2, "--permanent"),
        ("--proof library-card={file}", 4, "Accepted: Passport"),
        ("--proof passport=/nowhere.pdf", 2, "/nowhere.pdf"),
        ("--proof passport", 2, "NAME=VALUE"),
        ("--callback-url nowhere", 2, "--callback-url"),
        ("--wait soon", 2, "soon"),
        ("--timeout soon", 2, "soon"),
    ],
)
def test_options_that_do_not_fit(didww, number, person, proofs, tmp_path, options, code, text):
    """The option is named, and nothing is sent."""
    options = options.format(file=tmp_path / "passport.pdf")
    result = didww(f"numbers register +{number} --identity Example {proofs} {options} --yes")
    assert result.code == code, result
    assert text in result.err
    assert sent(didww) == {}


def test_number_of_another_account(didww):
    """Exit code 4."""
    assert didww("numbers register +4930000000").code == 4


def test_number_without_need(didww):
    """A number that needs no registration is no error."""
    number = buy(didww, "GB", "Local", needs_registration=False)[0]
    result = didww(f"numbers register {number}")
    assert (result.code, result.out) == (0, "")
    assert "needs no registration" in result.err


def test_not_confirmed_without_a_terminal(didww, number, person, proofs):
    """The plan is printed, and nothing is sent."""
    result = didww(f"numbers register +{number} --identity Example {proofs}")
    assert result.code == 2
    assert "- uploads Passport: passport.pdf" in result.err
    assert "--yes" in result.err
    assert sent(didww) == {}


def test_dry_run_prints_the_requests(didww, number, person, proofs):
    """Nothing is stored; the last request is the verification."""
    out = didww.ok(f"numbers register +{number} --identity Example {proofs} --dry-run")
    assert out.count("POST ") == 5
    assert "/v3/address_verifications\n" in out
    assert sent(didww) == {}


def test_validation_of_the_service_decides(didww, number, person, proofs):
    """What DIDWW finds missing ends the command before the submission."""
    didww.emulator.faults.add(
        path="/address_requirement_validations", status=422, body='{"errors": [{"detail": "VAT ID is required"}]}'
    )
    result = didww(f"numbers register +{number} --identity Example {proofs} --yes")
    assert result.code == 7
    assert "VAT ID is required" in result.err
    assert "/address_verifications" not in sent(didww)


# In a terminal


@pytest.mark.slow
def test_terminal_asks_for_what_is_missing(didww, number, person, tmp_path):
    """Identity, proofs and files are asked for; Ctrl-C tells the reference and how to go on."""
    didww.ok("identities create --type personal --first-name Kim --last-name Other --phone 442079460000")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7 scan")
    didww.emulator.transitions.set("address_verifications", by_hand=True)
    with didww.terminal(f"numbers register +{number} --callback-url https://example.com/didww") as terminal:
        terminal.expect("Register to which identity:")
        terminal.expect("Number: ")
        names = [line.split(maxsplit=1) for line in terminal.text.splitlines() if line.strip()[:1].isdigit()]
        terminal.send("n\n")
        terminal.expect("Type a number from 1 to 2.")
        terminal.send(f"{next(index for index, name in names if name == 'Alex Example')}\n")
        terminal.expect("Proof of identity")
        terminal.send("1\n")
        terminal.expect("Passport, file")
        terminal.send(f"{scan}\n")
        terminal.expect("Proof of address")
        terminal.send("1\n")
        terminal.expect("Utility Bill, file")
        terminal.send(f"{scan}\n")
        terminal.expect("Submit the registration? [y/N]")
        terminal.send("y\n")
        terminal.expect(": pending")
        terminal.interrupt()
        assert terminal.wait() == 130
        (verification,) = didww.client.address_verifications().list().data
        assert f"To continue: didww verifications wait {verification.reference}" in terminal.text
    didww.emulator.transitions.approve(verification.id)
    assert "approved" in didww.ok(f"verifications wait {verification.reference}")


@pytest.mark.slow
def test_no_is_an_answer(didww, number, person, proofs):
    """Nothing is uploaded if the answer is no."""
    with didww.terminal(f"numbers register +{number} --identity Example {proofs}") as terminal:
        terminal.expect("[y/N]")
        terminal.send("n\n")
        assert terminal.wait() == 1
        assert "Nothing was changed." in terminal.text
    assert sent(didww) == {}


@pytest.mark.slow
def test_works_in_a_pipe(didww, number, person, proofs):
    """The real program prints JSON alone to standard output."""
    result = didww.process(f"numbers register +{number} --identity Example {proofs} --yes -o json")
    assert result.code == 0, result
    assert json.loads(result.out)["status"] == "approved"
    assert "approved" in result.err


def test_examples_run(didww, number, person, tmp_path, monkeypatch):
    """Each example works with a number of the account."""
    from didww.cli.numbers.register import register

    monkeypatch.chdir(tmp_path)
    for name in ("1.pdf", "2.pdf"):
        (tmp_path / name).write_bytes(b"%PDF-1.7")
    for example in register.examples:  # type: ignore[attr-defined]
        line = example.removeprefix("didww ").replace("+493023125010", number)
        didww.ok(line if "--identity" not in line else f"{line} --yes")
    assert not awaits_registration(didww, number)
