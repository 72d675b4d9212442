"""Test the state file: atomic writes, versions, added columns, a full disk."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from hashlib import md5
from pathlib import Path

import pytest

import didww
from didww import DidOrderItem, DidwwClient, Order
from didww.emulator import Emulator
from didww.emulator.engine.overrides import SHARED
from didww.emulator.engine.store import LAYOUT
from didww.exceptions import DidwwError
from support.unix import unix_only

SERVE = """
import sys
from didww.emulator import Emulator
from didww.emulator.http.server import Server, write_ready_file
from didww._server.asgi_server import wait_until_started
import threading
from pathlib import Path
server = Server(Emulator(path=sys.argv[1]))
threading.Thread(target=lambda: (wait_until_started(server), write_ready_file(Path(sys.argv[2]), server.base_url)), daemon=True).start()
server.run()
"""


def start_server(folder: Path, name: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server on the file `state.db` in a separate process."""
    ready = folder / name
    environment = {"PYTHONPATH": str(Path(didww.__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(folder / "state.db"), str(ready)], env=environment)
    end = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < end and process.poll() is None:
        time.sleep(0.01)
    return process, ready.read_text(encoding="utf-8").strip()


@unix_only
@pytest.mark.slow
def test_state_survives_a_kill_during_writes(tmp_path: Path) -> None:
    """After three kills during concurrent orders, everything confirmed is stored and the balance adds up."""
    confirmed: list[str] = []
    for round in range(3):
        process, base = start_server(tmp_path, f"ready{round}")
        with DidwwClient("key", base_url=base, rate_limit=None, max_retries=0, timeout=30) as client:
            groups = client.did_groups().list(filter={"is_available": True}, include="stock_keeping_units", page=(1, 1))
            sku = groups.data[0].stock_keeping_units[0].id

            def order_on(client: DidwwClient = client, sku: str = sku) -> None:
                while True:
                    try:
                        response = client.orders().create(Order(items=[DidOrderItem(sku_id=sku, qty=1)]))
                    except DidwwError:
                        return
                    confirmed.append(response.data.id)

            threads = [threading.Thread(target=order_on) for _ in range(8)]
            before = len(confirmed)
            for thread in threads:
                thread.start()
            end = time.monotonic() + 60
            while len(confirmed) < before + 12 and time.monotonic() < end:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
            for thread in threads:
                thread.join(timeout=60)
    assert len(confirmed) >= 30
    with Emulator(path=str(tmp_path / "state.db")) as emulator, emulator.client("key") as client:
        emulator.clock.advance("1 h")
        orders = list(client.orders().iterate())
        stored = {order.id for order in orders}
        assert set(confirmed) <= stored
        assert len(stored) == len(orders)
        assert {str(order.status) for order in orders} <= {"completed", "pending"}
        spent = sum(order.amount for order in orders)
        assert client.balance().find().data.balance == 10_000 - spent
        bought = sum(1 for order in orders if order.status == "completed")
        assert client.dids().list().total_records == bought
        numbers = [did.number for did in client.dids().iterate()]
        assert len(set(numbers)) == len(numbers)
    check = sqlite3.connect(tmp_path / "state.db")
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


def test_state_file_of_another_version_or_seed_is_rejected(tmp_path: Path) -> None:
    """The error says what to do, and the file stays unchanged."""
    path = tmp_path / "state.db"
    with Emulator(path=str(path), seed=1) as emulator:
        emulator.client().balance().find()
    with pytest.raises(ValueError, match="seed 1, and this is seed 2"):
        Emulator(path=str(path), seed=2)
    for former in ("3", "999"):
        connection = sqlite3.connect(path)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'layout'", (f"{former}/1",))
        connection.commit()
        connection.close()
        with pytest.raises(ValueError, match=rf"another version \(layout {former}; .*\)\. Take another file"):
            Emulator(path=str(path), seed=1)


def test_layout_version_changes_with_the_catalog() -> None:
    """Rows in a file are never regenerated, so files with other rows must be rejected."""
    sums = md5(usedforsecurity=False)
    with Emulator() as emulator, emulator.engine.locked():
        session = emulator.engine.session(emulator.key)
        for type in sorted(SHARED - {"available_dids"}):
            for row in session.find(type):
                sums.update(json.dumps(row, sort_keys=True).encode())
    assert (LAYOUT, sums.hexdigest()) == ("7", "fd08a12e09d092f1ad7e28427a1983aa"), (
        "the catalog has changed: raise LAYOUT"
    )


def test_new_fields_are_added_to_existing_state_files(tmp_path: Path) -> None:
    """A new field adds a column; stored data stays."""
    path = tmp_path / "state.db"
    with Emulator(path=str(path)) as emulator:
        emulator.state.seed({"voice_in_trunk_groups": [{"name": "Desk", "capacity_limit": 4}]})
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX IF EXISTS voice_in_trunk_groups_external_reference_id")
    connection.execute("ALTER TABLE voice_in_trunk_groups DROP COLUMN external_reference_id")
    connection.commit()
    connection.close()
    with Emulator(path=str(path)) as emulator, emulator.client() as client:
        (group,) = client.voice_in_trunk_groups().list().data
        assert (group.name, group.capacity_limit, group.external_reference_id) == ("Desk", 4, None)
        group.external_reference_id = "desk-1"
        client.voice_in_trunk_groups().update(group)
        response = client.voice_in_trunk_groups().list(filter={"external_reference_id": "desk-1"})
        assert [record.id for record in response.data] == [group.id]


def test_invalid_state_files_raise_sqlite_errors(tmp_path: Path) -> None:
    """A file that is not a database stays unchanged."""
    path = tmp_path / "state.db"
    path.write_text("something else, and more of it\n" * 100, encoding="utf-8")
    with pytest.raises(sqlite3.DatabaseError):
        Emulator(path=str(path))
    assert path.read_text(encoding="utf-8").startswith("something else")
    with pytest.raises(sqlite3.OperationalError):
        Emulator(path=str(tmp_path / "nowhere" / "state.db"))


FULL_DISK = """
import os, resource, signal, sqlite3, sys, time
sys.dont_write_bytecode = True
from didww import DidOrderItem, Order, ServerError, VoiceInTrunkGroup
from didww._core.effects import Request
from didww.emulator import (Emulator)
from didww.emulator.http import control_api

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
emulator = Emulator(path=sys.argv[1])
client = emulator.client(max_retries=0)
group = client.did_groups().list(filter={"area_name": "London"}, include="stock_keeping_units").data[0]
emulator.transitions.set("orders", after=0.1)
order = client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)])).data
room(4096)
before = client.balance().find().data.total_balance
cities = [city.id for city in client.cities().list().data]
assert len(cities) == len(set(cities)) > 100
assert client.voice_in_trunks().list().data == []
assert emulator.client("new").balance().find().data.total_balance == 10000
end = time.monotonic() + 60
while client.orders().find(order.id).data.status != "completed":
    assert time.monotonic() < end
numbers = [[(did.id, did.number) for did in client.dids().list().data] for _ in range(2)]
assert numbers[0] == numbers[1] and len(numbers[0]) == 1, numbers
for write in (
    lambda: client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Main")),
    lambda: client.voice_in_trunk_groups().delete(order.id),
):
    try:
        write()
    except ServerError as error:
        assert error.status_code == 507 and "Free disk space" in str(error), error
    else:
        raise AssertionError("it was written")
response = control_api.handle(emulator, Request("POST", "http://x/_emulator/clock/advance", {}, b'{"by": 86400}'))
assert response.status == 507 and b"Free disk space" in response.body, response
now = emulator.clock.now().timestamp()
assert abs(now - time.time()) < 3600
room(resource.RLIM_INFINITY)
client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Main"))
assert client.orders().find(order.id).data.status == "completed"
assert [did.number for did in client.dids().list().data] == [numbers[0][0][1]]
assert client.balance().find().data.total_balance == before
assert [city.id for city in client.cities().list().data] == cities
emulator.close()
with Emulator(path=sys.argv[1]) as again:
    assert len(again.client().dids().list().data) == 1
    assert [group.name for group in again.client().voice_in_trunk_groups().list().data] == ["Main"]
print("held")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of file sizes stands for a full disk")
@pytest.mark.slow
def test_reads_work_while_the_disk_is_full(tmp_path: Path) -> None:
    """First reads, new accounts and due events work too; writes return 507 and change nothing."""
    environment = {"PYTHONPATH": str(Path(didww.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "state.db")],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == "held\n", done.stderr
