"""Generic `create`, `update` and `delete` show and confirm what they change elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.cli_account import buy_numbers, route, writes

if TYPE_CHECKING:
    from support.command import Command


@pytest.fixture
def account(didww: Command) -> Command:
    """Return the command with trunks A and B, the group G with A, an outbound trunk and channels."""
    for line in (
        "trunks create A --sip 192.0.2.10",
        "trunks create B --sip 192.0.2.10",
        "groups create G A",
        "out-trunks create Out --allow 192.0.2.10",
        "capacity buy Europe --channels 10",
    ):
        didww.ok(f"{line} --yes")
    return didww


def asks(didww: Command, line: str, *texts: str) -> None:
    """Check that a command asks, says why, and sends nothing without an answer."""
    before = writes(didww)
    result = didww(line)
    assert (result.code, result.out) == (2, ""), result
    assert not [text for text in (*texts, "--yes") if text not in result.err], result.err
    assert writes(didww) == before


def test_new_credentials_ask(account):
    """The old ones stop working."""
    line = "voice-out-trunk-regenerate-credentials create --voice-out-trunk Out"
    asks(account, line, "Outbound trunk Out", "stop working at once")
    account.ok(f"{line} --yes")


def test_a_new_group_with_trunks_asks(account):
    """It says which group they leave; an empty one does not ask."""
    line = "voice-in-trunk-groups create --name Thief --voice-in-trunks A --voice-in-trunks B"
    asks(account, line, "Trunk A joins the group, and leaves group G.", "Trunk B joins the group.")
    account.ok("voice-in-trunk-groups create --name Empty")


def test_a_new_trunk_in_a_group_asks(account):
    """It says which numbers are routed to the group."""
    (number,) = buy_numbers(account, 1)
    route(account, number, group="G")
    line = "voice-in-trunks create --name C --dst 442079460000"
    asks(account, f"{line} --voice-in-trunk-group G", "Trunk C joins group G", f"1 number is routed to it: {number}.")
    account.ok(line)


def test_a_new_shared_group_asks(account):
    """With numbers or metered channels; without them it does not."""
    first, second = buy_numbers(account, 2)
    account.ok(f"capacity share S --pool Europe --channels 1 --number {first} --yes")
    line = "shared-capacity-groups create --capacity-pool Europe --shared-channels-count 1 --name"
    asks(account, f"{line} T --dids {first},{second}", f"{first} joins the group, and leaves group S.", second)
    asks(account, f"{line} T --metered-channels-count 9", "Metered channels: 9", "by the minute")
    account.ok(f"{line} T")


def test_an_emergency_verification_asks(account):
    """It is charged for."""
    (number,) = buy_numbers(account, 1)
    line = f"emergency-verifications create --dids {number} --address 8d1a3c5e-0000-4000-8000-000000000001"
    asks(account, line, number, "charged for monthly")


def test_an_address_is_changed_after_a_question(account):
    """Registrations depend on it; its description is harmless."""
    account.ok("identities create --type personal --first-name Kim --last-name Sample --phone +14155550100")
    (identity,) = account.client.identities().iterate()
    line = f"resources identities update {identity.id}"
    asks(account, f"{line} --last-name Other", "last name: Sample -> Other")
    account.ok(f"{line} --description Note")


def test_deleting_a_group_names_its_trunks(account):
    """The service deletes them with it."""
    asks(account, "voice-in-trunk-groups delete G", "Its trunks are deleted with it: A.", "didww groups delete")


def test_deleting_a_number_says_what_is_lost(account):
    """The number and its paid days."""
    (number,) = buy_numbers(account, 1)
    did = account.client.dids().one(filter={"number": number})
    asks(account, f"dids delete {number}", "for good", f"paid until {did.expires_at:%Y-%m-%d}; these days are lost")


def test_deleting_others_says_what_ends(account):
    """Calls of an outbound trunk; channels of numbers."""
    (number,) = buy_numbers(account, 1)
    account.ok(f"capacity share S --pool Europe --channels 1 --number {number} --yes")
    asks(account, "voice-out-trunks delete Out", "calls end at once")
    asks(account, "shared-capacity-groups delete S", f"lose its channels: {number}")
