"""`didww orders`."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from didww.resources.order import Order
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem

if TYPE_CHECKING:
    from support.command import Command


def place(didww: Command, qty: int = 2, **values: Any) -> Order:
    """Place an order of numbers in London."""
    client = didww.client
    country = client.countries().one(filter={"iso": "GB"})
    group = client.did_groups().one(
        filter={"country.id": country.id, "area_name": "London", "needs_registration": False, "is_available": True},
        include="stock_keeping_units",
    )
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty)
    return client.orders().create(Order(items=[item], **values)).data


@pytest.fixture
def completed(didww: Command) -> Order:
    """Return a completed order of two numbers."""
    return didww.client.orders().wait(place(didww, external_reference_id="PO-1")).data


@pytest.fixture
def pending(didww: Command, completed: Order) -> Order:
    """Return an order that stays pending, besides a completed one."""
    didww.emulator.transitions.set("orders", by_hand=True)
    return place(didww, external_reference_id="PO-17")


def changes(didww: Command) -> list[str]:
    """Return the requests that may have changed something."""
    return [f"{entry.method} {entry.path}" for entry in didww.emulator.journal.entries() if entry.method != "GET"]


def listed(didww: Command, line: str) -> list[str]:
    """Return the references that a list prints."""
    return didww.ok(f"{line} --query '[].reference'").split()


def test_list_begins_with_the_latest(didww, pending, completed):
    """The latest order is the one that people look for."""
    assert set(listed(didww, "orders list")) == {pending.reference, completed.reference}
    didww.emulator.clock.advance("1 day")
    didww.emulator.transitions.reset("orders")
    latest = place(didww)
    assert listed(didww, "orders list --limit 1") == [latest.reference]


@pytest.mark.parametrize(
    "options", ["--status pending", "--reference PO-17", "-f external_reference_id=PO-17", "-f status=pending"]
)
def test_list_is_filtered(didww, pending, options):
    """By options, or by any filter of the API."""
    assert listed(didww, f"orders list {options}") == [pending.reference]


def test_list_takes_several_statuses(didww, pending, completed):
    """`--status` is repeatable."""
    assert len(listed(didww, "orders list --status pending --status completed")) == 2
    assert listed(didww, "orders list --status canceled") == []


def test_list_since_a_date_or_for_a_duration(didww, completed):
    """Times are those of the service."""
    day = f"{completed.created_at:%Y-%m-%d}"
    assert listed(didww, f"orders list --since {day}") == [completed.reference]
    assert listed(didww, "orders list --since 7d") == [completed.reference]
    assert listed(didww, "orders list --since 2099-01-01") == []


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "2026-11-31", "", "-1"])
def test_since_must_be_a_date_or_a_duration(didww, since):
    """The message has an example."""
    result = didww("orders list", f"--since={since}")
    assert result.code == 2
    assert "--since" in result.err
    assert "Write" in result.err


def test_order_is_found_by_each_reference(didww, completed):
    """DIDWW's reference in any case, one's own, and the id."""
    for text in (completed.reference, completed.reference.lower(), "PO-1", completed.id):
        assert json.loads(didww.ok("orders show -o json", text))["id"] == completed.id


def test_show_has_items_prices_and_numbers(didww, completed):
    """What was bought, for how much, and which numbers."""
    numbers = [did.number for did in didww.client.dids().iterate(sort="number")]
    shown = didww.ok("orders show PO-1")
    assert all(number in shown for number in numbers)
    assert "Numbers: GB, London, Local\t2\t" in shown
    assert f"{completed.amount} USD" in shown
    record = json.loads(didww.ok("orders show PO-1 -o json"))
    assert record["numbers"] == numbers
    assert record["items"][0]["name"] == "Numbers: GB, London, Local"
    assert json.loads(didww.ok("orders show PO-1 -o json --query numbers")) == numbers


def test_references_that_a_client_made_up_are_not_in_the_table(didww):
    """They say nothing to a person; JSON has them."""
    order = place(didww)
    reference = order.external_reference_id
    assert reference is not None
    assert reference not in didww.ok("orders list")
    assert reference not in didww.ok(f"orders show {order.reference}")
    assert reference in didww.ok("orders list -o json")


def test_show_of_many_numbers_names_the_command_that_lists_them(didww):
    """JSON has all."""
    order = didww.client.orders().wait(place(didww, qty=21)).data
    shown = didww.ok(f"orders show {order.reference}")
    assert f"21, listed by: didww numbers list -f order.id={order.id}" in shown
    assert len(json.loads(didww.ok(f"orders show {order.reference} -o json"))["numbers"]) == 21
    assert len(didww.ok(f"numbers list -f order.id={order.id} -o jsonl").splitlines()) == 21


def test_show_names_the_capacity_pool(didww):
    """Orders of channels have no numbers."""
    pool = didww.client.capacity_pools().first()
    order = didww.client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=10)])).data
    assert f"Channels: {pool.name}" in didww.ok(f"orders show {order.reference}")


def test_unknown_order(didww):
    """Exit code 4; the message says where to look."""
    for text in ("ABC-1", "PO-99", "x,y", ""):
        result = didww("orders show", text)
        assert (result.code, result.out) == (4, "")
        assert "didww orders list" in result.err


def test_own_reference_of_several_orders(didww):
    """None is picked; the message has the references of DIDWW."""
    orders = [place(didww, external_reference_id="PO-2") for _ in range(2)]
    result = didww("orders show PO-2")
    assert result.code == 4
    assert all(order.reference in result.err for order in orders)


def test_cancel_returns_the_price(didww, pending):
    """The plan says what is returned."""
    before = didww.client.balance().find().data.total_balance
    result = didww("orders cancel PO-17 --yes")
    assert result.code == 0
    assert f"{pending.amount} USD" in result.err
    assert result.out.splitlines()[1].split("\t") == [pending.reference, "PO-17", "canceled", str(pending.amount)]
    assert didww.client.orders().find(pending.id).data.is_canceled
    assert didww.client.balance().find().data.total_balance == before + Decimal(pending.amount)


def test_canceled_orders_as_json(didww, pending):
    """For scripts."""
    (row,) = json.loads(didww.ok("orders cancel PO-17 --yes -o json"))
    assert (row["order"], row["result"], row["returned"]) == (pending.reference, "canceled", str(pending.amount))


def test_cancel_without_confirmation_does_nothing(didww, pending):
    """Without a terminal and `--yes`, it is refused."""
    didww.emulator.journal.clear()
    assert didww("orders cancel PO-17").code == 2
    assert changes(didww) == []


def test_cancel_dry_run_prints_all_requests(didww, pending):
    """Nothing is sent."""
    other = place(didww)
    didww.emulator.journal.clear()
    out = didww.ok(f"orders cancel PO-17 {other.reference} --dry-run")
    assert [line.partition(" ")[0] for line in out.splitlines()] == ["DELETE", "DELETE"]
    assert pending.id in out
    assert changes(didww) == []


def test_only_pending_orders_are_canceled(didww, pending, completed):
    """If one of several is not pending, none is canceled."""
    didww.emulator.journal.clear()
    result = didww(f"orders cancel PO-17 {completed.reference} --yes")
    assert result.code == 3
    assert "didww numbers cancel" in result.err
    assert changes(didww) == []


def test_failure_says_what_was_canceled(didww, pending):
    """The second of two requests is refused."""
    other = place(didww)
    didww.emulator.faults.add(method="DELETE", path=f"/orders/{other.id}", status=422)
    result = didww(f"orders cancel PO-17 {other.reference} --yes")
    assert result.code == 7
    assert f"Order {pending.reference} was canceled." in result.err
    assert [line.split("\t")[2] for line in result.out.splitlines()] == ["result", "canceled", "failed"]


@pytest.mark.slow
def test_cancel_asks(didww, pending):
    """The account is shown, and no is the default."""
    with didww.terminal("orders cancel PO-17") as terminal:
        terminal.expect("Cancel it? [y/N]")
        terminal.send("\n")
        assert terminal.wait() == 1
        assert didww.base_url in terminal.text
    assert didww.client.orders().find(pending.id).data.is_pending


def test_wait_prints_the_completed_orders(didww, pending, completed):
    """Each status is a line on standard error."""
    didww.emulator.transitions.complete(pending.id)
    result = didww(f"orders wait PO-17 {completed.reference}")
    assert result.code == 0
    assert [line.split("\t")[0] for line in result.out.splitlines()[1:]] == [pending.reference, completed.reference]
    assert f"Order {pending.reference}: completed" in result.err


def test_wait_ends_at_its_timeout(didww, pending):
    """Exit code 8, as the help says, and the command to go on."""
    result = didww("orders wait PO-17 --wait 1s")
    assert result.code == 8
    assert "8 if one is still pending" in " ".join(didww.ok("orders wait --help").split())
    assert f"Order {pending.reference} is still pending" in result.err
    assert f"didww orders wait {pending.reference}" in result.err


def test_advice_is_for_the_same_account(didww, pending):
    """The command to go on has the options of the account."""
    result = didww(f"orders wait PO-17 --wait 1s --base-url {didww.base_url}")
    assert f"didww --base-url {didww.base_url} orders wait {pending.reference}" in result.err


def test_wait_ends_at_a_canceled_order(didww, pending):
    """Exit code 1; waiting again would be no use."""
    didww.emulator.transitions.cancel(pending.id)
    result = didww("orders wait PO-17")
    assert result.code == 1
    assert "is canceled" in result.err
    assert "To continue" not in result.err


@pytest.mark.slow
def test_interrupted_wait_says_how_to_go_on(didww, pending):
    """Ctrl-C leaves the order as it is."""
    with didww.terminal("orders wait PO-17") as terminal:
        terminal.expect("pending")
        terminal.interrupt()
        assert terminal.wait() == 130
        assert f"To continue: didww orders wait {pending.reference}" in terminal.text


@pytest.mark.parametrize("wait", ["soon", "0", "-1"])
def test_wait_must_be_a_duration(didww, completed, wait):
    """Exit code 2, or the wait is over at once."""
    result = didww("orders wait PO-1", f"--wait={wait}")
    assert result.code in (0, 2)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 140])
def test_screens_fit_the_terminal(didww, pending, completed, columns):
    """References and numbers are whole."""
    for line in ("orders list", "orders show PO-1"):
        result = didww.screen(line, columns=columns)
        assert result.code == 0
        assert max(len(text) for text in result.out.splitlines()) <= columns
        assert completed.reference in result.out


@pytest.mark.parametrize("line", ["orders wait PO-17", "verifications wait AV-1", "exports download 1"])
def test_timeout_is_the_limit_of_a_request_in_commands_that_wait(didww, line):
    """As everywhere; `--wait` bounds the wait."""
    result = didww(f"{line} --timeout 0.5 --wait 1m --base-url http://127.0.0.1:1/v3")
    assert (result.code, "could not be reached" in result.err or "127.0.0.1" in result.err) == (5, True), result
