"""`didww cdr summary`: counts of exports, by names, periods and numbers."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from didww.emulator import Emulator
from support.call_files import inbound_text, outbound_text, write
from support.command import Command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with exports of both types."""
    folder = tmp_path_factory.mktemp("exports")
    write(folder / "in.csv", inbound_text())
    write(folder / "out.csv.gz", outbound_text())
    return folder


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """The command; this one needs no service."""
    return Command(Emulator(), "http://127.0.0.1:9", tmp_path / "home")


def of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_sum_of_all_calls(cli: Command, exports: Path) -> None:
    """Without --by, one row with all records and their exact cost."""
    rows = [*of(inbound_text()), *of(outbound_text())]
    (found,) = json.loads(cli(f"cdr summary {exports} -o json").out)
    assert found["attempts"] == len(rows)
    cost = sum(Decimal(row.get("Total (USD)") or row.get("Charged (USD)") or 0) for row in rows)
    assert Decimal(found["cost"]) == cost


def test_by_names_sorted_and_limited(cli: Command, exports: Path) -> None:
    """Rows by trunk and direction, the highest cost first, as CSV."""
    done = cli(f"cdr summary {exports}/in.csv {exports}/out.csv.gz --by trunk,direction --sort=-cost --limit 3 -o csv")
    rows = of(done.out)
    assert done.code == 0
    assert list(rows[0])[:5] == ["trunk", "direction", "calls", "attempts", "answered"]
    costs = [Decimal(row["cost"]) for row in rows]
    assert costs == sorted(costs, reverse=True)
    assert len(rows) == 3


def test_the_period_and_the_number_are_filters(cli: Command, exports: Path) -> None:
    """A day is included as a whole."""
    line = f"cdr summary {exports}/in.csv --by day -o csv --number +442079460001"
    all_days = [row["day"] for row in of(cli(line).out)]
    assert [row["day"] for row in of(cli(f"{line} --from {all_days[1]} --to {all_days[2]}").out)] == all_days[1:3]
    october = of(cli(f"{line} --month 2026-10").out)
    assert [row["day"] for row in october] == [day for day in all_days if day.startswith("2026-10")]
    wanted = sum(row["Destination DID"] == "442079460001" for row in of(inbound_text()))
    assert sum(int(row["attempts"]) for row in of(cli(line).out)) == wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--by trnk", "--by: Calls cannot be grouped by 'trnk'. Did you mean 'trunk'?"),
        ("--by trunk --sort costs", "--sort: There is no column 'costs' to sort by. Did you mean 'cost'?"),
        ("--month 2026-10 --last 7d", "Pass one of --from and --to"),
        ("--from 2026-10-02 --to 2026-10-01", "--to must be after --from"),
        ("--limit 0", "--limit"),
    ],
)
def test_mistakes_are_explained(cli: Command, exports: Path, options: str, message: str) -> None:
    """The message names the option."""
    done = cli(f"cdr summary {exports} {options}")
    assert done.code != 0
    assert message in done.err


def test_no_calls_in_the_period(cli: Command, exports: Path) -> None:
    """No rows, and no error."""
    done = cli(f"cdr summary {exports} --by trunk --last 1s -o json")
    assert (done.code, json.loads(done.out)) == (0, [])


def test_filters_that_match_nothing_say_what_there_is(cli: Command, exports: Path) -> None:
    """A trunk, a number or a period that is misspelled; standard output stays as it is."""
    trunks = [row["trunk"] for row in json.loads(cli(f"cdr summary {exports} --by trunk -o json").out)]
    done = cli(f"cdr summary {exports} --trunk Mian --number 12025550199")
    assert done.code == 0
    assert "No calls match. The calls are from 20" in done.err
    assert all(trunk in done.err for trunk in trunks if trunk)
    assert "Each number: " in done.err
    assert "No calls match" not in cli(f"cdr summary {exports} --by trunk").err
    assert "Each trunk" not in cli(f"cdr summary {exports} --from 2020-01-01 --to 2020-01-02").err
