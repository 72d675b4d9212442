"""Run the real `didww` command against a served emulator: in this process, in a pipe, or in a pseudo-terminal."""

from __future__ import annotations

import io
import os
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import pytest

if TYPE_CHECKING:
    from didww import DidwwClient
    from didww.emulator import Emulator

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PROGRAM = (sys.executable, "-W", "error", "-m", "didww")


class Result(NamedTuple):
    """Exit code, standard output and standard error of a run."""

    code: int
    out: str
    err: str


class Command:
    """The `didww` command, with the account of an emulator."""

    def __init__(self, emulator: Emulator, base_url: str, home: Path) -> None:
        self.emulator = emulator
        self.client: DidwwClient = emulator.client()
        self.base_url = base_url
        self.home = home
        self.env = {
            "DIDWW_BASE_URL": base_url,
            "DIDWW_API_KEY": emulator.key,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "HOME": str(home),
            "WIN_PD_OVERRIDE_LOCAL_APPDATA": str(home / "data"),  # the folder of all of them on Windows
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def __call__(self, line: str, *more: str, input: str = "") -> Result:
        """Run the command in this process, without a terminal; `line` is split as a shell does."""
        from didww.cli.app import run

        arguments = [*shlex.split(line), *more]
        out, err = _Stream(), _Stream()
        with (
            mock.patch.dict(os.environ, self.env),
            mock.patch.object(sys, "argv", ["didww", *arguments]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode()), encoding="utf-8")),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run(arguments)
        return Result(code, out.text(), err.text())

    def ok(self, line: str, *more: str, input: str = "") -> str:
        """Run the command, check that it succeeds, and return what it prints."""
        result = self(line, *more, input=input)
        assert result.code == 0, result
        return result.out

    def process(self, line: str, *more: str, input: str | None = None, **env: str) -> Result:
        """Run the command as a program in a pipe."""
        done = subprocess.run(
            [*PROGRAM, *shlex.split(line), *more],
            env=self._env(env),
            cwd=self.home,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def _env(self, env: dict[str, str]) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": SOURCE, **self.env, **env}

    @contextmanager
    def terminal(self, line: str, *more: str, columns: int = 80, **env: str) -> Generator[Terminal]:
        """Run the command in a pseudo-terminal of 24 lines, in a folder of its own."""
        if sys.platform == "win32":
            pytest.skip("needs a pseudo-terminal, which Python does not have on Windows")
        program = [*PROGRAM, *shlex.split(line), *more]
        terminal = Terminal(program, self._env({"TERM": "xterm-256color", **env}), columns, self.home)
        try:
            yield terminal
        finally:
            terminal.close()

    def screen(self, line: str, *more: str, columns: int = 80, **env: str) -> Result:
        """Run the command in a pseudo-terminal until it ends; `out` is all it printed."""
        with self.terminal(line, *more, columns=columns, **env) as terminal:
            code = terminal.wait()
            return Result(code, terminal.text, "")


def rendered(raw: bytes) -> str:
    """Return what a terminal shows after it received `raw`: returns to the start of a line and erased lines applied."""
    lines = [""]
    column = 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", raw.decode(errors="replace")):
        if part == "\n":
            lines.append("")
            column = 0
        elif part == "\r":
            column = 0
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part == "\x1b[1A":
            lines.pop()
        elif not part.startswith("\x1b"):
            lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + len(part) :]
            column += len(part)
    return "\n".join(line.rstrip() for line in lines)


class _Stream(io.TextIOWrapper):
    """A stream without a terminal, with bytes as `sys.stdout` has them."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def text(self) -> str:
        self.flush()
        buffer: Any = self.buffer
        return buffer.getvalue().decode()


class Terminal:
    """A program in a pseudo-terminal. Not on Windows."""

    def __init__(self, program: list[str], env: dict[str, str], columns: int, folder: Path) -> None:
        import fcntl
        import termios

        self._fd, child = os.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        def take_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self._process = subprocess.Popen(
            program,
            stdin=child,
            stdout=child,
            stderr=child,
            env=env,
            cwd=folder,
            preexec_fn=take_terminal,  # noqa: PLW1509 no other thread holds a lock here
            close_fds=True,
        )
        os.close(child)
        self._read = b""

    @property
    def text(self) -> str:
        """All that was printed, with lines as Unix has them and without colors."""
        return _ESCAPES.sub("", self._read.decode(errors="replace").replace("\r\n", "\n"))

    @property
    def words(self) -> str:
        """All that was printed, as one line: without the breaks of wrapped lines."""
        return " ".join(self.text.split())

    @property
    def raw(self) -> bytes:
        """All that was printed, as it was sent to the terminal."""
        return self._read

    def expect(self, text: str) -> None:
        """Wait until `text` was printed."""
        deadline = time.monotonic() + 60
        while text not in self.text:
            assert self._more(deadline), f"{text!r} is not in {self.text!r}"

    def send(self, text: str) -> None:
        """Type text."""
        os.write(self._fd, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)

    def leave_question(self) -> int:
        """Press Ctrl-C at a question, again every five seconds, until the program ends; return the exit code.

        Python loses a signal that arrives just before it begins to read.
        """
        for _ in range(12):
            self.interrupt()
            deadline = time.monotonic() + 5
            while self._more(deadline):
                pass
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(max(0.1, deadline - time.monotonic()))
        raise AssertionError(f"Ctrl-C does not end the program: {self.text!r}")

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        deadline = time.monotonic() + 60
        while self._more(deadline):
            pass
        return self._process.wait(60)

    def _more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))
        try:
            read = os.read(self._fd, 65536) if ready else b""
        except OSError:  # the program has closed the terminal
            read = b""
        self._read += read
        return bool(read)

    def close(self) -> None:
        """End the program."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(60)
        os.close(self._fd)
