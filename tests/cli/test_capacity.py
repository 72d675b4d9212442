"""`didww capacity`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from didww.cli.capacity import capacity
from support.cli_account import buy_numbers, examples_of, run_example, writes

if TYPE_CHECKING:
    from support.command import Command


def channels(didww: Command) -> tuple[int, int]:
    """Return channels and free channels of the pool Europe."""
    pool = json.loads(didww.ok("capacity show Europe -o json"))
    return pool["channels"], pool["free"]


@pytest.fixture
def pool(didww: Command) -> Command:
    """Return the command with ten channels in the pool Europe."""
    didww.ok("capacity buy Europe --channels 10 --yes")
    return didww


EXAMPLES = [(name, command, example) for name, (command, each) in examples_of(capacity).items() for example in each]


@pytest.mark.parametrize(("name", "command", "example"), EXAMPLES, ids=[each[2][15:] for each in EXAMPLES])
def test_examples_run(pool, name, command, example):
    """Each example of the help works."""
    number = buy_numbers(pool, 1)[0]
    if name == "unshare" or (name == "share" and "--pool" not in example):
        pool.ok("capacity share Support --pool Europe --channels 2")
    run_example(pool, command, example, lambda text: text.replace("442079460001", number))


def test_buying_shows_the_price_and_asks(didww):
    """Prices by quantity, the cost now and monthly, and the balance; nothing is ordered without an answer."""
    result = didww("capacity buy Europe --channels 60")
    assert result.code == 2
    for text in ("from 1: 5.00", "from 50: 4.50 monthly, 0.00 setup <- this", "270.00 monthly", "Balance:", "--yes"):
        assert text in result.err
    dry = didww("capacity buy Europe --channels 60 --dry-run")
    assert (dry.code, '"qty": 60' in dry.out) == (0, True)
    assert not writes(didww)


def test_buying_waits_for_the_order(didww):
    """The order is printed when it is completed."""
    result = didww("capacity buy Europe --channels 5 --yes -o json")
    assert result.code == 0
    order = json.loads(result.out)
    assert order["status"] == "completed"
    assert channels(didww) == (5, 5)
    assert "5 channels" in result.err


def test_a_reference_orders_once(didww):
    """The same command again finds the order; for something else it is refused."""
    line = "capacity buy Europe --channels 5 --reference PO-17 --yes -o json"
    first, second = (json.loads(didww.ok(line)) for _ in range(2))
    assert first["id"] == second["id"]
    assert channels(didww) == (5, 5)
    result = didww("capacity buy Europe --channels 6 --reference PO-17 --yes")
    assert (result.code, "another purchase" in result.err) == (3, True)
    empty = didww("capacity buy Europe --channels 5 --reference '' --yes")
    assert (empty.code, "--reference" in empty.err) == (2, True)
    assert writes(didww) == ["POST /orders"]


def test_a_canceled_order_is_refused(didww):
    """Its reference does not stand for channels that were bought; also without waiting."""
    didww.emulator.faults.add(method="POST", path="/orders", times=1, hold=True)
    line = "capacity buy Europe --channels 5 --reference PO-17 --yes --no-wait"
    order = json.loads(didww.ok(f"{line} -o json"))
    didww.emulator.transitions.cancel(order["id"])
    result = didww(line)
    assert (result.code, "was canceled" in result.err) == (3, True)


def test_waiting_ends(didww):
    """Exit code 8, the order on standard output, and the command that goes on, for the same account."""
    didww.emulator.faults.add(method="POST", path="/orders", times=1, hold=True)
    result = didww(f"--base-url {didww.base_url} capacity buy Europe --channels 5 --yes --wait 1s -o json")
    assert (result.code, json.loads(result.out)["status"]) == (8, "pending")
    again = f"didww --base-url {didww.base_url} capacity buy Europe --channels 5 --reference"
    assert f"To continue: {again}" in result.err
    no_wait = didww("capacity buy Europe --channels 5 --yes --no-wait -o json")
    assert (no_wait.code, json.loads(no_wait.out)["external_reference_id"] is not None) == (0, True)


def test_an_unknown_outcome_says_how_to_find_the_order(didww):
    """Exit code 6."""
    didww.emulator.faults.add(method="POST", path="/orders", times=1, lost_response=True)
    didww.emulator.faults.add(method="GET", path="/orders", status=503)
    result = didww("capacity buy Europe --channels 5 --yes")
    assert (result.code, "To find it: didww" in result.err) == (6, True)


def test_a_balance_that_does_not_cover_it(didww):
    """The plan warns, and the service refuses."""
    result = didww("capacity buy World --channels 10000 --yes")
    assert (result.code, "Warning" in result.err) == (3, True)
    assert channels(didww) == (0, 0)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("capacity buy Europe", 2),
        ("capacity buy Europe --channels 0", 2),
        ("capacity buy Atlantis --channels 1", 4),
        ("capacity show Atlantis", 4),
        ("capacity share Support --number 442079460999 --channels 1 --pool Europe", 4),
        ("capacity share Support", 2),
        ("capacity share Support --pool Europe --channels 1", 2),
        ("capacity unshare Support", 4),
        ("capacity assign --pool Europe --channels 1", 2),
        ("capacity release Europe --channels 1", 3),
    ],
)
def test_bad_input(didww, line, code):
    """The exit code tells why, and nothing is sent."""
    result = didww(f"{line} --yes" if "show" not in line else line)
    assert (result.code, result.out) == (code, ""), result
    assert not writes(didww)


def test_share(pool):
    """A group is created, then changed from what to what."""
    first, second, _ = buy_numbers(pool)
    asked = pool(f"capacity share Support --pool Europe --channels 4 --number {first}")
    assert (asked.code, first in asked.err) == (2, True)
    pool.ok(f"capacity share Support --pool Europe --channels 4 --number +{first} --yes")
    assert channels(pool) == (10, 6)
    result = pool(
        f"capacity share Support --channels 5 --metered 2 --number {second} --remove-number {first} --yes -o json"
    )
    assert "channels: 4 -> 5" in result.err
    group = json.loads(result.out)
    assert group["numbers"] == [second]
    assert (group["shared_channels_count"], group["metered_channels_count"]) == (5, 2)
    assert pool(f"capacity share Support --remove-number {first}").code == 2
    assert pool("capacity share Support --channels 5").code == 0
    assert pool("capacity share Support --pool World --channels 6").code == 2


def test_a_number_that_leaves_another_group_is_named(pool):
    """The plan says which group it leaves."""
    number = buy_numbers(pool, 1)[0]
    pool.ok(f"capacity share Support --pool Europe --channels 1 --number {number} --yes")
    result = pool(f"capacity share Sales --pool Europe --channels 1 --number {number}")
    assert (result.code, "leaves group 'Support'" in result.err) == (2, True)


def test_unshare_returns_the_channels(pool):
    """Its numbers leave the group first."""
    number = buy_numbers(pool, 1)[0]
    pool.ok(f"capacity share Support --pool Europe --channels 4 --number {number} --yes")
    before = writes(pool)
    result = pool("capacity unshare Support")
    assert (result.code, number in result.err) == (2, True)
    dry = pool.ok("capacity unshare Support --dry-run")
    assert "PATCH" in dry
    assert "DELETE" in dry
    assert writes(pool) == before
    pool.ok("capacity unshare Support --yes")
    assert channels(pool) == (10, 10)


def test_assign(pool):
    """Channels of a number alone, and back."""
    first, second, _ = buy_numbers(pool)
    assert pool(f"capacity assign {first} --pool Europe --channels 2").code == 2
    pool.ok(f"capacity assign {first} {second} --pool Europe --channels 2 --yes")
    assert channels(pool) == (10, 6)
    shown = json.loads(pool.ok("capacity show Europe -o json"))
    assert shown["assigned_to"] == [{"number": number, "channels": 2} for number in (first, second)]
    too_many = pool(f"capacity assign {first} --pool Europe --channels 9")
    assert (too_many.code, "capacity buy" in too_many.err) == (2, True)
    pool.ok(f"capacity assign {first} --pool Europe --channels 0 --yes")
    assert channels(pool) == (10, 8)


def test_release(pool):
    """Not below those in use."""
    pool.ok("capacity share Support --pool Europe --channels 4")
    result = pool("capacity release Europe --channels 7 --yes")
    assert (result.code, "must keep 4" in result.err) == (3, True)
    assert pool("capacity release Europe --channels 2").code == 2
    pool.ok("capacity release Europe --channels 2 --yes")
    assert channels(pool) == (8, 4)


def test_show_has_a_row_for_each_pool(pool):
    """Shared groups and numbers are named."""
    number = buy_numbers(pool, 1)[0]
    pool.ok(f"capacity share Support --pool Europe --channels 4 --number {number} --yes")
    lines = pool.ok("capacity show").splitlines()
    assert lines[0].split("\t") == ["pool", "channels", "free", "monthly", "renews", "shared by", "assigned to"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["Europe", "North America", "World"]
    assert "Support (4)" in lines[1]
    assert number in pool.ok("capacity show Europe")
    assert json.loads(pool.ok("capacity show -o json"))[0]["shared_by"][0]["numbers"] == [number]


@pytest.mark.slow
def test_interrupted_at_the_question(didww):
    """Ctrl-C orders nothing."""
    with didww.terminal("capacity buy Europe --channels 5") as terminal:
        terminal.expect("Buy 5 channels?")
        assert terminal.leave_question() == 130
    assert not writes(didww)


@pytest.mark.slow
def test_interrupted_while_waiting(didww):
    """Ctrl-C says that the order was placed, and where to look; the same command goes on waiting."""
    didww.emulator.faults.add(method="POST", path="/orders", times=1, hold=True)
    with didww.terminal("capacity buy Europe --channels 5 --reference PO-17 --yes") as terminal:
        terminal.expect("pending")
        terminal.interrupt()
        assert terminal.wait() == 130
    assert "was placed; see: didww orders show" in terminal.text
    (order,) = didww.client.orders().iterate(filter={"external_reference_id": "PO-17"})
    didww.emulator.transitions.complete(order.id)
    assert json.loads(didww.ok("capacity buy Europe --channels 5 --reference PO-17 --yes -o json"))["id"] == order.id
    assert writes(didww) == ["POST /orders"]


def test_a_lost_response_orders_once(didww):
    """The client finds the order instead of placing another one."""
    didww.emulator.faults.add(method="POST", path="/orders", times=1, lost_response=True)
    assert didww("capacity buy Europe --channels 5 --yes").code == 0
    assert channels(didww) == (5, 5)
