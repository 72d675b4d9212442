"""`didww numbers list`, `show` and `history`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from didww.resources.did import Did
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem

if TYPE_CHECKING:
    from support.command import Command


@pytest.fixture
def numbers(didww: Command) -> list[str]:
    """Return three numbers that the account has bought in London."""
    client = didww.client
    country = client.countries().one(filter={"iso": "GB"})
    group = client.did_groups().one(
        filter={"country.id": country.id, "area_name": "London", "needs_registration": False, "is_available": True},
        include="stock_keeping_units",
    )
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=3)
    client.orders().wait(client.orders().create(Order(items=[item])).data)
    return [did.number for did in client.dids().iterate(sort="number")]


def test_table_in_a_pipe_is_separated_by_tabs(didww, numbers):
    """Programs read the table with `cut`."""
    lines = didww.ok("numbers list").splitlines()
    assert lines[0].split("\t") == ["number", "country", "area", "route", "expires", "canceled", "description"]
    assert [line.split("\t")[0] for line in lines[1:]] == numbers
    assert lines[1].split("\t")[1:4] == ["GB", "London", ""]


def test_json_has_included_records_in_place(didww, numbers):
    """Each related record is an object under the name of its relationship."""
    records = json.loads(didww.ok("numbers list -o json"))
    assert [record["number"] for record in records] == numbers
    assert records[0]["did_group"]["country"]["iso"] == "GB"
    assert records[0]["voice_in_trunk"] is None


def test_query_is_jmespath(didww, numbers):
    """`--query` prints plain text for texts."""
    assert didww.ok("numbers list --query '[].number'").split() == numbers
    assert json.loads(didww.ok("numbers list -o json --query '[].number'")) == numbers


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 140])
def test_table_fits_the_terminal(didww, numbers, columns):
    """No line is wider than the terminal, and numbers are whole."""
    client = didww.client
    did = client.dids().one(filter={"number": numbers[0]})
    client.dids().update(Did.build(did.id, description="Reception of the London office, second floor, weekdays only"))
    result = didww.screen("numbers list", columns=columns)
    assert result.code == 0
    assert max(len(line) for line in result.out.splitlines()) <= columns
    assert all(number in result.out for number in numbers)


@pytest.mark.slow
def test_broken_pipe_is_no_error(didww, numbers):
    """`didww numbers list | head -1` ends quietly."""
    import subprocess

    from support.command import PROGRAM

    program = subprocess.Popen(
        [*PROGRAM, "numbers", "list"], env=didww._env({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    program.stdout.close()
    _, err = program.communicate(timeout=60)
    assert (program.returncode, err) == (0, b"")


def test_numbers_may_have_plus_and_spaces(didww, numbers):
    """A number is found however people write it."""
    number = numbers[0]
    for text in (number, f"+{number}", f"00{number}", f"+{number[:2]} {number[2:4]} {number[4:8]} {number[8:]}"):
        assert number in didww.ok("numbers show", text)


def test_unknown_number_is_not_found(didww):
    """Exit code 4, and the number is named."""
    result = didww("numbers show +442079460999")
    assert (result.code, result.out) == (4, "")
    assert "442079460999" in result.err
