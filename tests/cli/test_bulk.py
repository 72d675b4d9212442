"""Bulk changes from CSV files: `didww <type> update --from-csv`."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from didww._server.asgi_server import served
from didww.emulator.http.app import EmulatorApp
from support.account import buy, create_trunk


@pytest.fixture
def numbers(didww):
    """Return three numbers; the account has the trunks Berlin and Paris."""
    create_trunk(didww.client, "Berlin")
    create_trunk(didww.client, "Paris", "442079460991")
    return buy(didww.client, 3)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a CSV file and returns its path."""

    def write(*lines, encoding="utf-8"):
        path = tmp_path / "changes.csv"
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return str(path)

    return write


def results(path):
    """Return key and status of each row of the result file."""
    lines = Path(f"{path}.results.csv").read_text(encoding="utf-8").splitlines()
    return [(row["key"], row["status"]) for row in csv.DictReader(lines)]


def patches(didww):
    """Return the paths of the changes that were sent."""
    return [entry.path for entry in didww.emulator.journal.entries(method="PATCH", limit=1000)]


def routes(didww):
    """Return the name of the trunk of each number."""
    dids = didww.client.dids().iterate(include="voice_in_trunk")
    return {did.number: did.voice_in_trunk and did.voice_in_trunk.name for did in dids}


def update(didww, path, *more):
    """Update numbers from a file."""
    return didww("dids update --from-csv", path, "--yes", *more)


def test_each_row_changes_its_record(didww, numbers, write):
    """The plan says from what to what; the result file has a line for each record."""
    path = write("number,voice_in_trunk,description", f"+{numbers[0]},Berlin,Desk", f"{numbers[1]},Paris,")
    result = update(didww, path)
    assert (result.code, result.out) == (0, "")
    assert "2 numbers to change" in result.err
    assert f"{numbers[0]}  voice_in_trunk: none -> Berlin, description: none -> Desk" in result.err
    assert routes(didww) == {numbers[0]: "Berlin", numbers[1]: "Paris", numbers[2]: None}
    assert sorted(results(path)) == [(numbers[0], "done"), (numbers[1], "done")]


def test_empty_cell_leaves_alone_and_null_clears(didww, numbers, write):
    """A row that changes nothing is not sent."""
    update(didww, write("number,voice_in_trunk,description", f"{numbers[0]},Berlin,Desk"))
    path = write("number,voice_in_trunk,description", f"{numbers[0]},,null", f"{numbers[1]},,")
    before = len(patches(didww))
    result = update(didww, path, "--results", f"{path}.results.csv")
    assert "1 number to change, 1 already as requested" in result.err
    assert len(patches(didww)) == before + 1
    did = didww.client.dids().one(filter={"number": numbers[0]}, include="voice_in_trunk")
    assert (did.description, did.voice_in_trunk.name) == (None, "Berlin")
    assert (numbers[1], "unchanged") in results(path)


@pytest.mark.parametrize(
    ("lines", "encoding"),
    [
        (["\ufeffNumber;Voice in trunk", "{};Berlin"], "utf-8"),
        (["sep=;", "number;voice_in_trunk", "{};Berlin"], "utf-8"),
        (["number\tvoice_in_trunk", "{}\tBerlin"], "utf-16"),
        (["number,voice_in_trunk.name,,", "", "'+{},Berlin,,", ""], "utf-8"),
        (['"number","voice_in_trunk"', '"{}"," Berlin "'], "utf-8"),
    ],
)
def test_files_of_spreadsheets_are_read(didww, numbers, write, lines, encoding):
    """Byte order marks, semicolons, tabs, blank lines, empty columns, protected and quoted cells."""
    result = update(didww, write(*(line.format(numbers[0]) for line in lines), encoding=encoding))
    assert (result.code, routes(didww)[numbers[0]]) == (0, "Berlin"), result


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([""], "is empty"),
        (["number,description"], "has no rows"),
        (["description", "x"], "line 1: exactly one column of id or number is needed"),
        (["id,number,description", "x,1,x"], "line 1: exactly one column of id or number is needed"),
        (["number,descripton", "{},x"], "line 1: there is no column 'descripton'. Did you mean 'description'?"),
        (["number,created_at", "{},x"], "line 1: there is no column 'created_at'"),
        (["number", "{}"], "line 1: there is no column to change"),
        (["number,description,description", "{},x,y"], "line 1: the column description is there twice"),
        (["number,description", "{},x,y"], "line 2: 2 cells are needed, got 3"),
        (["number,description", '{},"x'], "line 2: this is not a row of a CSV file"),
        (["number,description", "{},x", "", "+{},y"], "line 4, column number: {} is in line 2, too"),
        (["number,description", ",x"], "line 2, column number: the cell is empty"),
        (["number,description", "442079469999,x"], "line 2, column number: the account has no DID '442079469999'"),
        (["number,description", "4.42E+11,x"], "format the column as text"),
        (["number,capacity_limit", "{},0"], "line 2, column capacity_limit: It must be 1 to 32767, got 0"),
        (["number,capacity_limit", "{},many"], "line 2, column capacity_limit: It must be an int, got 'many'"),
        (["number,terminated", "{},perhaps"], "line 2, column terminated"),
        (["number,terminated", "{},null"], "line 2, column terminated: terminated cannot be cleared"),
        (["number,voice_in_trunk", "{},Berlim"], "column voice_in_trunk: There is no inbound trunk 'Berlim'. Did you"),
    ],
)
def test_faults_are_named_before_anything_is_sent(didww, numbers, write, lines, words):
    """Exit code 2, with the line and the column."""
    path = write(*(line.replace("{}", numbers[0]) for line in lines))
    result = update(didww, path)
    assert result.code == 2, result
    assert words.replace("{}", numbers[0]) in result.err
    assert patches(didww) == []
    assert not Path(f"{path}.results.csv").exists()


def test_a_file_that_is_no_text_or_too_large_is_refused(didww, tmp_path, monkeypatch):
    """A workbook is no CSV file; a huge file is not read into memory."""
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"number\nPK\x03\x04\xff\x00")
    assert "line 2: the text is not UTF-8" in update(didww, str(path)).err
    path.write_bytes(b"number\n\0")
    assert "line 2: this is not text" in update(didww, str(path)).err
    monkeypatch.setattr("didww.cli.csv_input.MAX_BYTES", 5)
    assert "is larger than" in update(didww, str(path)).err
    monkeypatch.undo()
    monkeypatch.setattr("didww.cli.csv_input.MAX_ROWS", 1)
    path.write_text("number,description\n1,2\n1,2\n", encoding="utf-8")
    assert "has more than 1 rows" in update(didww, str(path)).err
    assert update(didww, str(tmp_path / "none.csv")).code == 2


def test_nothing_is_changed_without_an_answer(didww, numbers, write):
    """Without a terminal and without --yes: exit code 2; a dry run prints each request. Neither writes a result file."""
    path = write("number,voice_in_trunk", *(f"{number},Berlin" for number in numbers))
    assert didww("dids update --from-csv", path).code == 2
    result = didww("dids update --dry-run --from-csv", path)
    assert (result.code, result.out.count("PATCH ")) == (0, 3)
    assert patches(didww) == []
    assert not Path(f"{path}.results.csv").exists()


def test_file_of_a_finished_run_is_used_again(didww, numbers, write):
    """The same file is a new run once it was finished: what was changed since is changed again, nothing else."""
    path = write("number,voice_in_trunk", f"{numbers[0]},Berlin", f"{numbers[1]},Berlin")
    update(didww, path)
    before = len(patches(didww))
    assert update(didww, path).code == 0
    assert len(patches(didww)) == before
    didww.ok(f"dids update {numbers[0]} --voice-in-trunk Paris --yes")
    result = update(didww, path)
    assert (result.code, len(patches(didww))) == (0, before + 2)
    assert routes(didww)[numbers[0]] == "Berlin"
    assert results(path) == [(numbers[1], "unchanged"), (numbers[0], "done")]


def test_unfinished_run_leaves_alone_what_it_has_done(didww, numbers, write):
    """What was done is skipped, even if somebody has changed it since."""
    path = write("number,voice_in_trunk", f"{numbers[0]},Berlin", f"{numbers[1]},Berlin")
    did = didww.client.dids().one(filter={"number": numbers[1]})
    didww.emulator.faults.add(method="PATCH", path=f"/dids/{did.id}", status=422, times=1)
    assert update(didww, path).code == 7
    didww.ok(f"dids update {numbers[0]} --voice-in-trunk Paris --yes")
    result = update(didww, path)
    assert result.code == 0
    assert f"changed since: {numbers[0]}" in result.err
    assert (routes(didww)[numbers[0]], routes(didww)[numbers[1]]) == ("Paris", "Berlin")


def test_failures_are_tried_again(didww, numbers, write):
    """Exit code 7 if some failed, with the reason in the file; the next run sends only those."""
    path = write("number,voice_in_trunk", *(f"{number},Berlin" for number in numbers))
    did = didww.client.dids().one(filter={"number": numbers[1]})
    didww.emulator.faults.add(method="PATCH", path=f"/dids/{did.id}", status=422)
    result = update(didww, path, "-o", "json")
    assert result.code == 7
    rows = {row["number"]: row for row in json.loads(result.out)}
    assert [rows[number]["status"] for number in numbers] == ["done", "failed", "done"]
    assert "HTTP 422" in rows[numbers[1]]["error"]
    assert "run the same command again" in result.err
    didww.emulator.faults.clear()
    before = len(patches(didww))
    assert update(didww, path).code == 0
    assert len(patches(didww)) == before + 1
    assert set(routes(didww).values()) == {"Berlin"}


def test_if_all_fail_alike_the_exit_code_is_that_of_the_error(didww, numbers, write):
    """Nothing was done, so it is not partly done."""
    didww.emulator.faults.add(method="PATCH", status=403)
    result = update(didww, write("number,voice_in_trunk", *(f"{number},Berlin" for number in numbers)))
    assert result.code == 3, result


@pytest.mark.slow
def test_unknown_outcome_is_compared_with_the_service(didww, numbers, write):
    """A change whose response was lost is not sent again if the service has it."""
    path = write("number,voice_in_trunk", f"{numbers[0]},Berlin", f"{numbers[1]},Berlin")
    did = didww.client.dids().one(filter={"number": numbers[1]})
    didww.emulator.faults.add(method="PATCH", path=f"/dids/{did.id}", lost_response=True)
    result = update(didww, path)
    assert result.code == 6
    assert sorted(results(path)) == [(numbers[0], "done"), (numbers[1], "unknown")]
    didww.emulator.faults.clear()
    before = len(patches(didww))
    assert update(didww, path).code == 0
    assert len(patches(didww)) == before
    assert results(path)[-1] == (numbers[1], "done")


def test_result_file_is_checked(didww, numbers, write, tmp_path):
    """Another file is not overwritten; a line that a killed run left incomplete does not count."""
    path = write("number,voice_in_trunk", f"{numbers[0]},Berlin")
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    result = update(didww, path, "--results", str(other))
    assert (result.code, other.read_text(encoding="utf-8")) == (2, "a,b\n1,2\n")
    assert "is no result file of this command" in result.err
    assert patches(didww) == []
    Path(f"{path}.results.csv").write_text("key,status,change,error,check\n442,do", encoding="utf-8")
    assert update(didww, path).code == 0
    assert results(path)[-1] == (numbers[0], "done")


def test_records_are_found_by_name_or_id(didww, numbers, write):
    """A name beside an id is a field to change; members of the configuration are columns."""
    path = write("name,dst", "Berlin,442079460995")
    assert didww("voice-in-trunks update --yes --from-csv", path).code == 0
    trunk = didww.client.voice_in_trunks().one(filter={"name": "Berlin"})
    assert trunk.configuration.dst == "442079460995"
    path = write("id,name,configuration.dst", f"{trunk.id},Bonn,442079460996")
    result = didww("voice-in-trunks update --yes --from-csv", path, "--results", f"{path}.2")
    assert "name: Berlin -> Bonn" in result.err
    assert didww.client.voice_in_trunks().find(trunk.id).data.configuration.dst == "442079460996"


def test_secrets_are_in_no_plan_and_no_file(didww, write):
    """There is not even a digest of the password; the service tells what is done."""
    didww.ok("voice-in-trunks create --name Rome --host sip.example.com --codec-ids pcmu")
    path = write("name,auth_enabled,auth_user,auth_password", "Rome,yes,bob,hunter22")
    result = didww("voice-in-trunks update --yes --from-csv", path)
    assert result.code == 0, result
    assert "hunter22" not in result.err + result.out + Path(f"{path}.results.csv").read_text(encoding="utf-8")
    assert didww.client.voice_in_trunks().one(filter={"name": "Rome"}).configuration.auth_password == "hunter22"
    before = len(patches(didww))
    assert didww("voice-in-trunks update --yes --from-csv", path).code == 0
    assert len(patches(didww)) == before
    write("name,auth_enabled,auth_user,auth_password", "Rome,yes,bob,hunter33")
    assert "auth_password: *** -> *** (another)" in didww("voice-in-trunks update --yes --from-csv", path).err


def test_related_records_of_a_cell_are_separated_by_commas(didww, numbers, write):
    """A group gets its trunks by name."""
    didww.ok("voice-in-trunk-groups create --name Europe")
    path = write("name,voice_in_trunks", 'Europe,"Berlin, Paris"')
    result = didww("voice-in-trunk-groups update --yes --from-csv", path)
    assert "voice_in_trunks: none -> Berlin, Paris" in result.err, result


class Gate:
    """The emulator behind a gate that lets some changes pass and holds the others until it is opened."""

    sends_date = True

    def __init__(self, emulator, passes):
        self.held = threading.Semaphore(0)
        self._app = EmulatorApp(emulator)
        self._passes = passes
        self._opened = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "PATCH":
            self._passes -= 1
            if self._passes < 0:
                self.held.release()
                await asyncio.to_thread(self._opened.wait, 60)
        await self._app(scope, receive, send)

    def open(self):
        self._opened.set()


@pytest.mark.slow
def test_interrupted_run_goes_on(didww, write):
    """Ctrl-C in the middle of fifty changes: the file says what is done, and nothing that is done is sent again.

    The request that the signal hits has an unknown outcome.
    """
    create_trunk(didww.client, "Berlin")
    numbers = buy(didww.client, 50)
    path = write("number,voice_in_trunk", *(f"{number},Berlin" for number in numbers))
    gate = Gate(didww.emulator, passes=20)
    with served(gate) as address, didww.terminal(f"dids update --from-csv {path} --base-url {address}/v3") as terminal:
        terminal.expect("Make these changes? [y/N]")
        terminal.send("y\n")
        for _ in range(4):
            assert gate.held.acquire(timeout=60)
        terminal.expect("20 of 50")
        terminal.interrupt()
        gate.open()
        assert terminal.wait() == 130
    text = " ".join(terminal.text.split())
    assert "Interrupted." in text
    assert "of 50 numbers changed. Results:" in text
    assert "To go on, run the same command again" in text
    done = [key for key, status in results(path) if status == "done"]
    unknown = [key for key, status in results(path) if status == "unknown"]
    assert len(results(path)) == len(done) + len(unknown) >= 24
    assert len(unknown) <= 1
    assert {number for number, trunk in routes(didww).items() if trunk == "Berlin"} <= {*done, *unknown}
    result = update(didww, path)
    assert result.code == 0, result
    assert set(routes(didww).values()) == {"Berlin"}
    counts = Counter(patches(didww))
    assert sum(count - 1 for count in counts.values()) <= len(unknown)
    assert len(counts) == 50
    assert sorted({key for key, _ in results(path)}) == numbers
