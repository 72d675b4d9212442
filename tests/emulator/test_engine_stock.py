"""Test stock as an account sees it: available DIDs, group meta, and what takes a number out of stock."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.emulator.behaviors.available_dids import MAX_LISTED, available_id, pick_numbers
from didww.emulator.engine.engine import Engine
from didww.emulator.engine.overrides import EXPRESSIONS
from didww.emulator.engine.session import AccountSession
from support.api_caller import Caller, document, filled
from support.hypothesis_profiles import law

ENGINE = Engine(seed=3)


def group_of(session: AccountSession, number: str) -> dict[str, Any]:
    """Return the group whose numbers start with `number`."""
    return next(group for group in session.find("did_groups") if group["number_base"].startswith(number))


def own(session: AccountSession, group: dict[str, Any], number: str) -> None:
    session.insert("dids", filled("dids", number=number, did_group=group["id"]))


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(ENGINE, request.node.name)


@pytest.fixture
def session(caller: Caller) -> AccountSession:
    assert caller.key is not None
    return ENGINE.session(caller.key)


def test_available_dids_list_is_capped_with_a_total_count(caller: Caller, session: AccountSession) -> None:
    """No pagination; meta.total_count is the stock of all groups whose numbers can be chosen."""
    document = caller.get("/available_dids")
    groups = session.search("did_groups", {"available_dids_enabled": True})
    assert document["meta"]["total_count"] == sum(group["total_count"] for group in groups)
    assert len(document["data"]) == MAX_LISTED
    assert len({resource["id"] for resource in document["data"]}) == MAX_LISTED
    assert "links" not in document


def test_same_requests_return_the_same_available_dids() -> None:
    """The numbers are random but seeded."""
    lists = [Caller(Engine(seed=5)).ids("/available_dids") for _ in range(2)]
    assert lists[0] == lists[1]
    assert lists[0] != Caller(Engine(seed=6)).ids("/available_dids")


def test_listed_available_dids_can_be_found_by_id(caller: Caller) -> None:
    """With includes, in any order of requests, and by other accounts."""
    listed = caller.get("/available_dids", include="did_group,nanpa_prefix")["data"]
    stranger = Caller(Engine(seed=3), "other")
    for available in listed[:20]:
        resource = stranger.get(f"/available_dids/{available['id']}", include="did_group,nanpa_prefix")["data"]
        assert resource == available


@pytest.mark.parametrize(
    "id", ["x", "8d1a3c5e-0000-4000-8000-000000000001", "8d1a3c5e-0000-4000-8000-00000000000G", "0" * 36]
)
def test_invalid_available_did_id_returns_404(caller: Caller, id: str) -> None:
    """Ids contain a checksum."""
    assert caller.send("GET", f"/available_dids/{id}").status == 404


def test_available_dids_are_filtered_by_group_attributes(caller: Caller, session: AccountSession) -> None:
    """By country, region, city, type, group, features, registration and NPA-NXX."""
    group = group_of(session, "1212")
    (prefix,) = session.find("nanpa_prefixes", did_group=group["id"])
    for name, value in {
        "country.id": group["country"],
        "region.id": group["region"],
        "city.id": group["city"],
        "did_group_type.id": group["did_group_type"],
        "did_group.id": group["id"],
        "did_group.features": group["features"][0],
        "did_group.needs_registration": "false",
        "nanpa_prefix.id": prefix["id"],
    }.items():
        query = {f"filter[{name}]": value, "filter[did_group.id]": group["id"]}
        assert caller.get("/available_dids", **query)["meta"]["total_count"] == group["total_count"], name
    assert (
        caller.ids("/available_dids", **{"filter[did_group.id]": group["id"], "filter[did_group.features]": "a2p"})
        == []
    )


def test_groups_without_number_selection_have_no_available_dids(caller: Caller, session: AccountSession) -> None:
    """Their numbers are neither listed nor found by id."""
    group = session.search("did_groups", {"available_dids_enabled": False, "meta.total_count_gteq": 1})[0]
    assert caller.get("/available_dids", **{"filter[did_group.id]": group["id"]})["meta"]["total_count"] == 0
    assert caller.send("GET", f"/available_dids/{available_id(session, group, 0)}").status == 404


def test_owned_and_reserved_numbers_leave_only_that_accounts_stock(caller: Caller, session: AccountSession) -> None:
    """They leave meta, filters and lists; other accounts see the full stock."""
    group = group_of(session, "44115")  # Nottingham: two numbers
    assert group["total_count"] == 2
    query = {"filter[did_group.id]": group["id"]}
    first, second = sorted(caller.ids("/available_dids", **query))
    numbers = {id: caller.get(f"/available_dids/{id}")["data"]["attributes"]["number"] for id in (first, second)}

    own(session, group, numbers[first])
    assert caller.ids("/available_dids", **query) == [second]
    assert caller.send("GET", f"/available_dids/{first}").status == 404
    meta = caller.get(f"/did_groups/{group['id']}")["data"]["meta"]
    assert (meta["total_count"], meta["is_available"]) == (1, True)

    session.insert("did_reservations", {"number": numbers[second], "did_group": group["id"], "available_did": second})
    assert caller.get("/available_dids", **query)["meta"]["total_count"] == 0
    meta = caller.get(f"/did_groups/{group['id']}")["data"]["meta"]
    assert (meta["total_count"], meta["is_available"]) == (0, False)
    # It can still be ordered as a back order.
    assert caller.ids("/did_groups", **{"filter[id]": group["id"], "filter[is_available]": "true"}) == [group["id"]]
    assert caller.ids("/did_groups", **{"filter[id]": group["id"], "filter[is_available]": "false"}) == []
    for least, found in (("0", [group["id"]]), ("1", [])):
        assert caller.ids("/did_groups", **{"filter[id]": group["id"], "filter[meta.total_count_gteq]": least}) == found

    stranger = Caller(ENGINE, "a stranger in Nottingham")
    assert stranger.get("/available_dids", **query)["meta"]["total_count"] == 2
    # A reserved number is still included with its reservation.
    held = caller.get("/did_reservations", include="available_did.did_group")
    assert {resource["type"] for resource in held["included"]} == {"available_dids", "did_groups"}


def test_numbers_are_assigned_only_once(caller: Caller, session: AccountSession) -> None:
    """An order by quantity gets numbers that the account does not own, up to the stock."""
    group = group_of(session, "44115")
    numbers = pick_numbers(session, group, 5)
    assert len(numbers) == 2
    own(session, group, numbers[0])
    assert pick_numbers(session, group, 5) == numbers[1:]


def test_did_group_meta_has_its_terms(caller: Caller, session: AccountSession) -> None:
    """See the contract file did_groups: four members."""
    group = group_of(session, "4420")
    assert caller.get(f"/did_groups/{group['id']}")["data"]["meta"] == {
        "available_dids_enabled": True,
        "needs_registration": group["needs_registration"],
        "is_available": True,
        "total_count": 1000,
    }


def test_group_with_back_orders_is_available_without_stock(caller: Caller, session: AccountSession) -> None:
    """The filter means what can be ordered, `meta` only the stock; orders beyond it wait or are rejected."""
    for takes in (True, False):
        group = next(
            group
            for group in session.find("did_groups")
            if group["back_orders"] is takes and group["total_count"] == 0 and not group["needs_registration"]
        )
        mine = {"filter[id]": group["id"]}
        assert caller.ids("/did_groups", **mine, **{"filter[is_available]": str(takes).lower()}) == [group["id"]]
        assert caller.ids("/did_groups", **mine, **{"filter[is_available]": str(not takes).lower()}) == []
        assert caller.get(f"/did_groups/{group['id']}")["data"]["meta"]["is_available"] is False
        sku = session.find("stock_keeping_units", did_group=group["id"])[0]["id"]
        item = {"type": "did_order_items", "attributes": {"sku_id": sku, "qty": 1}}
        if takes:
            order = caller.write("POST", "/orders", document("orders", items=[item]), 201)
            assert order["data"]["attributes"]["status"] == "pending"
        else:
            error = caller.error("POST", "/orders", document("orders", items=[item], allow_back_ordering=True))
            assert (error["status"], error["detail"]) == ("422", "items/0/qty - exceeds available DIDs count")


def test_prefix_availability_ignores_back_orders(caller: Caller, session: AccountSession) -> None:
    """`did_group.is_available` of prefixes means stock, whether or not the group takes back orders."""
    (prefix,) = caller.ids("/nanpa_prefixes", **{"filter[npanxx]": "212555"})
    group = group_of(session, "1212")
    session.update("did_groups", group["id"], {"total_count": 0})
    try:
        assert caller.ids("/nanpa_prefixes", **{"filter[id]": prefix, "filter[did_group.is_available]": "true"}) == []
        assert len(caller.ids("/did_groups", **{"filter[id]": group["id"], "filter[is_available]": "true"})) == 1
    finally:  # the module shares the scene
        session.update("did_groups", group["id"], {"total_count": group["total_count"]})


def test_nanpa_prefixes_can_be_filtered(caller: Caller, session: AccountSession) -> None:
    """By npanxx, by id, and by features and stock of the group."""
    (prefix,) = caller.ids("/nanpa_prefixes", **{"filter[npanxx]": "212555"})
    group = group_of(session, "1212")
    assert caller.ids("/did_groups", **{"filter[nanpa_prefix.id]": prefix}) == [group["id"]]
    assert caller.ids("/did_groups", **{"filter[nanpa_prefix.npanxx]": "212555,000000"}) == [group["id"]]
    assert prefix in caller.ids("/nanpa_prefixes", **{"filter[did_group.features]": "p2p", "page[size]": "100"})
    assert prefix in caller.ids("/nanpa_prefixes", **{"filter[did_group.is_available]": "true", "page[size]": "100"})
    assert prefix not in caller.ids("/nanpa_prefixes", **{"filter[did_group.is_available]": "false"})
    without = caller.ids("/did_groups", **{"filter[nanpa_prefix.id]": "", "page[size]": "100"})
    assert group["id"] not in without
    assert group_of(session, "4420")["id"] in without


def test_computed_filters(session: AccountSession) -> None:
    """Pools can be filtered by unassigned channels."""
    assert {type for type, _ in EXPRESSIONS} == {
        "did_groups",
        "nanpa_prefixes",
        "capacity_pools",
        "identities",
        "addresses",
    }
    full = session.insert("capacity_pools", {"name": "a", "total_channels_count": 5, "assigned_channels_count": 5})
    free = session.insert("capacity_pools", {"name": "b", "total_channels_count": 5, "assigned_channels_count": 4})
    assert free["id"] in [pool["id"] for pool in session.search("capacity_pools", {"has_unassigned_channels": True})]
    assert full["id"] in [pool["id"] for pool in session.search("capacity_pools", {"has_unassigned_channels": False})]


def test_did_history_is_filtered_by_date(caller: Caller, session: AccountSession) -> None:
    """Entries come newest first."""
    ids = [
        session.insert("did_history", filled("did_history", did_number=str(n), created_at=None))["id"] for n in range(2)
    ]
    assert caller.ids("/did_history") == ids[::-1]
    now = session.stamp()
    assert caller.ids("/did_history", **{"filter[created_at_lteq]": now}) == ids[::-1]
    assert (
        caller.ids(
            "/did_history", **{"filter[created_at_lteq]": now[:10] + "T00:00:00+00:00", "filter[did_number]": "7"}
        )
        == []
    )


@law(40)
@given(prefix=st.sampled_from(["4420", "1212", "44115", "33"]), data=st.data())
def test_number_contains_finds_exactly_the_matching_numbers(prefix: str, data: st.DataObject) -> None:
    """Compare with a scan of all numbers."""
    session = ENGINE.session("parts")
    groups = [group for group in session.find("did_groups") if group["number_base"].startswith(prefix)][:4]
    every = [
        session.catalog.number(group, k)
        for group in groups
        if group["available_dids_enabled"]
        for k in range(group["total_count"])
    ]
    if not every:
        return
    some = data.draw(st.sampled_from(every))
    start = data.draw(st.integers(0, len(some) - 1))
    part = some[start : start + data.draw(st.integers(1, 6))]
    query = {"filter[number_contains]": part, "filter[did_group.id]": ",".join(group["id"] for group in groups)}
    response = Caller(ENGINE, "parts").get("/available_dids", **query)
    matching = {number for number in every if part in number}
    assert response["meta"]["total_count"] == len(matching)
    numbers = {resource["attributes"]["number"] for resource in response["data"]}
    assert numbers <= matching
    assert len(numbers) == min(len(matching), MAX_LISTED)
    assert all(re.fullmatch(r"\d+", number) for number in numbers)
