"""Test exports of text messages, and the filters of exports that version 2026-11-19 added."""

from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    Did,
    Export,
    HttpInConfiguration,
    SmppEsmeConfiguration,
    SmsToEmailConfiguration,
    SmsTrunk,
    SmsTrunkGroup,
    UnsupportedVersionError,
)
from didww.emulator.data.messages import SMS_IN_COLUMNS, SMS_OUT_COLUMNS
from support.api_caller import Caller, document
from support.token_caller import TokenCaller

if TYPE_CHECKING:
    from pathlib import Path

    from didww import DidwwClient
    from didww.emulator import Emulator

VERSION = "2026-11-19"
NUMBER, OTHER = "442079460001", "442079460002"
SOURCE = "447700900123"
NOWHERE = "8d1a3c5e-0000-4000-8000-000000000001"
PERIOD = {"from": "2026-11-16 00:00:00", "to": "2026-11-20 00:00:00"}


@pytest.fixture
def client(emulator: Emulator) -> DidwwClient:
    """Return a client of the version with text messages, four days after Monday, and no other messages or calls."""
    emulator.clock.freeze("2026-11-20T12:00:00Z")
    emulator.messages.rate(0)
    emulator.calls.rate(0)
    return emulator.client(api_version=VERSION)


class Account:
    """An account with two numbers, two trunks and a sender ID."""

    def __init__(self, emulator: Emulator, client: DidwwClient, folder: Path) -> None:
        self.emulator, self.client, self.folder = emulator, client, folder
        trunks = client.sms_trunks()
        email = SmsToEmailConfiguration(send_to="sms@example.com", subject="s", message="{SMS_TEXT}")
        self.email = trunks.create(SmsTrunk(name="Mail", configuration=email)).data
        esme = SmppEsmeConfiguration(server_location="fra")
        numbers = [{"number": NUMBER}, {"number": OTHER}]
        self.dids = [Did.build(id) for id in emulator.state.seed({"dids": numbers})["dids"]]
        self.esme = trunks.create(SmsTrunk(name="Both", configuration=esme, outgoing_dids=self.dids[:1])).data
        for did, trunk in zip(self.dids, (self.email, self.esme), strict=True):
            client.dids().update(Did.build(did.id, sms_trunk=trunk))
        self.sender = emulator.sender_ids.add("Shop", sender_ids=["SHOP"], trunk=self.esme.id)

    def rows(self, kind: str, **filters: Any) -> list[dict[str, str]]:
        """Return the rows of an export of today."""
        whole = {"from": "2026-11-20 00:00:00", "to": "2026-11-20 12:00:01", **filters}
        self.emulator.clock.advance("1 s")
        return self.export(kind, whole)

    def export(self, kind: str, filters: dict[str, Any]) -> list[dict[str, str]]:
        exports = self.client.exports()
        export = exports.create(Export(export_type=kind, filters=filters)).data  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        self.emulator.clock.advance("2 s")
        done = exports.find(export.id).data
        assert done.url is not None
        path = self.folder / f"{export.id}.csv.gz"
        self.client.download_export(done, path)
        return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))


@pytest.fixture
def account(emulator: Emulator, client: DidwwClient, tmp_path: Path) -> Account:
    """Return an account."""
    return Account(emulator, client, tmp_path)


def test_exports_have_simulated_inbound_messages(account: Account, emulator: Emulator) -> None:
    """Each message is a row with the trunk that received it; a blocked trunk fails."""
    (message,) = emulator.messages.inbound(NUMBER, source=SOURCE, parts=2)
    emulator.messages.inbound(OTHER, status="Queued")
    account.client.sms_trunks().update(SmsTrunk.build(account.email.id, blocked=True))
    emulator.messages.inbound(NUMBER)
    first, second, third = account.rows("sms_in")
    assert tuple(first) == SMS_IN_COLUMNS
    assert (first["SMS ID"], first["Date/Time (UTC)"]) == (message.sms_id, message.at)
    assert (first["Source Address"], first["Destination Address"]) == (SOURCE, NUMBER)
    assert (first["Trunk Type"], first["SMS Trunk"], first["Message Parts"]) == ("Email", "Mail", "2")
    assert [row["Status"] for row in (first, second, third)] == ["Success", "Queued", "Failed"]
    assert second["Trunk Type"] == "SMPP ESME"


def test_exports_have_simulated_outbound_messages(account: Account, emulator: Emulator) -> None:
    """The source is a sender ID or an outgoing DID of the trunk; a blocked trunk sends none."""
    (message,) = emulator.messages.outbound(account.esme.id, destination=SOURCE)
    emulator.messages.outbound(account.esme.id, source=NUMBER, service_type="p2p", status="Failed")
    account.client.sms_trunks().update(SmsTrunk.build(account.esme.id, blocked=True))
    assert emulator.messages.outbound(account.esme.id) == []
    first, second = account.rows("sms_out")
    assert tuple(first) == SMS_OUT_COLUMNS
    assert (first["SMS ID"], first["Charged (USD)"]) == (message.sms_id, message.charged)
    assert (first["Source Address"], first["Sender ID"]) == ("SHOP", account.sender.reference)
    assert (first["Destination Country"], first["Service Type"]) == ("United Kingdom", "A2P")
    assert (second["Source Address"], second["Sender ID"], second["Service Type"]) == (NUMBER, "", "P2P")
    assert second["Charged (USD)"] == "0.000"


def test_filters_of_inbound_messages(account: Account, emulator: Emulator) -> None:
    """Each filter selects rows; several select those that match all."""
    (one,) = emulator.messages.inbound(NUMBER, source=SOURCE)
    (two,) = emulator.messages.inbound(OTHER, source="SHOP 24", status="Failed")
    for filters, expected in (
        ({"source_address_eq": SOURCE}, [one]),
        ({"source_address_eq": SOURCE[:5]}, []),
        ({"source_address_cont": "HOP"}, [two]),
        ({"destination_address_eq": OTHER}, [two]),
        ({"destination_address_cont": "7946"}, [one, two]),
        ({"status": "Failed"}, [two]),
        ({"trunk_type": "Email"}, [one]),
        ({"trunk_type": ["Email", "SMPP ESME"]}, [one, two]),
        ({"sms_trunk.id": account.email}, [one]),
        ({"sms_trunk.id": [account.email, account.esme.id]}, [one, two]),
        ({"sms_trunk.id": NOWHERE}, []),
        ({"sms_id": two.sms_id}, [two]),
        ({"status": "Failed", "trunk_type": "Email"}, []),
    ):
        rows = account.rows("sms_in", **filters)
        assert [row["SMS ID"] for row in rows] == [message.sms_id for message in expected], filters


def test_filters_of_outbound_messages(account: Account, emulator: Emulator) -> None:
    """Sender IDs and trunks are selected by id, the service type in any case."""
    (one,) = emulator.messages.outbound(account.esme.id)
    (two,) = emulator.messages.outbound(account.esme.id, source=NUMBER, service_type="P2P", status="Routing Error")
    for filters, expected in (
        ({"service_type": "a2P"}, [one]),
        ({"service_type": "p2p"}, [two]),
        ({"status": "Routing Error"}, [two]),
        ({"sender_id_verification.id": account.sender.id}, [one]),
        ({"sender_id_verification.id": [NOWHERE]}, []),
        ({"sms_trunk.id": account.esme}, [one, two]),
        ({"source_address_eq": "SHOP"}, [one]),
    ):
        rows = account.rows("sms_out", **filters)
        assert [row["SMS ID"] for row in rows] == [message.sms_id for message in expected], filters


def test_filters_are_echoed(account: Account) -> None:
    """Filters are stored as sent."""
    filters: Any = {**PERIOD, "service_type": "a2P", "sms_trunk.id": [account.esme.id]}
    export = account.client.exports().create(Export(export_type="sms_out", filters=filters)).data  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert dict(account.client.exports().find(export.id).data.filters) == filters


def test_generated_messages_are_the_same_in_each_export(account: Account, emulator: Emulator) -> None:
    """They depend on the seed, the line and the day; only routed numbers and trunks with a source have them."""
    emulator.messages.rate(4)
    inbound = account.export("sms_in", PERIOD)
    assert inbound == account.export("sms_in", PERIOD)
    assert {row["Destination Address"] for row in inbound} == {NUMBER, OTHER}
    assert [row["Date/Time (UTC)"] for row in inbound] == sorted(row["Date/Time (UTC)"] for row in inbound)
    assert all(PERIOD["from"] <= row["Date/Time (UTC)"] < PERIOD["to"] for row in inbound)
    outbound = account.export("sms_out", PERIOD)
    assert {row["Source Address"] for row in outbound} == {"SHOP", NUMBER}
    assert {row["SMS Trunk"] for row in outbound} == {"Both"}
    by_sender = account.export("sms_out", {**PERIOD, "sender_id_verification.id": account.sender.id})
    assert by_sender == [row for row in outbound if row["Sender ID"]]
    for did in account.dids:
        account.client.dids().update(Did.build(did.id, sms_trunk=None))
    assert account.export("sms_in", PERIOD) == []


def test_a_group_uses_the_highest_priority(account: Account, emulator: Emulator) -> None:
    """The trunk with the highest priority gets the message, unless it is blocked."""
    trunks = account.client.sms_trunks()
    web = HttpInConfiguration(url="https://hooks.example.com", http_method="get")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    high = trunks.create(SmsTrunk(name="Web", configuration=web, priority=200)).data
    group = account.client.sms_trunk_groups().create(SmsTrunkGroup(name="All", sms_trunks=[account.email, high])).data
    account.client.dids().update(Did.build(account.dids[0].id, sms_trunk_group=group))
    emulator.messages.inbound(NUMBER)
    trunks.update(SmsTrunk.build(high.id, blocked=True))
    emulator.messages.inbound(NUMBER)
    assert [row["Trunk Type"] for row in account.rows("sms_in")] == ["HTTP IN", "Email"]


def test_new_filters_of_call_records(account: Account, emulator: Emulator) -> None:
    """Inbound calls are filtered by caller and its country, outbound ones by caller and destination."""
    emulator.calls.inbound(NUMBER, source=SOURCE)
    emulator.calls.inbound(NUMBER, source="12125550123")
    for filters, count in (
        ({"source_number": SOURCE}, 1),
        ({"source_number_out": "12125550123"}, 1),
        ({"source_country_iso": "GB"}, 1),
        ({"source_country_iso": "US", "did_number": NUMBER}, 1),
        ({"source_country_iso": "FR"}, 0),
    ):
        assert len(account.rows("cdr_in", **filters)) == count, filters
    for filters in ({"source": "1"}, {"cli": "1"}, {"destination": SOURCE}):
        assert account.rows("cdr_out", **filters) == []


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        ("sms_in", {"service_type": "p2p"}),
        ("sms_in", {"status": "In Progress"}),
        ("sms_in", {"trunk_type": "Fax"}),
        ("sms_in", {"trunk_type": []}),
        ("sms_in", {"source_address_eq": " "}),
        ("sms_out", {"trunk_type": "Email"}),
        ("sms_out", {"service_type": "otp"}),
        ("sms_out", {"sms_trunk.id": ""}),
        ("cdr_in", {"source": "1"}),
        ("cdr_in", {"source_number": ""}),
        ("cdr_out", {"source_number": "1"}),
    ],
)
def test_the_service_refuses_other_filters(kind: str, filters: dict[str, Any], emulator: Emulator) -> None:
    """Filters of other types, blanks and unknown values are a 422."""
    emulator.clock.freeze("2026-11-20T12:00:00Z")
    body = document("exports", export_type=kind, filters={**PERIOD, **filters})
    assert TokenCaller(emulator.engine, emulator.key).error("POST", "/exports", body)["status"] == "422"


def test_the_older_version_has_neither(emulator: Emulator) -> None:
    """In version 2026-04-16 the client refuses message exports and new filters before sending, and so does the service."""
    emulator.clock.freeze("2026-11-20T12:00:00Z")
    client = emulator.client()
    for kind, more in (("sms_in", {}), ("cdr_in", {"source_number": SOURCE}), ("cdr_out", {"cli": SOURCE})):
        with pytest.raises(UnsupportedVersionError, match="in API version 2026-04-16"):
            client.exports().create(Export(export_type=kind, filters={**PERIOD, **more}))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    for name, value in (("status", "pending"), ("export_type", "cdr_in"), ("created_at_gteq", "2026-11-01T00:00:00Z")):
        with pytest.raises(UnsupportedVersionError, match=name):
            client.exports().list(filter={name: value})  # type: ignore[misc] # pyright: ignore[reportArgumentType]
    assert emulator.journal.entries() == []
    body = document("exports", export_type="cdr_in", filters={**PERIOD, "source_number": SOURCE})
    assert Caller(emulator.engine, emulator.key).error("POST", "/exports", body)["status"] == "422"


def test_filters_of_the_list(account: Account, emulator: Emulator) -> None:
    """Exports are filtered by type and status, several at once, and by time of creation, inclusive."""
    exports = account.client.exports()
    emulator.transitions.set("exports", by_hand=True)
    made = [exports.create(Export(export_type=kind, filters=PERIOD)).data for kind in ("sms_in", "sms_out", "cdr_in")]  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    emulator.transitions.complete(made[0].id)
    assert exports.list(filter={"export_type": ["sms_in", "cdr_in"]}).data == [made[0], made[2]]
    assert exports.list(filter={"status": "completed"}).data == [made[0]]
    at = made[0].created_at
    assert at is not None
    assert exports.count(filter={"created_at_gteq": at, "created_at_lteq": at}) == 3
    assert exports.count(filter={"created_at_lteq": "2026-11-19T00:00:00Z"}) == 0


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("inbound", {"did": "442079460009"}, LookupError),
        ("inbound", {"did": NUMBER, "count": 0}, ValueError),
        ("inbound", {"did": NUMBER, "status": "In Progress"}, ValueError),
        ("inbound", {"did": NUMBER, "parts": 11}, ValueError),
        ("outbound", {"trunk": NOWHERE}, LookupError),
        ("rate", {"a_day": -1}, ValueError),
    ],
)
def test_messages_that_cannot_be_simulated(
    method: str, arguments: dict[str, Any], error: type[Exception], account: Account, emulator: Emulator
) -> None:
    """The control raises, and nothing is recorded."""
    with pytest.raises(error):
        getattr(emulator.messages, method)(**arguments)
    assert account.rows("sms_in") == []


def test_messages_need_a_route_and_a_source(account: Account, emulator: Emulator) -> None:
    """A number without an SMS trunk receives none; a trunk sends from its own addresses only."""
    account.client.dids().update(Did.build(account.dids[0].id, sms_trunk=None))
    with pytest.raises(ValueError, match="has no SMS trunk"):
        emulator.messages.inbound(NUMBER)
    with pytest.raises(ValueError, match="does not send"):
        emulator.messages.outbound(account.email.id)
    with pytest.raises(ValueError, match="no source address"):
        emulator.messages.outbound(account.esme.id, source=OTHER)
    account.client.sms_trunks().update(SmsTrunk.build(account.esme.id, allow_any_did_as_source=True))
    assert emulator.messages.outbound(account.esme.id, source=OTHER)[0].source == OTHER
