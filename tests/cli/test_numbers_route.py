"""`didww numbers route`, one by one and from a CSV file."""

from __future__ import annotations

import csv
import json
import threading
from pathlib import Path

import pytest

from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup


@pytest.fixture
def account(didww):
    """Return the command; its account has trunks A and B, the group Support, and numbers."""
    client = didww.client
    trunks = [
        client.voice_in_trunks()
        .create(VoiceInTrunk(name=name, configuration=PstnConfiguration(dst=f"44207946099{index}")))
        .data
        for index, name in enumerate("AB")
    ]
    client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Support", voice_in_trunks=trunks))
    return didww


def buy(didww, qty):
    """Buy numbers in London and return them."""
    client = didww.client
    country = client.countries().one(filter={"iso": "GB"})
    group = client.did_groups().one(
        filter={"country.id": country.id, "area_name": "London", "needs_registration": False, "is_available": True},
        include="stock_keeping_units",
    )
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty)
    client.orders().wait(client.orders().create(Order(items=[item])).data)
    return [did.number for did in client.dids().iterate(sort="number")]


def routes(didww):
    """Return the name of the trunk or group of each number."""
    include = ["voice_in_trunk", "voice_in_trunk_group"]
    return {
        did.number: getattr(did.voice_in_trunk or did.voice_in_trunk_group, "name", None)
        for did in didww.client.dids().iterate(include=include)
    }


def patches(didww):
    """Return the numbers of the changes that were sent."""
    return didww.emulator.journal.entries(method="PATCH", limit=1000)


def write(tmp_path, *lines):
    """Write a CSV file and return its path."""
    path = tmp_path / "routes.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def results(path):
    """Return the rows of the file of results."""
    return list(csv.DictReader(Path(f"{path}.results.csv").read_text(encoding="utf-8").splitlines()))


def test_numbers_are_routed_to_a_trunk_a_group_or_nowhere(account):
    """The present and the new route are shown before anything is changed."""
    one, two = buy(account, 2)
    result = account(f"numbers route +{one} {two} --trunk A --yes -o json")
    assert result.code == 0
    assert f"{one}  route: none -> trunk A" in result.err
    assert [(row["number"], row["status"]) for row in json.loads(result.out)] == [(one, "done"), (two, "done")]
    assert f"{two}  route: trunk A -> trunk group Support" in account(f"numbers route {two} --group Support --yes").err
    assert routes(account) == {one: "A", two: "Support"}
    account.ok(f"numbers route {one} {two} --none --yes")
    assert routes(account) == {one: None, two: None}


def test_what_is_routed_already_is_left_alone(account):
    """No request is sent, and nothing is asked."""
    (number,) = buy(account, 1)
    account.ok(f"numbers route {number} --trunk A --yes")
    before = len(patches(account))
    result = account(f"numbers route {number} --trunk A")
    assert (result.code, len(patches(account))) == (0, before)
    assert "already" in result.err


def test_live_numbers_are_not_rerouted_without_a_question(account):
    """Without a terminal and without --yes, exit code 2."""
    (number,) = buy(account, 1)
    result = account(f"numbers route {number} --trunk A")
    assert result.code == 2
    assert f"{number}  route: none -> trunk A" in result.err
    assert routes(account) == {number: None}


def test_dry_run_prints_each_request(account):
    """As many requests as numbers, and none is sent."""
    numbers = buy(account, 3)
    result = account(f"numbers route {' '.join(numbers)} --trunk A --dry-run")
    assert (result.code, result.out.count("PATCH ")) == (0, 3)
    assert patches(account) == []


def test_csv_file_reroutes_numbers(account, tmp_path):
    """Numbers in any form, trunks and groups by name, none to remove a route; a file of results."""
    one, two, three = buy(account, 3)
    account.ok(f"numbers route {three} --group Support --yes")
    path = write(tmp_path, "Number;Trunk;Group", f"+{one};A;", f"{two[:2]} {two[2:]};;Support", f"{three};none;")
    result = account(f"numbers route --from-csv {path} --yes")
    assert result.code == 0, result
    assert routes(account) == {one: "A", two: "Support", three: None}
    assert {row["key"]: row["status"] for row in results(path)} == {one: "done", two: "done", three: "done"}
    before = len(patches(account))
    assert account(f"numbers route --from-csv {path} --yes").code == 0
    assert len(patches(account)) == before


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["number,trunk", "442079460000,Mian"], "line 2, column trunk: There is no trunk 'Mian'"),
        (["number,trunk", "442079460999,A"], "line 2, column number: the account does not have 442079460999"),
        (["number,trunk", "hello,A"], "line 2, column number: 'hello'"),
        (["number,trunk", "442079460000,A", "+442079460000,B"], "line 3, column number"),
        (["number,trunk", "442079460000,"], "line 2, column trunk: pass trunk; none removes the route"),
        (["number", "442079460000"], "line 1"),
        (["number,turnk", "442079460000,A"], "Did you mean 'trunk'?"),
    ],
)
def test_faults_of_the_file_are_named_before_anything_is_sent(account, tmp_path, rows, words):
    """Exit code 2, with line and column."""
    buy(account, 1)
    result = account(f"numbers route --from-csv {write(tmp_path, *rows)} --yes")
    assert result.code == 2, result
    assert words in result.err
    assert patches(account) == []


@pytest.mark.slow
def test_interrupted_run_goes_on(account, tmp_path):
    """Fifty numbers, Ctrl-C after the first twenty: the next run sends only the others."""
    numbers = buy(account, 50)
    path = write(tmp_path, "number,trunk", *(f"{number},A" for number in numbers))
    reached = threading.Event()
    seen = []
    record = account.emulator.journal.record

    def recorded(request, *arguments, **options):
        if request.method == "PATCH":
            seen.append(request.url)
            if len(seen) >= 20:
                reached.set()
        record(request, *arguments, **options)

    account.emulator.journal.record = recorded
    with account.terminal(f"numbers route --from-csv {path} --yes") as terminal:
        assert reached.wait(60)
        terminal.interrupt()
        assert terminal.wait() == 130
    assert "run the same command again" in terminal.text.replace("\n", " ")
    first = len(seen)
    assert first < 50
    result = account(f"numbers route --from-csv {path} --yes")
    assert result.code == 0, result
    assert set(routes(account).values()) == {"A"}
    done = [row["key"] for row in results(path) if row["status"] in ("done", "unchanged")]
    assert sorted(done) == numbers
    assert (
        len(seen) <= 50 + 10
    )  # only what was in flight can have been sent twice; it is compared with the service first
