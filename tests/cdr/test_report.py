"""Reports of calls from exports: the page, its numbers, and the command."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

pytest.importorskip("ibis")
pytest.importorskip("duckdb")
pytest.importorskip("matplotlib")

from didww import InvalidValueError
from didww.cdr import CallDataset, InboundCall
from didww.cdr.opening import open_calls
from didww.cdr.report import write_report
from didww.emulator import Emulator
from didww.emulator.data.cdr import (
    CDR_IN_COLUMNS,
    CDR_OUT_COLUMNS,
    Attempt,
    Line,
    OutLine,
    cdr_in,
    cdr_out,
    csv_line,
)
from support.command import Command

if TYPE_CHECKING:
    from didww.cdr.calls import Calls

START = datetime(2026, 10, 1, tzinfo=UTC)
END = START + timedelta(days=20)
TRUNK = "<b>Desk</b> & $1$"


def write_inbound(path: Path) -> list[dict[str, str]]:
    """Write an export of inbound calls, and return its rows."""
    first = Attempt(TRUNK, "sip:desk@example.com")
    lines = [Line("442079460001", (first, Attempt("Backup", "sip:b@example.com"))), Line("442079460002", ())]
    text = csv_line(CDR_IN_COLUMNS) + "".join(row for _, row in cdr_in(lines, START, END, 1, 30))
    path.write_text(text, encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def write_outbound(path: Path) -> list[dict[str, str]]:
    """Write an export of outbound calls, and return its rows."""
    rows = cdr_out([OutLine("1", "Office", ("442079460001",))], START, END, 1, 4)
    text = csv_line(CDR_OUT_COLUMNS) + "".join(row for _, row in rows)
    path.write_text(text, encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with exports of both types."""
    folder = tmp_path_factory.mktemp("exports")
    write_inbound(folder / "in.csv")
    write_outbound(folder / "out.csv")
    return folder


@pytest.fixture(scope="module")
def calls(exports: Path) -> Calls:
    """The calls of both."""
    return open_calls(sorted(exports.glob("*.csv")))


@pytest.fixture(scope="module")
def page(calls: Calls, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of these calls."""
    file = calls.report(tmp_path_factory.mktemp("report") / "r.html", capacity={"inbound": 2, "outbound": 50})
    return file.read_text("utf-8")


def inbound(start: datetime, number: str, trunk: str | None = "Main") -> InboundCall:
    """An answered call of a minute."""
    return InboundCall(
        start,
        start,
        start + timedelta(minutes=1),
        did_number=number,
        duration=60,
        trunk=trunk,
        call_id=f"{start} {number}",
    )


def dataset_of(folder: Path, records: list[InboundCall]) -> CallDataset:
    dataset = CallDataset(folder / "calls")
    dataset.append(records)
    return dataset


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """The command; these need no service."""
    return Command(Emulator(), "http://127.0.0.1:9", tmp_path / "home")


def figures(page: str) -> dict[str, tuple[str, str]]:
    found = re.findall(r"<dt>(.*?)</dt><dd><b>(.*?)</b>(?:<span>(.*?)</span>)?", page)
    return {name: (unescape(value), unescape(note)) for name, value, note in found}


def sections(page: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)"', page)


def test_key_figures_are_sums_of_the_rows(exports: Path, page: str, tmp_path: Path) -> None:
    """To the last cent, and of each direction."""
    inbound, outbound = write_inbound(tmp_path / "in.csv"), write_outbound(tmp_path / "out.csv")
    cost_in = sum(Decimal(row["Total (USD)"]) for row in inbound)
    cost_out = sum(Decimal(row["Charged (USD)"]) for row in outbound)
    shown = figures(page)
    assert shown["Cost"] == (f"${cost_in + cost_out:,.2f}", f"${cost_in:,.2f} inbound, ${cost_out:,.2f} outbound")
    answered = sum(row["Status"] == "Completed" for row in [*inbound, *outbound])
    records = len(inbound) + len(outbound)
    assert shown["Answered"] == (f"{answered / records:.1%}", f"of {records:,} attempts")
    ids = len({row["Call ID"] for row in inbound})
    assert shown["Calls"] == (f"{ids + len(outbound):,}", f"{ids:,} inbound, {len(outbound):,} outbound")
    assert f"Oct 1 \N{EN DASH} Oct 20, 2026, times in UTC. {records:,} records" in page


def test_page_has_a_plot_for_each_question(page: str) -> None:
    """Of both directions where they differ."""
    found = sections(page)
    assert found[:7] == [
        "traffic",
        "trunks-inbound",
        "trunks-outbound",
        "failures-inbound",
        "failures-outbound",
        "codes-inbound",
        "codes-outbound",
    ]
    assert {"costs", "channels-inbound", "channels-outbound", "unrouted"} <= set(found)
    assert page.count("<table>") == len(found)


def test_capacity_is_that_of_the_direction(page: str) -> None:
    """Reached, and never reached."""
    assert "The capacity of 2 was reached" in page
    assert "The capacity of 50 was never reached" in page


def test_names_of_trunks_are_text(page: str) -> None:
    """In drawings and tables, whatever they contain."""
    assert "<b>Desk" not in page
    assert "&lt;b&gt;Desk&lt;/b&gt; &amp; $1$" in page


def test_page_is_small(page: str) -> None:
    """It has sums only."""
    assert len(page) < 600_000


@pytest.mark.parametrize("capacity", [0, -1, True, "30", {"both": 3}, {"inbound": 0}, {"inbound": None}])
def test_capacity_is_checked(calls: Calls, tmp_path: Path, capacity: Any) -> None:
    """Before anything is asked or written."""
    with pytest.raises(InvalidValueError, match="capacity"):
        calls.report(tmp_path / "r.html", capacity=capacity)
    assert not list(tmp_path.iterdir())


def test_file_is_replaced_only_when_the_page_is_complete(calls: Calls, tmp_path: Path) -> None:
    """A failure leaves the former file, and nothing else. A plain capacity is that of inbound calls."""
    file = tmp_path / "r.html"
    file.write_text("before", "utf-8")

    def fail(step: str) -> None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        write_report(calls, file, progress=fail)
    assert [(each.name, each.read_text("utf-8")) for each in tmp_path.iterdir()] == [("r.html", "before")]
    told: list[str] = []
    assert calls.report(str(file), title="All <calls>", capacity=7, progress=told.append) == file
    assert [each.name for each in tmp_path.iterdir()] == ["r.html"]
    text = file.read_text("utf-8")
    assert "<title>All &lt;calls&gt;</title>" in text
    assert re.findall(r"Capacity (\d+)", text) == ["7", "7"]  # in two widths
    assert told[0] == "totals"
    assert len(set(told)) == len(told) > 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_devices_and_pipes_are_written_to(cli: Command, calls: Calls, exports: Path, tmp_path: Path) -> None:
    """A file in the place of /dev/null would break all programs of the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for write in (
        lambda: calls.report(tmp_path / "link"),
        lambda: cli(f"cdr report {exports} -o {pipe}"),
    ):
        with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, encoding="utf-8") as reader:
            try:
                with pipe.open("w", encoding="utf-8"):  # the reader has opened it
                    write()
                assert "Call report" in reader.communicate(timeout=60)[0]
            finally:
                reader.kill()
        assert pipe.is_fifo()
    (tmp_path / "page.html").write_text("before", "utf-8")
    (tmp_path / "other").symlink_to("page.html")
    calls.report(tmp_path / "other")
    assert (tmp_path / "other").is_symlink()
    assert "Call report" in (tmp_path / "page.html").read_text("utf-8")


def test_report_is_of_all_times(tmp_path: Path) -> None:
    """Channels, and numbers without a trunk, of ten years and of thousands of numbers."""
    old, new = START - timedelta(days=3650), START
    at_once = [inbound(old, str(n)) for n in range(50)]
    later = [inbound(new + timedelta(hours=n), str(n)) for n in range(30)]
    many = [inbound(new + timedelta(days=2, minutes=n), str(10**10 + n), trunk=None) for n in range(6000)]
    text = open_calls(dataset_of(tmp_path, [*at_once, *later, *many])).report(tmp_path / "r.html", capacity=10)
    page = text.read_text("utf-8")
    assert "At most 50 channels were in use, first on Oct 3, 2016" in page
    assert "The capacity of 10 was reached once" in page
    assert figures(page)["Peak channels"][0] == "50"
    assert "6,000 calls to 6,000 numbers." in page
    assert "5,700 more rows are not shown." in page


def test_a_period_is_compared_with_other_times(tmp_path: Path) -> None:
    """Calls before it count as channels until they end, and their places are known."""
    records = [inbound(START + timedelta(days=day, seconds=30 * day), "1") for day in range(40)]
    records = [msgspec.structs.replace(each, source_country="France") for each in records]
    records += [inbound(START + timedelta(days=10, seconds=-30), "2")]
    dataset = dataset_of(tmp_path, records)
    begin = START + timedelta(days=10)
    text = open_calls(dataset).report(tmp_path / "r.html", start=begin, end=END).read_text("utf-8")
    assert "10 records" in text
    assert figures(text)["Peak channels"][1] == "Oct 11, 2026, 00:00"
    assert "are new" not in text


def test_report_without_calls_says_so(calls: Calls, tmp_path: Path) -> None:
    """It is a page, too."""
    text = calls.where(trunk="Nobody").report(tmp_path / "r.html").read_text("utf-8")
    assert "There are no calls." in text
    assert not sections(text)


def test_one_direction_has_no_shares(calls: Calls, tmp_path: Path) -> None:
    """And only its own plots."""
    text = calls.where(direction="outbound").report(tmp_path / "r.html").read_text("utf-8")
    assert figures(text)["Cost"][1] == ""
    assert not [name for name in sections(text) if "inbound" in name]
    assert re.fullmatch(r"\d+", figures(text)["Peak channels"][0])


def test_notebooks_show_figures_and_traffic(calls: Calls) -> None:
    """As one element, with a style that changes nothing else of the notebook."""
    html = calls._repr_html_()
    assert sections(html) == ["traffic"]
    assert "Cost" in figures(html)
    assert "<html" not in html
    (style,) = re.findall(r"<style>(.*?)</style>", html)
    outer = re.sub(r"@media [^{]*", "", style)
    while re.search(r"\{[^{}]*\}", outer):
        outer = re.sub(r"\{[^{}]*\}", "", outer)
    assert set(outer.split()) == {".didww-report"}, outer


def test_command_writes_a_report(cli: Command, exports: Path, tmp_path: Path) -> None:
    """It says where, and replaces a file only with --force."""
    target = tmp_path / "page.html"
    target.write_text("before", "utf-8")
    refused = cli(f"cdr report {exports} -o {target}")
    assert refused.code == 2
    assert "--force" in refused.err
    assert target.read_text("utf-8") == "before"
    result = cli(f"cdr report {exports} -o {target} --capacity 2 --outbound-capacity 50 --title October --force")
    assert result.code == 0, result
    assert f"Report: {target}" in result.err
    text = target.read_text("utf-8")
    assert "<h1>October</h1>" in text
    assert "The capacity of 2 was reached" in text
    assert "The capacity of 50 was never reached" in text


def test_command_checks_before_it_reads(cli: Command, exports: Path, tmp_path: Path) -> None:
    """A folder that does not exist, or no calls at all."""
    missing = cli(f"cdr report {exports} -o {tmp_path / 'none' / 'r.html'}")
    assert missing.code == 2
    assert "there is no directory" in missing.err
    nothing = cli(f"cdr report {tmp_path / 'none'} -o {tmp_path / 'r.html'}")
    assert nothing.code != 0
    assert "none" in nothing.err
    assert cli(f"cdr report {exports} --capacity 0").code == 2


def test_command_takes_a_period(cli: Command, exports: Path, tmp_path: Path) -> None:
    """The last day is included."""
    target = tmp_path / "page.html"
    result = cli(f"cdr report {exports / 'out.csv'} -o {target} --from 2026-10-03 --to 2026-10-05")
    assert result.code == 0, result
    assert "Oct 3 \N{EN DASH} Oct 5, 2026, times in UTC" in target.read_text("utf-8")


def test_command_refuses_two_periods(cli: Command, exports: Path) -> None:
    """Or one that ends before it begins."""
    both = cli(f"cdr report {exports} --month 2026-10 --to 2026-10-05")
    assert (both.code, "--month" in both.err) == (2, True)
    turned = cli(f"cdr report {exports} --from 2026-10-06 --to 2026-10-05")
    assert (turned.code, "--to must be after --from" in turned.err) == (2, True)


def test_damaged_times_do_not_blow_up_the_page(tmp_path: Path) -> None:
    """Starts and ends in other millennia."""
    rows = write_inbound(tmp_path / "in.csv")[:200]
    names = {"start": "Date/Time Start (UTC)", "end": "Date/Time End (UTC)"}
    rows[0][names["start"]] = "1000-01-01 00:00:00"
    rows[1][names["start"]] = rows[1][names["end"]] = "9999-12-30 00:00:00"
    rows[2][names["end"]] = "9999-01-01 00:00:00"
    text = "".join(map(csv_line, [list(rows[0]), *(list(row.values()) for row in rows)]))
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")
    file = open_calls(tmp_path / "in.csv").report(tmp_path / "r.html")
    assert "200 records" in file.read_text("utf-8")
    assert file.stat().st_size < 600_000
