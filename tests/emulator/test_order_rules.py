"""Test the rules for order items. Requests are sent without the client, which rejects most of these itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from didww.emulator import Emulator
from support.api_caller import Caller, document

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def caller() -> Iterator[Caller]:
    """Return a caller with a high balance."""
    with Emulator() as made:
        yield Caller(made.engine, made.key)


def number(**attributes: Any) -> dict[str, Any]:
    return {"type": "did_order_items", "attributes": attributes}


def channels(**attributes: Any) -> dict[str, Any]:
    return {"type": "capacity_order_items", "attributes": attributes}


def sku_of(caller: Caller) -> str:
    wanted = {"filter[prefix]": "20", "filter[area_name]": "London", "include": "stock_keeping_units"}
    return str(caller.get("/did_groups", **wanted)["included"][0]["id"])


def test_order_item_quantity_defaults_to_one(caller: Caller) -> None:
    """For DIDs, with or without a NANPA prefix, and for channels."""
    pool = caller.ids("/capacity_pools")[0]
    for item in (number(sku_id=sku_of(caller)), channels(capacity_pool_id=pool)):
        made = caller.write("POST", "/orders", document("orders", items=[item]), 201)
        assert made["data"]["attributes"]["items"][0]["attributes"]["qty"] == 1


def test_order_items_have_one_type_and_valid_quantities(caller: Caller) -> None:
    """DIDs or channels, never both; up to 1000 DIDs, 10000 channels, 999 billing cycles."""
    sku, pool = sku_of(caller), caller.ids("/capacity_pools")[0]
    for items, place in (
        ([number(sku_id=sku), channels(capacity_pool_id=pool)], "items"),
        ([], "items"),
        ([number(sku_id=sku, qty=0)], "qty"),
        ([number(sku_id=sku, qty=1001)], "qty"),
        ([channels(capacity_pool_id=pool, qty=0)], "qty"),
        ([channels(capacity_pool_id=pool, qty=10001)], "qty"),
        ([number(sku_id=sku, billing_cycles_count=1000)], "billing_cycles_count"),
        ([number(sku_id=sku, billing_cycles_count=None)], "billing_cycles_count"),
    ):
        error = caller.error("POST", "/orders", document("orders", items=items))
        assert (error["status"], error["source"]["pointer"].rpartition("/")[2]) == ("422", place)
    assert caller.get("/balance")["data"]["attributes"]["balance"] == "10000.00"
    caller.write("POST", "/orders", document("orders", items=[number(sku_id=sku, billing_cycles_count=0)]), 201)


def test_malformed_order_items_return_400(caller: Caller) -> None:
    """Missing members, or two ways to choose a number."""
    sku = sku_of(caller)
    for item, text in (
        (number(qty=1), "sku_id, is missing"),
        (channels(qty=1), "capacity_pool_id, is missing"),
        (number(sku_id=sku, qty=1, available_did_id=NOWHERE), "not allowed"),
        (number(sku_id=sku, did_reservation_id=NOWHERE, available_did_id=NOWHERE), "not allowed"),
    ):
        error = caller.error("POST", "/orders", document("orders", items=[item]))
        assert (error["status"], text in error["detail"]) == ("400", True)


def test_did_verification_and_service_can_only_be_cleared(caller: Caller) -> None:
    """Null is accepted, an id is rejected; other attributes have bounds."""
    caller.write("POST", "/orders", document("orders", items=[number(sku_id=sku_of(caller))]), 201)
    session = caller.engine.session(str(caller.key))
    did = session.insert("dids", {"number": "12025550100", "did_group": session.find("did_groups", limit=1)[0]["id"]})[
        "id"
    ]
    verification = session.insert("address_verifications", {"status": "approved"})["id"]
    for name, type in (
        ("address_verification", "address_verifications"),
        ("emergency_calling_service", "emergency_calling_services"),
    ):
        linked = {name: {"type": type, "id": verification}}
        assert caller.send("PATCH", f"/dids/{did}", document("dids", did, linked)).status == 422
    for name, value in (
        ("capacity_limit", 0),
        ("capacity_limit", 32768),
        ("billing_cycles_count", 1000),
        ("billing_cycles_count", -1),
    ):
        assert caller.send("PATCH", f"/dids/{did}", document("dids", did, **{name: value})).status == 422
