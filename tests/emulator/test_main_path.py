"""Test the main path on the emulator: search, price, order, own, route, export, download."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from didww import DidwwClient, QueryParams
from didww.emulator import Clock, Emulator
from didww.enums import CliFormat, Codec, ExportType, OrderStatus, TransportProtocol
from didww.exceptions import (
    AuthenticationError,
    DidwwApiError,
    InsufficientBalanceError,
    NotFoundError,
    ValidationError,
)
from didww.resources.available_did import AvailableDid
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.did import Did
from didww.resources.did_reservation import DidReservation
from didww.resources.export import Export
from didww.resources.order import Order
from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from support.api_caller import Caller, document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from didww.resources.did_group import DidGroup

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
CODECS = [Codec.PCMU, Codec.PCMA]
NOWHERE = "8d1a3c5e-0000-4000-8000-000000000001"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator with its clock frozen at noon."""
    with Emulator(clock=Clock(NOON, running=False)) as emulator:
        yield emulator


def group_of(client: DidwwClient, prefix: str = "4420") -> DidGroup:
    """Return the group of a prefix, country code included."""
    code = prefix[: 1 if prefix.startswith("1") else 2]
    for country in client.countries().list(filter={"prefix": code}).data:
        wanted: Any = {"prefix": prefix.removeprefix(code), "country.id": country.id}
        for group in client.did_groups().list(filter=wanted, include="stock_keeping_units").data:
            return group
    raise LookupError(prefix)


def buy(emulator: Emulator, client: DidwwClient, qty: int = 1, prefix: str = "4420") -> list[Did]:
    group = group_of(client, prefix)
    sku = group.stock_keeping_units[0]
    order = client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=qty)])).data
    emulator.clock.advance(1)
    return client.dids().list(filter={"order.id": order.id}, include=["order", "did_group"]).data


def trunk_of(client: DidwwClient, name: str = "Front desk", **fields: Any) -> VoiceInTrunk:
    sip = SipConfiguration(codec_ids=CODECS, host="sip.example.com", port=5060)
    return client.voice_in_trunks().create(VoiceInTrunk(name=name, configuration=sip, **fields)).data


def test_fluent_query_combines_filter_include_sort_and_page(client: DidwwClient) -> None:
    """Regions are returned in one list, so the page changes nothing."""
    country = client.countries().list(filter={"iso": "US"}).data[0]
    params = QueryParams().filter("country.id", country.id).filter("name", "Arizona").include("country").sort("name")
    (region,) = client.regions().list(params.page(1, 25)).data
    assert (region.iso, region.country) == ("US-AZ", country)


# Orders


def test_order_is_charged_at_once_and_completes_later(emulator: Emulator, client: DidwwClient) -> None:
    """Balance and stock go down at once, the DIDs exist after completion."""
    group = group_of(client)
    sku = min(group.stock_keeping_units, key=lambda sku: sku.monthly_price)
    stock, money = group.meta.total_count, client.balance().find().data.total_balance
    order = client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=3)], external_reference_id="mine")).data
    assert order.status is OrderStatus.PENDING
    assert order.amount == 3 * (sku.setup_price + sku.monthly_price)
    assert client.balance().find().data.total_balance == money - order.amount
    assert group_of(client).meta.total_count == (stock or 0) - 3
    assert client.dids().list().data == []
    emulator.clock.advance(1)
    response = client.orders().list(filter={"external_reference_id": "mine"})
    assert "allow_back_ordering" not in response.raw["data"][0]["attributes"]
    order = response.data[0]
    assert order.status is OrderStatus.COMPLETED
    (item,) = order.items
    assert isinstance(item, DidOrderItem)
    assert (item.nrc, item.mrc) == (item.setup_price, item.monthly_price) == (sku.setup_price, sku.monthly_price)
    assert (item.qty, item.billed_from, item.billed_to) == (3, "2026-03-15", "2026-04-14")
    dids = client.dids().list(include=["order", "did_group"]).data
    assert len({did.number for did in dids}) == 3
    for did in dids:
        assert did.number.startswith("442079460")
        assert did.order == order
        assert did.did_group == group
        assert did.expires_at == datetime(2026, 4, 15, 12, 0, 1, tzinfo=UTC) - timedelta(seconds=0.6)
        assert (did.blocked, did.awaiting_registration, did.channels_included_count) == (
            False,
            False,
            sku.channels_included_count,
        )
    assert group_of(client).meta.total_count == (stock or 0) - 3


def test_dids_that_need_registration_are_blocked(emulator: Emulator, client: DidwwClient) -> None:
    """They stay blocked until they are registered."""
    (did,) = buy(emulator, client, prefix="4930")
    assert (did.blocked, did.awaiting_registration) == (True, True)


def test_order_with_insufficient_balance_changes_nothing(emulator: Emulator, client: DidwwClient) -> None:
    """400 with both amounts; stock, balance and orders stay unchanged."""
    group = group_of(client)
    sku = max(group.stock_keeping_units, key=lambda sku: sku.monthly_price)
    emulator.balance.put(10)
    with pytest.raises(InsufficientBalanceError) as caught:
        client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=100)]))
    assert caught.value.available_balance == 10
    assert caught.value.total_cost == 100 * (sku.setup_price + sku.monthly_price)
    assert client.balance().find().data.total_balance == 10
    assert client.orders().list().total_records == 0
    assert group_of(client).meta.total_count == group.meta.total_count


def test_order_beyond_the_stock_is_rejected_or_back_ordered(emulator: Emulator, client: DidwwClient) -> None:
    """422 names the item; a back order stays pending and can be canceled with a refund."""
    sku = group_of(client, "44115").stock_keeping_units[0]
    assert group_of(client, "44115").meta.total_count == 2
    order = Order(items=[DidOrderItem(sku_id=sku.id, qty=3)], allow_back_ordering=False)
    with pytest.raises(ValidationError) as caught:
        client.orders().create(order)
    assert caught.value.fields == {"items[0].qty": ["exceeds available DIDs count"]}
    assert group_of(client, "44115").meta.total_count == 2
    waiting = client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=3)])).data
    emulator.clock.advance(3600)
    assert client.orders().find(waiting.id).data.status is OrderStatus.PENDING
    assert group_of(client, "44115").meta.total_count == 0
    assert client.orders().delete(waiting).data is None
    assert client.orders().find(waiting.id).data.status is OrderStatus.CANCELED
    assert client.balance().find().data.total_balance == 10_000
    assert group_of(client, "44115").meta.total_count == 2
    emulator.clock.advance(3600)
    assert client.dids().list().total_records == 0
    with pytest.raises(ValidationError, match="Order not pending"):
        client.orders().delete(waiting)


def test_available_did_can_be_bought_once(emulator: Emulator, client: DidwwClient) -> None:
    """Buying it again returns an error with its field."""
    group = group_of(client)
    response = client.available_dids().list(filter={"did_group.id": group.id}, include="did_group.stock_keeping_units")
    assert response.total_records == group.meta.total_count
    chosen = response.data[0]
    assert chosen.did_group is not None
    item = AvailableDidOrderItem(available_did_id=chosen.id, sku_id=chosen.did_group.stock_keeping_units[0].id)
    client.orders().create(Order(items=[item]))
    with pytest.raises(DidwwApiError) as caught:
        client.orders().create(Order(items=[item]))
    assert isinstance(caught.value, ValidationError)
    assert caught.value.fields == {"items[0].available_did_id": ["is invalid"]}
    emulator.clock.advance(1)
    assert [did.number for did in client.dids().list().data] == [chosen.number]
    with pytest.raises(NotFoundError):
        client.available_dids().find(chosen.id)


def test_reservation_lasts_ten_minutes(emulator: Emulator, client: DidwwClient) -> None:
    """It can be bought, deleted, or expires."""
    group = group_of(client)
    number, other, third = client.available_dids().list(filter={"did_group.id": group.id}).data[:3]
    held = client.did_reservations().create(DidReservation(available_did=number, description="for a client")).data
    assert held.expires_at == NOON + timedelta(minutes=10)
    with pytest.raises(ValidationError) as caught:
        client.did_reservations().create(DidReservation(available_did=AvailableDid.build(number.id)))
    assert caught.value.fields == {"available_did": ["is invalid"]}
    assert client.did_reservations().list().meta["available_count"] == 9
    assert group_of(client).meta.total_count == (group.meta.total_count or 0) - 1
    item = ReservationDidOrderItem(did_reservation_id=held.id, sku_id=group.stock_keeping_units[0].id)
    client.orders().create(Order(items=[item]))
    with pytest.raises(NotFoundError):
        client.did_reservations().find(held.id)
    emulator.clock.advance(1)
    assert [did.number for did in client.dids().list().data] == [number.number]
    released = client.did_reservations().create(DidReservation(available_did=other)).data
    client.did_reservations().delete(released)
    assert client.available_dids().find(other.id).data.number == other.number
    forgotten = client.did_reservations().create(DidReservation(available_did=third)).data
    emulator.clock.advance(601)
    with pytest.raises(NotFoundError):
        client.did_reservations().find(forgotten.id)
    assert client.available_dids().find(third.id).data.number == third.number


def test_account_is_limited_to_ten_reservations(client: DidwwClient) -> None:
    """The eleventh is rejected."""
    numbers = client.available_dids().list(filter={"did_group.id": group_of(client).id}).data
    for number in numbers[:10]:
        client.did_reservations().create(DidReservation(available_did=number))
    with pytest.raises(ValidationError):
        client.did_reservations().create(DidReservation(available_did=numbers[10]))


def test_invalid_orders_return_errors_by_field(client: DidwwClient) -> None:
    """Unknown SKU, reservation, prefix or pool, or another group's number."""
    sku = group_of(client).stock_keeping_units[0]
    foreign = client.available_dids().list(filter={"did_group.id": group_of(client, "1212").id}).data[0]
    for item, field in (
        (DidOrderItem(sku_id=NOWHERE, qty=1), "items[0].sku_id"),
        (AvailableDidOrderItem(sku_id=sku.id, available_did_id=foreign.id), "items[0].available_did_id"),
        (ReservationDidOrderItem(sku_id=sku.id, did_reservation_id=NOWHERE), "items[0].did_reservation_id"),
        (DidOrderItem(sku_id=sku.id, qty=1, nanpa_prefix_id=NOWHERE), "items[0].nanpa_prefix_id"),
        (CapacityOrderItem(capacity_pool_id=NOWHERE, qty=5), "items[0].capacity_pool_id"),
    ):
        with pytest.raises(ValidationError) as caught:
            client.orders().create(Order(items=[item]))
        assert list(caught.value.fields) == [field]
    assert client.balance().find().data.total_balance == 10_000


def test_dids_can_be_bought_by_nanpa_prefix(emulator: Emulator, client: DidwwClient) -> None:
    """NPA-NXX 212-555 leads to the group, and the number starts with it."""
    (prefix,) = client.nanpa_prefixes().list(filter={"npanxx": "212555"}).data
    (group,) = client.did_groups().list(filter={"nanpa_prefix.id": prefix.id}, include="stock_keeping_units").data
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1, nanpa_prefix_id=prefix.id)
    client.orders().create(Order(items=[item]))
    emulator.clock.advance(1)
    (did,) = client.dids().list().data
    assert did.number.startswith("121255501")


# Routing


def test_trunk_gets_defaults_and_needs_a_unique_name(client: DidwwClient) -> None:
    """The name of another trunk or group is rejected."""
    trunk = trunk_of(client)
    assert (trunk.priority, trunk.weight, trunk.cli_format) == (1, 65535, CliFormat.E164)
    assert isinstance(trunk.configuration, SipConfiguration)
    assert trunk.configuration.host == "sip.example.com"
    assert trunk.configuration.transport_protocol_id is TransportProtocol.UDP
    assert trunk.configuration.tx_dtmf_format_id == 1
    assert trunk.configuration.rerouting_disconnect_code_ids is None
    assert trunk.created_at == NOON
    with pytest.raises(ValidationError) as caught:
        trunk_of(client)
    assert caught.value.fields == {"name": ["has already been taken"]}
    with pytest.raises(ValidationError) as caught:
        client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name=trunk.name))
    assert caught.value.fields == {"name": ["has already been taken"]}


def test_configuration_changed_in_place_is_saved(client: DidwwClient) -> None:
    """A changed list and text are stored; everything else stays."""
    trunk = trunk_of(client)
    assert isinstance(trunk.configuration, SipConfiguration)
    before = trunk.configuration.to_dict()["attributes"]
    trunk.configuration.codec_ids.append(Codec.GSM)
    trunk.configuration.host = "sip2.example.com"
    client.voice_in_trunks().update(trunk)
    after = client.voice_in_trunks().find(trunk.id).data.configuration.to_dict()["attributes"]
    assert after == {**before, "host": "sip2.example.com", "codec_ids": [*before["codec_ids"], Codec.GSM]}


def test_enabling_sip_registration_creates_credentials_and_clears_the_host(client: DidwwClient) -> None:
    """Disabling it removes the credentials."""
    trunk = trunk_of(client)
    sip = trunk.configuration
    assert isinstance(sip, SipConfiguration)
    sip.enabled_sip_registration = True
    sip.use_did_in_ruri = True
    updated = client.voice_in_trunks().update(trunk).data
    configuration = updated.configuration
    assert isinstance(configuration, SipConfiguration)
    assert (configuration.host, configuration.port) == (None, None)
    for secret in (configuration.incoming_auth_username, configuration.incoming_auth_password):
        assert re.fullmatch(r"[A-Za-z0-9]{16}", secret or "")
    assert configuration.incoming_auth_password
    assert configuration.incoming_auth_password not in repr(updated)
    configuration.enabled_sip_registration = False
    configuration.host = "sip.example.com"
    back = client.voice_in_trunks().update(updated).data.configuration
    assert isinstance(back, SipConfiguration)
    assert (back.incoming_auth_username, back.use_did_in_ruri) == (None, False)


def test_setting_a_host_disables_sip_registration(client: DidwwClient) -> None:
    """The required members are sent along, for loaded and new trunks."""
    trunk = client.voice_in_trunks().create(
        VoiceInTrunk(
            name="Phone",
            configuration=SipConfiguration(codec_ids=CODECS, enabled_sip_registration=True, use_did_in_ruri=True),
        )
    )
    sip = trunk.data.configuration
    assert isinstance(sip, SipConfiguration)
    sip.host = "sip.example.com"
    moved = client.voice_in_trunks().update(trunk.data).data
    assert isinstance(moved.configuration, SipConfiguration)
    assert (moved.configuration.host, moved.configuration.enabled_sip_registration) == ("sip.example.com", False)
    for configuration in (
        SipConfiguration(codec_ids=CODECS, enabled_sip_registration=True),
        SipConfiguration(codec_ids=CODECS, host="sip2.example.com"),
    ):
        built = VoiceInTrunk()
        built.id = moved.id
        built.configuration = configuration
        moved = client.voice_in_trunks().update(built).data
    assert isinstance(moved.configuration, SipConfiguration)
    assert moved.configuration.host == "sip2.example.com"


def test_nested_objects_can_be_dicts(client: DidwwClient) -> None:
    """For a trunk and an order."""
    wanted: Any = VoiceInTrunk(name="Plain")
    wanted.configuration = {"type": "sip_configurations", "attributes": {"host": "sip.example.com", "codec_ids": [9]}}
    trunk = client.voice_in_trunks().create(wanted).data
    assert isinstance(trunk.configuration, SipConfiguration)
    assert trunk.configuration.host == "sip.example.com"
    group = client.did_groups().list(
        filter={"needs_registration": False, "is_available": True}, include="stock_keeping_units", page=(1, 1)
    )
    order: Any = Order()
    order.items = [
        {"type": "did_order_items", "attributes": {"sku_id": group.data[0].stock_keeping_units[0].id, "qty": 1}}
    ]
    placed = client.orders().create(order).data
    assert (placed.is_completed, placed.is_pending, len(placed.items)) == (False, True, 1)


def test_did_is_routed_to_a_trunk_or_a_group(emulator: Emulator, client: DidwwClient) -> None:
    """Setting one clears the other; trunks in use cannot be deleted, and deleting a group deletes its trunks."""
    (did,) = buy(emulator, client)
    trunk = trunk_of(client)
    group = client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="All", voice_in_trunks=[trunk])).data
    assert group.meta.trunks_count == 1
    did.voice_in_trunk = trunk
    client.dids().update(did)
    did.voice_in_trunk_group = group
    updated = client.dids().update(did, include=["voice_in_trunk", "voice_in_trunk_group"]).data
    assert (updated.voice_in_trunk, updated.voice_in_trunk_group) == (None, group)
    did.voice_in_trunk = trunk
    client.dids().update(did)
    for delete in (
        lambda: client.voice_in_trunks().delete(trunk),
        lambda: client.voice_in_trunk_groups().delete(group),
    ):
        with pytest.raises(ValidationError, match="while DIDs are routed to it"):
            delete()
    did.voice_in_trunk = None
    client.dids().update(did)
    with pytest.raises(ValidationError, match="while it is in a trunk group"):
        client.voice_in_trunks().delete(trunk)
    client.voice_in_trunk_groups().delete(group)
    with pytest.raises(NotFoundError):
        client.voice_in_trunks().find(trunk.id)


def test_routing_to_an_unknown_trunk_is_rejected(emulator: Emulator, client: DidwwClient) -> None:
    """The error has the Python field; trunks of other accounts are unknown."""
    (did,) = buy(emulator, client)
    foreign = trunk_of(emulator.client("another-key"))
    for trunk in (VoiceInTrunk.build(NOWHERE), foreign):
        did.voice_in_trunk = trunk
        with pytest.raises(ValidationError) as caught:
            client.dids().update(did)
        assert caught.value.fields == {"voice_in_trunk": ["should exist"]}


# Exports


def export_of(client: DidwwClient, **filters: Any) -> Export:
    period = {"from": NOON - timedelta(days=10), "to": NOON}
    return client.exports().create(Export(export_type=ExportType.CDR_IN, filters={**period, **filters})).data


def rows_by_id(client: DidwwClient, export: Export, folder: Path) -> list[dict[str, str]]:
    data = client.download_export(export, folder / "calls.csv.gz").read_bytes()
    return list(csv.DictReader(io.StringIO(gzip.decompress(data).decode())))


def test_completed_export_has_the_accounts_calls(emulator: Emulator, client: DidwwClient, tmp_path: Path) -> None:
    """Pending, processing, completed; calls are of the account's DIDs, in the period, with their trunk."""
    first, second = buy(emulator, client, 2)
    second.voice_in_trunk = trunk_of(client)
    client.dids().update(second)
    export = export_of(client)
    assert (export.status, export.url) == ("pending", None)
    assert export.filters == {"from": "2026-03-05 12:00:00", "to": "2026-03-15 12:00:00"}
    emulator.clock.advance(0.3)
    assert client.exports().find(export.id).data.status == "processing"
    emulator.clock.advance(1)
    export = client.exports().find(export.id).data
    rows = rows_by_id(client, export, tmp_path)
    assert len(rows) > 20
    assert {row["Destination DID"] for row in rows} == {first.number, second.number}
    starts = [row["Date/Time Start (UTC)"] for row in rows]
    assert starts == sorted(starts)
    assert starts[0] >= "2026-03-05 12:00:00"
    assert starts[-1] < "2026-03-15 12:00:00"
    for row in rows:
        routed = row["Destination DID"] == second.number
        assert row["Voice IN Trunk"] == ("Front desk" if routed else "")
        assert row["Status"] == "Failed" or routed
        assert (row["Status"] == "Completed") == bool(row["Date/Time Connect (UTC)"]) == (row["Duration (sec)"] != "0")
    other = export_of(client, did_number=first.number)
    emulator.clock.advance(1)
    narrowed = rows_by_id(client, client.exports().find(other.id).data, tmp_path)
    assert narrowed == [row for row in rows if row["Destination DID"] == first.number]


def test_forwarded_calls_are_charged(emulator: Emulator, client: DidwwClient, tmp_path: Path) -> None:
    """Calls forwarded by a PSTN trunk have a cost, and the total is the sum."""
    (did,) = buy(emulator, client)
    trunk = VoiceInTrunk(name="Mobile", configuration=PstnConfiguration(dst="447700900123"))
    did.voice_in_trunk = client.voice_in_trunks().create(trunk).data
    client.dids().update(did)
    export = export_of(client)
    emulator.clock.advance(1)
    rows = rows_by_id(client, client.exports().find(export.id).data, tmp_path)
    assert {row["Destination"] for row in rows} == {"447700900123"}
    assert any(Decimal(row["PSTN (USD)"]) > 0 for row in rows)
    for row in rows:
        assert Decimal(row["Total (USD)"]) == Decimal(row["PSTN (USD)"]) + Decimal(row["Metered (USD)"])


@pytest.mark.parametrize(
    ("filters", "title"),
    [
        ({"from": "yesterday"}, "from not valid"),
        ({"from": None}, "from not valid"),
        ({"from": "2025-12-31 23:59:59"}, "from must be within the current and 2 previous months"),
        ({"to": "2026-03-15 12:00:01"}, "to not valid"),
        ({"from": "2026-03-15 12:00:00"}, "from not valid"),
        ({"colour": "red"}, "colour not valid"),
    ],
)
def test_invalid_export_filters_are_rejected(emulator: Emulator, filters: Any, title: str) -> None:
    """The emulator checks filters like the service, and the error points to them."""
    period = {"from": "2026-03-05 12:00:00", "to": "2026-03-15 12:00:00"}
    body = document("exports", export_type="cdr_in", filters={**period, **filters})
    error = Caller(emulator.engine).error("POST", "/exports", body)
    assert (error["title"], error["detail"]) == (title, f"filters - {title}")
    assert error["source"] == {"pointer": "/data/attributes/filters"}


def test_unknown_export_file_returns_404(client: DidwwClient, tmp_path: Path) -> None:
    """With an empty body, as in the service."""
    with pytest.raises(NotFoundError) as caught:
        client.download_export(f"{client.base_url}/exports/{NOWHERE}.csv.gz", tmp_path / "x")
    assert caught.value.errors == []


# Accounts


def test_accounts_do_not_see_each_other(emulator: Emulator) -> None:
    """Each key has its own balance, stock, DIDs and trunks."""
    first, second = emulator.client("one-key"), emulator.client("two-key")
    (did,) = buy(emulator, first)
    trunk = trunk_of(first)
    assert second.balance().find().data.total_balance == 10_000
    assert second.dids().list().data == []
    assert group_of(second).meta.total_count == (group_of(first).meta.total_count or 0) + 1
    for call in (lambda: second.dids().find(did.id), lambda: second.voice_in_trunks().delete(trunk)):
        with pytest.raises(NotFoundError):
            call()
    assert trunk_of(second).name == trunk.name


def test_emulator_can_be_restricted_to_one_key() -> None:
    """Other keys return 401."""
    with Emulator(api_key="the-key") as emulator:
        assert emulator.client("the-key").balance().find().data.credit == 0
        with pytest.raises(AuthenticationError):
            emulator.client("another-key").balance().find()


def test_state_file_keeps_records_and_scheduled_events(tmp_path: Path) -> None:
    """Pending events run after the emulator is reopened."""
    path = str(tmp_path / "emulator.db")
    with Emulator(path=path, clock=Clock(NOON, running=False)) as emulator:
        client = emulator.client()
        sku = group_of(client).stock_keeping_units[0]
        order = client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=1)])).data
    with Emulator(path=path, clock=Clock(NOON + timedelta(hours=1), running=False)) as emulator:
        client = emulator.client()
        assert client.orders().find(order.id).data.status is OrderStatus.COMPLETED
        assert client.dids().list(filter={"order.id": order.id}).total_records == 1


def test_asynchronous_client_works_the_same(emulator: Emulator, tmp_path: Path) -> None:
    """Search, order, wait, route, export and download with await."""

    async def main() -> None:
        async with emulator.async_client() as client:
            wanted: Any = {"prefix": "20", "area_name": "London"}
            groups = await client.did_groups().list(filter=wanted, include="stock_keeping_units")
            sku = groups.data[0].stock_keeping_units[0]
            order = (await client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=2)]))).data
            emulator.clock.advance(1)
            order = (await client.orders().wait(order)).data
            trunk = VoiceInTrunk(name="Async", configuration=SipConfiguration(codec_ids=CODECS, host="sip.example.com"))
            trunk = (await client.voice_in_trunks().create(trunk)).data
            async for did in client.dids().iterate(filter={"order.id": order.id}, page=(1, 1)):
                did.voice_in_trunk = trunk
                await client.dids().update(did)
            response = await client.dids().list(filter={"voice_in_trunk.id": trunk.id})
            assert response.total_records == 2
            period = {"from": NOON - timedelta(days=2), "to": NOON}
            export = (await client.exports().create(Export(export_type=ExportType.CDR_IN, filters=dict(period)))).data
            emulator.clock.advance(1)
            export = (await client.exports().wait(export)).data
            path = await client.download_export(export, tmp_path / "calls.csv.gz")
            assert gzip.decompress(path.read_bytes()).startswith(b"Date/Time Start (UTC),")

    asyncio.run(main())
