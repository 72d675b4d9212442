"""Stores of handled events: in memory and in a file, with threads, processes and forks; unfinished claims expire."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from didww import DidwwClientError, InvalidValueError, MemoryStore, SqliteStore
from didww.callback.stores import SeenStore
from support.real_time import patient, seconds
from support.unix import unix_only

Made = Callable[..., SeenStore]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """Makes a store of either kind."""
    if request.param == "memory":
        return MemoryStore
    return lambda **options: SqliteStore(tmp_path / "seen", **options)


def test_claim_lifecycle(make: Made) -> None:
    """An event is claimed, busy for others, then done for all or free again."""
    store = make()
    assert [store.claim("a"), store.claim("a"), store.claim("b")] == ["mine", "busy", "mine"]
    store.release("a")
    assert store.claim("a") == "mine"
    store.done("a")
    assert store.claim("a") == "done"
    store.release("a")
    assert store.claim("a") == "done"
    store.release("never claimed")
    store.done("never claimed")
    assert store.claim("never claimed") == "done"


@patient
def test_unfinished_claim_expires(make: Made) -> None:
    """It expires after its lease; a finished event does not."""
    store = make(lease=seconds(0.1))
    store.done("done")
    assert store.claim("a") == "mine"
    assert store.claim("a") == "busy"
    time.sleep(seconds(0.11))
    assert [store.claim("a"), store.claim("done")] == ["mine", "done"]


def test_only_one_thread_gets_the_claim(make: Made) -> None:
    """This holds however close together the threads are."""
    store = make()
    start = threading.Barrier(16)
    got: list[str] = []

    def claim() -> None:
        start.wait()
        got.extend(store.claim(f"event {n}") for n in range(20))

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert got.count("mine") == 20
    assert got.count("busy") == 15 * 20


def test_memory_store_is_bounded() -> None:
    """The oldest events are forgotten first."""
    store = MemoryStore(3)
    for key in "abcd":
        assert store.claim(key) == "mine"
        store.done(key)
    assert [store.claim(key) for key in "bcd"] == ["done"] * 3
    assert store.claim("a") == "mine"
    with pytest.raises(InvalidValueError):
        MemoryStore(0)


def test_file_store_persists_events(tmp_path: Path) -> None:
    """The next process knows them; after `keep`, an event is forgotten."""
    with SqliteStore(tmp_path / "seen") as store:
        store.done("a")
        assert store.claim("busy") == "mine"
    with SqliteStore(tmp_path / "seen") as again:
        assert [again.claim("a"), again.claim("busy")] == ["done", "busy"]
        again.close()
        assert again.claim("a") == "done"
    with sqlite3.connect(tmp_path / "seen") as file:
        file.execute("UPDATE seen SET at = at - 3600 * 24 * 8")
    file.close()
    with SqliteStore(tmp_path / "seen") as later:
        assert [later.claim("a"), later.claim("busy")] == ["mine", "mine"]
    with pytest.raises(InvalidValueError, match="keep"):
        SqliteStore(tmp_path / "seen", keep=10)


def test_claims_from_the_future_expire(tmp_path: Path) -> None:
    """After the clock is set back, nothing stays busy."""
    with SqliteStore(tmp_path / "seen") as store:
        store.claim("a")
        store._execute("UPDATE seen SET at = at + 86400")
        assert store.claim("a") == "mine"


@pytest.mark.parametrize("what", ["folder", "garbage", "missing"])
def test_unusable_file_is_named_in_the_error(tmp_path: Path, what: str) -> None:
    """It is an error of this package, raised when the store is created."""
    path = {"folder": tmp_path, "garbage": tmp_path / "g", "missing": tmp_path / "no" / "such"}[what]
    if what == "garbage":
        path.write_bytes(b"not a database" * 100)
    with pytest.raises(DidwwClientError, match="Cannot remember callbacks in"):
        SqliteStore(path)


def _claims(path: str, start: Any, got: Any) -> None:
    store = SqliteStore(path)
    start.wait()
    got.put([store.claim(f"event {n}") for n in range(50)])
    store.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_a_file_store(tmp_path: Path, method: Any) -> None:
    """Several processes create it at once; each event goes to one of them."""
    context = multiprocessing.get_context(method)
    start, got = context.Barrier(4), context.Queue()
    made = [context.Process(target=_claims, args=(str(tmp_path / "seen"), start, got)) for _ in range(4)]
    for one in made:
        one.start()
    found = [claim for _ in made for claim in got.get(timeout=60)]
    for one in made:
        one.join()
    assert found.count("mine") == 50
    assert found.count("busy") == 150


@unix_only
def test_forked_process_opens_its_own_connection(tmp_path: Path) -> None:
    """Servers load the program and then fork their workers."""
    store = SqliteStore(tmp_path / "seen")
    assert store.claim("parent") == "mine"
    child = os.fork()
    if child == 0:
        right = [store.claim("parent"), store.claim("child")] == ["busy", "mine"]
        store.done("child")
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [store.claim("child"), store.claim("parent")] == ["done", "busy"]
    store.close()


@unix_only
def test_finished_events_survive_a_kill(tmp_path: Path) -> None:
    """The process is killed between two events, without cleanup."""
    program = (
        "import sys; from didww import SqliteStore\n"
        "store = SqliteStore(sys.argv[1])\n"
        "for n in range(10**6):\n"
        "    assert store.claim(str(n)) == 'mine'; store.done(str(n)); print(n, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "seen")], stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 200:
            break
    process.send_signal(signal.SIGKILL)
    told = [200, *(int(line) for line in process.stdout if line.endswith("\n"))]
    process.stdout.close()
    process.wait()
    with SqliteStore(tmp_path / "seen") as store:
        assert {store.claim(str(n)) for n in range(max(told) + 1)} == {"done"}
