"""Signals, locks and errors that differ on Windows."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from didww._drivers import files
from didww._drivers.sync import _Started
from didww._server import asgi_server
from didww._server.connections import Connections
from didww._util import locks
from didww.cli import app
from didww.exceptions import DidwwClientError


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that is never called."""


def test_ctrl_break_stops_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C does; closing the console window is the same signal."""
    if not hasattr(signal, "SIGBREAK"):
        monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    number: Any = signal.SIGBREAK
    before = signal.getsignal(number)
    server = asgi_server.AppServer(nothing)
    with server.until_stopped():
        signal.raise_signal(number)
        server.run()
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EADDRINUSE])
def test_reserved_port(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows reserves ranges of ports, and says that access is denied."""

    class Reserved(asgi_server.socket.socket):
        def bind(self, *_: Any) -> None:
            raise OSError(number, "refused")

    monkeypatch.setattr(asgi_server.socket, "socket", Reserved)
    with pytest.raises(DidwwClientError, match=r"port 8750: .*\. Choose another with --port, or 0 for a free one\.$"):
        asgi_server.AppServer(nothing, port=8750)


def test_clients_that_hang_up_are_no_errors(caplog: pytest.LogCaptureFixture) -> None:
    """The event loop of Windows reports each as an error with a traceback."""
    caplog.set_level(logging.INFO)
    loop = asyncio.new_event_loop()
    try:
        Connections(10, 1.0).on_error(loop, {"message": "...", "exception": ConnectionResetError(10054, "reset")})
    finally:
        loop.close()
    assert not caplog.records


class Msvcrt(SimpleNamespace):
    """Locks of Windows: another process has the file at first."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self, *errors: int) -> None:
        super().__init__(errors=list(errors), calls=[])

    def locking(self, descriptor: int, mode: int, size: int) -> None:
        assert descriptor > 0
        self.calls.append((mode, size))
        if self.errors:
            raise OSError(self.errors.pop(0), "locked")


def test_locks_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the other process releases the lock; then it is released at the end."""
    monkeypatch.setattr(locks, "_PAUSE", 0)
    windows = Msvcrt(errno.EACCES, errno.EDEADLK, errno.EACCES)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "fcntl", None)  # type: ignore[arg-type]
    with (tmp_path / "lock").open("a+b") as file, locks.locked(file):
        assert windows.calls == [(2, 1)] * 4
    assert windows.calls[4:] == [(0, 1)]


def test_files_that_cannot_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is no reason to wait."""
    monkeypatch.setitem(sys.modules, "msvcrt", Msvcrt(errno.EINVAL))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "fcntl", None)  # type: ignore[arg-type]
    with (tmp_path / "lock").open("a+b") as file, pytest.raises(OSError, match="locked"):
        locks.locked(file).__enter__()


@pytest.mark.parametrize(
    ("platform", "error", "expected"),
    [
        ("win32", OSError(errno.EINVAL, "Invalid argument"), True),
        ("win32", BrokenPipeError(), True),
        ("win32", OSError(errno.EINVAL, "Invalid argument", "calls.csv"), False),
        ("win32", OSError(errno.ENOSPC, "No space left"), False),
        ("linux", OSError(errno.EINVAL, "Invalid argument"), False),
        ("linux", BrokenPipeError(), True),
    ],
)
def test_closed_output(platform: str, error: OSError, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has a general error for a pipe that nobody reads."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert app._is_output_closed(error) is expected


def test_file_that_is_open_in_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spreadsheet keeps others from replacing its file; the temporary file is deleted."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Access is denied")

    path = str(tmp_path / "calls.csv")
    file = files.open_file(path)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(DidwwClientError, match=r"calls\.csv: Access is denied\. Close it in other programs\.$"):
        files.close_file(file, path)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_interrupts_a_wait_for_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, a wait without an end cannot be interrupted."""
    monkeypatch.setattr(sys, "platform", "win32")
    waits: list[float | None] = []
    ended = threading.Event()

    class Thread(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            waits.append(timeout)
            if len(waits) == 3:
                ended.set()
            super().join(60 if ended.is_set() else 0)

    started = _Started.__new__(_Started)
    started._failure, started._outcome = None, "done"
    started._thread = Thread(target=ended.wait, daemon=True)
    started._thread.start()
    assert started.join() == "done"
    assert waits[-1] is None
    assert None not in waits[:-1]
    assert len(waits) >= 4
