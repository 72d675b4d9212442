"""`didww numbers search`, `available`, `reserve`, `buy`, `cancel` and `restore`."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
from decimal import Decimal

import pytest

from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk
from support.command import PROGRAM
from support.unix import unix_only

LONDON = "numbers buy GB --city London --type local --channels 0"


def orders(didww):
    """Return how many orders were sent."""
    return len(didww.emulator.journal.entries(method="POST", path="/v3/orders"))


@pytest.fixture
def trunk(didww):
    """Return a trunk called Main."""
    trunk = VoiceInTrunk(name="Main", configuration=PstnConfiguration(dst="442079460999"))
    return didww.client.voice_in_trunks().create(trunk).data


def test_search_shows_price_stock_and_registration(didww):
    """One row for each offer, with prices of the service."""
    rows = json.loads(didww.ok("numbers search GB --city London --type local --feature voice_in -o json"))
    assert [row["channels"] for row in rows] == [0, 2]
    assert {row["place"] for row in rows} == {"GB London (20)"}
    assert Decimal(rows[0]["monthly"]) < Decimal(rows[1]["monthly"])
    assert rows[0]["stock"] > 0
    assert rows[0]["registration"] == "no"
    assert "voice_in" in rows[0]["features"]


@pytest.mark.parametrize("country", ["GB", "gb", "United Kingdom", "united kingdom", "UK"])
def test_country_is_a_code_or_a_name(didww, country):
    """Upper and lower case are the same."""
    assert "GB London" in didww.ok("numbers search", country, "--city", "london", "--limit", "1")


def test_search_as_csv_has_a_header_even_without_rows(didww):
    """Programs can rely on the columns."""
    rows = list(csv.reader(io.StringIO(didww.ok("numbers search GB --city London --prefix 999 -o csv"))))
    assert len(rows) == 1
    assert rows[0][:3] == ["place", "type", "channels"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("numbers search Germani", "Did you mean 'Germany'?"),
        ("numbers search GB --city Lodnon", "Did you mean 'London'?"),
        ("numbers search US --region Texsas", "Did you mean 'Texas'?"),
        ("numbers search London", "'London' is a city. Pass --city 'London'."),
        ("numbers buy GB --city London --channels 17 --yes", "didww numbers search"),
        (f"{LONDON} --trunk Mian --yes", "There is no trunk 'Mian'"),
        ("numbers buy --number +442079460999999 --yes", "not for sale"),
    ],
)
def test_what_does_not_exist_is_named_and_nothing_is_bought(didww, line, hint):
    """Exit code 4, with the closest names."""
    result = didww(line)
    assert (result.code, result.out) == (4, "")
    assert hint in result.err
    assert orders(didww) == 0


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("numbers search", "Say where"),
        ("numbers search --region NY", "--region needs the country"),
        ("numbers search GB --feature sms", "feature"),
        ("numbers buy GB --city London --qty 0", "--qty"),
        ("numbers buy --number 442079460001 --qty 2 --yes", "--qty does not go with --number"),
        ("numbers buy --number abc --yes", "international format"),
        (f"{LONDON} --trunk A --group B --yes", "--trunk or --group"),
        ("numbers cancel", "at least one number"),
        ("numbers list --expiring soon", "--expiring"),
        ("numbers list -f blocked", "NAME=VALUE"),
        ("numbers list --columns nmber", "Did you mean 'number'?"),
        ("numbers list --query '[' -o json", "--query"),
        ("numbers lst", "Did you mean 'list'?"),
        ("numbers search GB --type loca", "Types: "),
        (f"{LONDON} --yes --wait 0s", "--wait"),
        (f"{LONDON} --yes --timeout 10m", "--timeout"),
        (f"{LONDON} --yes --reference ''", "--reference"),
        ("numbers buy GB --number 442079460001 --yes", "--number goes with --channels only"),
        ("numbers list --expiring 999999w", "--expiring"),
        ("numbers list --emulator --base-url http://127.0.0.1:1/v3", "--emulator does not go with --base-url"),
    ],
)
def test_wrong_usage_names_the_option(didww, line, hint):
    """Exit code 2, in one or two lines."""
    result = didww(line)
    assert result.code == 2, result
    assert hint in result.err
    assert len(result.err.splitlines()) <= 2


def test_buys_one_order_and_prints_the_numbers(didww, trunk):
    """The numbers are routed, and the data alone are on standard output."""
    result = didww(f"{LONDON} --qty 2 --trunk Main --reference PO-17 --yes -o json")
    assert result.code == 0, result
    dids = json.loads(result.out)
    assert [did["voice_in_trunk"]["name"] for did in dids] == ["Main", "Main"]
    assert "Now 2.50 USD, then 2.50 USD a month" in result.err
    assert "Route: trunk Main." in result.err
    assert orders(didww) == 1
    again = didww(f"{LONDON} --qty 2 --trunk Main --reference PO-17 --yes --query '[].number'")
    assert again.out.split() == [did["number"] for did in dids]
    assert "already" in again.err
    assert orders(didww) == 1


@pytest.mark.parametrize("line", ["numbers buy --city London --yes", "numbers buy GB --city London --yes"])
def test_several_offers_are_listed_and_none_is_bought(didww, line):
    """London is in Ontario too, and an offer differs by its channels."""
    result = didww(line)
    assert result.code == 4
    assert "nothing was bought" in result.err
    assert len(result.out.splitlines()) > 2
    assert orders(didww) == 0


def test_sku_selects_an_offer(didww):
    """The id from the list is enough."""
    rows = json.loads(didww.ok("numbers search GB --city London -o json"))
    result = didww(f"numbers buy GB --city London --sku {rows[1]['sku_id']} --yes -o json")
    assert result.code == 0
    assert json.loads(result.out)[0]["channels_included_count"] == rows[1]["channels"]


def test_nothing_is_bought_without_a_terminal_and_without_yes(didww):
    """Exit code 2, with the question and both ways out."""
    result = didww(LONDON)
    assert (result.code, result.out) == (2, "")
    assert "--yes" in result.err
    assert "--dry-run" in result.err
    assert orders(didww) == 0


def test_dry_run_prints_the_request(didww):
    """What is printed is what would be sent."""
    result = didww(f"{LONDON} --qty 3 --reference PO-9 --dry-run")
    method, _, body = result.out.partition("\n")
    assert method.startswith("POST ")
    assert json.loads(body)["data"]["attributes"]["items"][0]["attributes"]["qty"] == 3
    assert result.code == 0
    assert orders(didww) == 0


def test_price_above_the_balance_is_refused(didww):
    """The command warns, the service decides: exit code 3."""
    didww.emulator.balance.put(balance="1.00")
    result = didww(f"{LONDON} --yes")
    assert result.code == 3
    assert "does not cover" in result.err


def test_unknown_outcome_has_a_code_and_a_way_to_check(didww):
    """The response to the order is lost, and the service does not respond any more: nobody can know."""
    didww.emulator.faults.add(method="POST", path="/orders", lost_response=True)
    didww.emulator.faults.add(method="GET", path="/orders", status=503)
    result = didww(f"{LONDON} --yes")
    assert result.code == 6, result
    assert "didww orders list --reference didww-" in result.err
    assert orders(didww) == 1


def test_no_response_has_a_code(didww):
    """Nothing listens at the address."""
    result = didww("balance --base-url http://127.0.0.1:1/v3 --timeout 1")
    assert result.code == 5
    assert "127.0.0.1:1" in result.err


def test_order_that_stays_pending_is_named(didww):
    """Exit code 8: bought, but not delivered within the time."""
    didww.emulator.transitions.set("orders", by_hand=True)
    result = didww(f"{LONDON} --yes --wait 1s")
    assert result.code == 8
    assert "still pending" in result.err
    assert "To continue: didww numbers buy --reference didww-" in result.err


def test_failure_after_the_order_names_the_order(didww, trunk):
    """The numbers are bought and cannot be routed: exit code 7."""
    didww.emulator.faults.add(method="PATCH", path="/dids/*", status=422)
    result = didww(f"{LONDON} --trunk Main --yes")
    assert result.code == 7, result
    assert "is not routed" in result.err
    assert "didww orders show " in result.err


@pytest.mark.slow
def test_terminal_asks_and_no_changes_nothing(didww):
    """The question shows the account; no is the default."""
    with didww.terminal(LONDON) as terminal:
        terminal.expect("Buy 1 number? [y/N]")
        terminal.send("\n")
        assert terminal.wait() == 1
    assert f"Account: {didww.base_url}" in terminal.text
    assert "Nothing was changed." in terminal.text
    assert orders(didww) == 0


@pytest.mark.slow
def test_terminal_yes_buys(didww):
    """A yes is enough; the numbers are shown as a table."""
    with didww.terminal(LONDON) as terminal:
        terminal.expect("[y/N]")
        terminal.send("y\n")
        assert terminal.wait() == 0
    assert "4420794600" in terminal.text


@pytest.mark.slow
def test_interruption_tells_what_is_known_and_the_command_goes_on(didww):
    """Ctrl-C while the order is pending: it is named, and repeating the command does not buy twice."""
    didww.emulator.transitions.set("orders", by_hand=True)
    with didww.terminal(f"{LONDON} --reference PO-1 --yes") as terminal:
        terminal.expect("pending")
        terminal.interrupt()
        assert terminal.wait() == 130
    order = didww.client.orders().one(filter={"external_reference_id": "PO-1"})
    assert f"Order {order.reference} was placed; see: didww orders show {order.reference}" in terminal.words
    didww.emulator.transitions.complete(order.id)
    result = didww(f"{LONDON} --reference PO-1 --yes -o json")
    assert (result.code, len(json.loads(result.out))) == (0, 1)
    assert orders(didww) == 1


@unix_only
@pytest.mark.slow
def test_interruption_in_a_pipe_ends_with_130(didww):
    """Scripts see the usual exit code of Ctrl-C."""
    didww.emulator.transitions.set("orders", by_hand=True)
    program = subprocess.Popen(
        [*PROGRAM, *f"{LONDON} --yes".split()],
        env=didww._env({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert program.stderr is not None
    while "pending" not in program.stderr.readline():
        pass
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out) == (130, "")
    assert "Interrupted." in err


def test_reserved_number_is_bought(didww):
    """A number is found, reserved and bought by its digits."""
    available = json.loads(didww.ok("numbers available GB --city London --contains 7946 --limit 1 -o json"))
    number = available[0]["number"]
    didww.ok(f"numbers reserve +{number} --description 'front desk'")
    assert number in didww.ok("numbers reserve --list")
    assert didww.ok(f"numbers buy --number +{number} --channels 0 --yes --query '[].number'").split() == [number]


def test_reservation_can_be_released(didww):
    """Releasing twice is no error."""
    number = json.loads(didww.ok("numbers available GB --city London --limit 1 -o json"))[0]["number"]
    didww.ok(f"numbers reserve {number}")
    assert "Released" in didww(f"numbers reserve {number} --release").err
    assert "not reserved" in didww(f"numbers reserve {number} --release").err


def test_cancel_and_restore(didww):
    """Canceled numbers work until the end of the period and can be kept."""
    number = didww.ok(f"{LONDON} --yes --query '[].number'").strip()
    canceled = json.loads(didww.ok(f"numbers cancel {number} --yes -o json"))
    assert (canceled[0]["number"], canceled[0]["status"]) == (number, "done")
    assert "ends on" in canceled[0]["change"]
    assert didww.client.dids().one(filter={"number": number}).terminated
    assert "canceled already" in didww(f"numbers cancel {number} --yes").err
    assert number in didww.ok("numbers list --canceled")
    didww.ok(f"numbers restore {number} --yes")
    assert not didww.client.dids().one(filter={"number": number}).terminated
    assert "not canceled" in didww(f"numbers restore {number} --yes").err


def test_cancel_now_says_what_is_lost(didww):
    """The number is gone, and the days that were paid are named first."""
    number = didww.ok(f"{LONDON} --yes --query '[].number'").strip()
    refused = didww(f"numbers cancel {number} --now")
    assert refused.code == 2
    assert "paid days left, which are lost" in refused.err
    assert didww.client.dids().count(filter={"number": number}) == 1
    didww.ok(f"numbers cancel {number} --now --yes")
    assert didww.client.dids().count(filter={"number": number}) == 0


def test_expiring_numbers_follow_the_clock_of_the_service(didww):
    """The emulator's clock is ahead; the period of the numbers ends within the days that are asked for."""
    didww.ok(f"{LONDON} --qty 2 --yes")
    assert didww.ok("numbers list --expiring 14d --query '[].number'") == ""
    didww.emulator.clock.advance("20 days")
    assert len(didww.ok("numbers list --expiring 14d --query '[].number'").split()) == 2


@pytest.mark.parametrize(
    "other",
    [
        "numbers buy US --npanxx 212555 --channels 0 --qty 2 --reference PO-17",
        f"{LONDON} --qty 3 --reference PO-17",
        "numbers buy GB --city London --channels 2 --qty 2 --reference PO-17 --type mobile",
    ],
)
def test_reference_of_another_purchase_is_refused(didww, trunk, other):
    """Nothing is bought, and no live number is rerouted."""
    didww.ok(f"{LONDON} --qty 2 --reference PO-17 --yes")
    result = didww(f"{other} --trunk Main --yes")
    assert (result.code, result.out, orders(didww)) == (3, "", 1)
    assert "another purchase" in result.err
    assert didww.client.dids().count(filter={"voice_in_trunk.id": trunk.id}) == 0


def test_rerouting_the_numbers_of_an_earlier_order_is_asked_for(didww, trunk):
    """The reference alone goes on with its order; a route that changes live numbers needs a yes."""
    didww.ok(f"{LONDON} --qty 2 --reference PO-17 --yes")
    result = didww("numbers buy --reference PO-17 --trunk Main")
    assert result.code == 2
    assert "none -> trunk Main" in result.err
    assert didww.client.dids().count(filter={"voice_in_trunk.id": trunk.id}) == 0
    didww.ok("numbers buy --reference PO-17 --trunk Main --yes")
    assert didww.client.dids().count(filter={"voice_in_trunk.id": trunk.id}) == 2


@pytest.mark.slow
def test_runs_at_the_same_time_order_once(didww):
    """Three programs with one reference place one order and print the same number."""
    didww.emulator.faults.add(method="POST", resource="orders", latency=0.5)
    programs = [
        subprocess.Popen(
            [*PROGRAM, *f"{LONDON} --reference RACE --yes --query [].number".split()],
            env=didww._env({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(3)
    ]
    printed = {program.communicate(timeout=120)[0] for program in programs}
    assert [program.returncode for program in programs] == [0, 0, 0]
    assert (len(printed), orders(didww)) == (1, 1)


def test_more_than_the_stock_is_refused_before_the_question(didww):
    """The stock is said, and how to wait for more."""
    group = didww.client.did_groups().first(filter={"area_name": "London", "prefix": "20"})
    didww.emulator.stock.put(group.id, 3)
    result = didww(f"{LONDON} --qty 4 --yes")
    assert (result.code, orders(didww)) == (3, 0)
    assert "3 in stock, 4 wanted. --back-order" in result.err
    didww.emulator.stock.put(group.id, 0)
    assert didww(f"{LONDON} --yes").code == 4
    assert "London" in didww.ok("numbers search GB --city London --sold-out")
    assert "London" not in didww.ok("numbers search GB --city London")


def test_number_that_the_account_has_is_named(didww):
    """It is not sold twice."""
    number = didww.ok(f"{LONDON} --yes --query '[].number'").strip()
    result = didww(f"numbers buy --number {number} --channels 0 --yes")
    assert result.code == 3
    assert f"The account has {number} already" in result.err


def test_what_was_bought_is_printed_though_its_routing_failed(didww, trunk):
    """Scripts find the numbers on standard output with exit code 7, the order with 8 and --no-wait."""
    fault = didww.emulator.faults.add(method="PATCH", path="/dids/*", status=422)
    result = didww(f"{LONDON} --trunk Main --yes -o json")
    assert (result.code, len(json.loads(result.out))) == (7, 1)
    didww.emulator.faults.remove(fault.id)
    assert json.loads(didww.ok(f"{LONDON} --no-wait --yes -o json"))["reference"]
    didww.emulator.transitions.set("orders", by_hand=True)
    result = didww(f"{LONDON} --wait 1s --yes -o json")
    assert (result.code, json.loads(result.out)["status"]) == (8, "pending")


def test_lost_response_of_a_route_is_unknown(didww, trunk):
    """Exit code 6: the number may be routed."""
    number = didww.ok(f"{LONDON} --yes --query '[].number'").strip()
    didww.emulator.faults.add(method="PATCH", path="/dids/*", lost_response=True)
    result = didww(f"numbers route {number} --trunk Main --yes -o json")
    assert (result.code, json.loads(result.out)[0]["status"]) == (6, "unknown")
    assert didww(f"dids update {number} --description x --yes").code == 6


def test_refused_change_of_one_number_has_the_code_of_its_error(didww, trunk):
    """Nothing was done, so it is not partly done."""
    number = didww.ok(f"{LONDON} --yes --query '[].number'").strip()
    didww.emulator.faults.add(method="PATCH", path="/dids/*", status=422)
    assert didww(f"numbers route {number} --trunk Main --yes").code == 3
    assert didww(f"numbers cancel {number} --yes").code == 3


@pytest.mark.slow
def test_interrupted_cancellation_says_what_was_done(didww):
    """Ctrl-C in the middle: how many were canceled, and how to go on."""
    numbers = didww.ok(f"{LONDON} --qty 12 --yes --query '[].number'").split()
    didww.emulator.faults.add(method="PATCH", path="/dids/*", latency=1)
    with didww.terminal(f"numbers cancel {' '.join(numbers)} --yes") as terminal:
        terminal.expect("of 12")
        terminal.interrupt()
        assert terminal.wait() == 130
    assert "of 12 numbers changed." in terminal.words
    assert "run the same command again" in terminal.words
    assert "report" not in terminal.words
