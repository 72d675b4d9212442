"""What an order's items may hold, sent as it is: the client refuses most of what cannot be by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from didww.emulator import Emulator
from support.api_caller import Caller, document

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def caller() -> Iterator[Caller]:
    """Somebody with money."""
    with Emulator() as made:
        yield Caller(made.engine, made.key)


def number(**attributes: Any) -> dict[str, Any]:
    return {"type": "did_order_items", "attributes": attributes}


def channels(**attributes: Any) -> dict[str, Any]:
    return {"type": "capacity_order_items", "attributes": attributes}


def sku_of(caller: Caller) -> str:
    wanted = {"filter[prefix]": "20", "filter[area_name]": "London", "include": "stock_keeping_units"}
    return str(caller.get("/did_groups", **wanted)["included"][0]["id"])


def test_without_a_quantity_one_is_bought(caller: Caller) -> None:
    """One number, with a NANPA prefix or without; one channel."""
    pool = caller.ids("/capacity_pools")[0]
    for item in (number(sku_id=sku_of(caller)), channels(capacity_pool_id=pool)):
        made = caller.write("POST", "/orders", document("orders", items=[item]), 201)
        assert made["data"]["attributes"]["items"][0]["attributes"]["qty"] == 1


def test_items_are_of_one_kind_and_within_bounds(caller: Caller) -> None:
    """Numbers or channels, never both; 1 to 1000 of the ones, 1 to 10000 of the others; at most 999 cycles."""
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


def test_items_that_are_malformed(caller: Caller) -> None:
    """400 for what is missing, and for two ways to choose at once."""
    sku = sku_of(caller)
    for item, text in (
        (number(qty=1), "sku_id, is missing"),
        (channels(qty=1), "capacity_pool_id, is missing"),
        (number(sku_id=sku, qty=1, available_did_id=NOWHERE), "not allowed"),
        (number(sku_id=sku, did_reservation_id=NOWHERE, available_did_id=NOWHERE), "not allowed"),
    ):
        error = caller.error("POST", "/orders", document("orders", items=[item]))
        assert (error["status"], text in error["detail"]) == ("400", True)


def test_a_number_is_detached_only(caller: Caller) -> None:
    """Null is taken for the verification and the emergency service, an id is refused; bounds of what can be set."""
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
