"""Programs of others that speak SIP, on the loopback interface: SIPp, kamailio and baresip.

Each is ready when the tests may call it: by what it prints, or by the socket that it has opened.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Baresip", "Program", "Sipp", "free_port", "kamailio", "need"]

SCENARIOS = Path(__file__).resolve().parents[1] / "emulator" / "sip" / "proof" / "scenarios"
KAMAILIO = SCENARIOS.parent / "kamailio.cfg"
LONGEST = 60.0  # seconds until a program that does not get ready, or does not end, fails the test
PACKAGES = {"sipp": "sip-tester", "kamailio": "kamailio, kamailio-tls-modules", "baresip": "baresip-core"}

Transport = Literal["udp", "tcp", "tls"]


def need(name: str) -> str:
    """Return the path of a program; skip the test where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"needs {name}: install Debian's {PACKAGES[name]}")
    return found


def free_port() -> int:
    """Return a port of the loopback interface that is free for UDP and TCP, as the next one is.

    It is below the ports that systems give to sockets without one, which other tests use all the time.
    """
    while True:
        port = random.SystemRandom().randrange(10_240, 32_000)
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                for number in (port, port + 1):
                    held.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", number))
            return port


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition that only the system knows, such as an open socket."""
    deadline = time.monotonic() + LONGEST
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {LONGEST:.0f} s for {what}")
        time.sleep(0.01)


class Program:
    """A process whose lines of output can be waited for.

    Args:
        command: Program and arguments.
        folder: Its working directory.
        environment: More environment variables.
    """

    def __init__(self, *command: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "TERM": "dumb", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def output(self) -> str:
        """What it has printed."""
        with self._changed:
            return "".join(self.lines)

    def wait_for(self, pattern: str) -> str:
        """Wait for a line that matches, and return it."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [line for line in self.lines if re.search(pattern, line)]
            return bool(found) or not self._reader.is_alive()

        with self._changed:
            self._changed.wait_for(look, LONGEST)
        assert found, f"no {pattern!r} in:\n{self.output}"
        return found[0]

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until it is ready; if it ends before that, stop the test with its output."""
        try:
            until(lambda: ready() or self.process.poll() is not None, what)
            assert self.process.poll() is None, self.output
        except BaseException:
            Program.stop(self)
            raise

    def wait(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        code = self.process.wait(LONGEST)
        self._reader.join(LONGEST)
        return code

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(LONGEST)
        self._reader.join(LONGEST)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


class Sipp(Program):
    """SIPp as the far end of a trunk: it plays a scenario of `tests/emulator/sip/proof/scenarios`.

    Args:
        scenario: Name of the scenario.
        folder: Folder for its files.
        transport: `udp` or `tcp`; Debian builds SIPp without TLS.
        calls: How many calls it takes before it ends.
        keys: Values of the scenario's keys.
        port: Port to listen on. Defaults to a free one.
    """

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *,
        transport: Transport = "udp",
        calls: int = 1,
        keys: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self.scenario = scenario
        self.port = port or free_port()
        self.transport = transport
        work = folder / f"{scenario}-{self.port}"
        work.mkdir()
        self._statistics = work / "statistics.csv"
        self._errors = work / "errors.log"
        self._messages = work / "messages.log"
        trace = ["-trace_stat", "-stf", str(self._statistics), "-trace_err", "-error_file", str(self._errors)]
        if calls < 10:
            trace += ["-trace_msg", "-message_file", str(self._messages)]
        super().__init__(
            need("sipp"),
            *("-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(self.port), "-bind_local"),
            *("-t", "u1" if transport == "udp" else "t1", "-mi", "127.0.0.1", "-mp", str(free_port())),
            *("-m", str(calls), "-nostdin", *trace),
            *(word for key, value in (keys or {}).items() for word in ("-key", key, value)),
            folder=work,
        )
        self.wait_until(self._listens, f"SIPp's port {self.port}")

    def _listens(self) -> bool:
        table = Path(f"/proc/net/{self.transport}").read_text(encoding="ascii")
        return f" 0100007F:{self.port:04X} " in table

    @property
    def messages(self) -> str:
        """The SIP messages that it sent and received."""
        return self._messages.read_text(encoding="utf-8", errors="replace")

    def statistics(self) -> dict[str, str]:
        """Return its counters at the end, by their names: `SuccessfulCall(C)`, `FailedCall(C)`, ..."""
        with self._statistics.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter=";"))[-1]

    def check(self) -> dict[str, str]:
        """Wait until it has taken its calls; fail unless each went as the scenario says. Return its counters."""
        code = self.wait()
        problems = self._errors.read_text(encoding="utf-8", errors="replace") if self._errors.exists() else ""
        assert code == 0, f"SIPp {self.scenario} ended with {code}:\n{problems}\n{self.output}"
        counters = self.statistics()
        assert counters["FailedCall(C)"] == "0", problems
        return counters


@contextlib.contextmanager
def kamailio(
    folder: Path, target: int, *, certificate: tuple[Path, Path] | None = None, challenge: bool = False
) -> Iterator[dict[Transport, int]]:
    """Run kamailio as a proxy in front of a SIP program, and yield its ports.

    Args:
        folder: Folder for its files.
        target: Port of the program, to which it sends over UDP.
        certificate: Files of the certificate and its key, to listen with TLS, too.
        challenge: Whether it asks callers for digest authentication, with 407.
    """
    program = need("kamailio")
    ports: dict[Transport, int] = {"udp": free_port()}
    ports["tcp"] = ports["udp"]
    text = KAMAILIO.read_text(encoding="utf-8")
    defines = {"PORT": str(ports["udp"]), "TARGET": str(target)}
    if challenge:
        defines["WITH_AUTH"] = "1"
    if certificate is not None:
        ports["tls"] = free_port()
        defines |= {"WITH_TLS": "1", "TLS_PORT": str(ports["tls"])}
        settings = ("[server:default]", "method = TLSv1.2+", f"certificate = {certificate[0]}")
        lines = (*settings, f"private_key = {certificate[1]}", "[client:default]", "verify_certificate = no")
        (folder / "tls.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")
        defines["TLS_CONFIG"] = f'"{folder / "tls.cfg"}"'
    head = "".join(f"#!define {name} {value}\n" for name, value in defines.items())
    file = folder / "kamailio.cfg"
    file.write_text(text.replace("#!KAMAILIO\n", f"#!KAMAILIO\n{head}", 1), encoding="utf-8")
    command = (program, "-DD", "-E", "-f", str(file), "-Y", str(folder), "-m", "32", "-M", "4")
    with Program(*command, folder=folder) as proxy:
        proxy.wait_until(lambda: ping(ports["udp"]), f"kamailio at port {ports['udp']}")
        yield ports


def ping(port: int) -> bool:
    """Return whether a SIP program answers OPTIONS at a port, within a fifth of a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0.2)
        sender.bind(("127.0.0.1", 0))
        own = f"127.0.0.1:{sender.getsockname()[1]}"
        head = (
            f"OPTIONS sip:ping@127.0.0.1:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{os.urandom(6).hex()}",
            f"From: <sip:ping@{own}>;tag={os.urandom(4).hex()}",
            f"To: <sip:ping@127.0.0.1:{port}>",
            f"Call-ID: {os.urandom(8).hex()}",
            *("CSeq: 1 OPTIONS", "Max-Forwards: 70", "Content-Length: 0"),
        )
        try:
            sender.sendto("\r\n".join((*head, "", "")).encode("ascii"), ("127.0.0.1", port))
            return sender.recv(65536).startswith(b"SIP/2.0 ")
        except OSError:
            return False


class Baresip(Program):
    """baresip as a phone: it registers, and is controlled by commands and events over TCP.

    Args:
        folder: Folder for its files.
        user: User name.
        password: Password.
        registrar: Port of the registrar.
        transport: Transport of its registration and calls.
        answers: Whether it answers calls by itself.
        authority: File of the certificate authority that it trusts.
    """

    def __init__(
        self,
        folder: Path,
        user: str,
        password: str,
        registrar: int,
        *,
        transport: Transport = "udp",
        answers: bool = True,
        authority: Path | None = None,
    ) -> None:
        program = need("baresip")
        folder.mkdir(exist_ok=True)
        control = free_port()
        self.port = free_port()
        settings = [
            f"sip_listen 127.0.0.1:{self.port}",
            *((f"sip_cafile {authority}",) if authority else ()),
            *("audio_player aubridge,nil", "audio_source aubridge,nil", "audio_alert aubridge,nil"),
            *("rtp_timeout 0", "net_interface 127.0.0.1", f"module_path {_modules()}"),
            *("module g711.so", "module aubridge.so", "module_app ctrl_tcp.so", "module_app menu.so"),
            f"ctrl_tcp_listen 127.0.0.1:{control}",
        ]
        (folder / "config").write_text("\n".join(settings) + "\n", encoding="utf-8")
        super().__init__(program, "-f", str(folder), folder=folder)
        self.wait_until(lambda: self._connect(control), "the control port of baresip")
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.command(
            "uanew",
            f"<sip:{user}@127.0.0.1:{registrar};transport={transport}>;auth_user={user};auth_pass={password};"
            f"answermode={'auto' if answers else 'manual'};regint=60;audio_codecs=PCMU/8000/1",
        )

    def stop(self) -> None:
        """End it; it gives up its registration first."""
        super().stop()
        self._listener.join(LONGEST)  # its stream has ended
        self._socket.close()
        assert not self._listener.is_alive()

    def command(self, command: str, parameters: str = "") -> None:
        """Send a command, such as `hangup` or `accept`."""
        text = json.dumps({"command": command, "params": parameters})
        self._socket.sendall(f"{len(text)}:{text},".encode())

    def event(self, name: str) -> dict[str, Any]:
        """Wait for an event, such as `REGISTER_OK` or `CALL_ESTABLISHED`, and return it."""
        seen: list[str] = []
        while True:
            try:
                event = self._events.get(timeout=LONGEST)
            except queue.Empty:
                pytest.fail(f"no {name}, only {seen}:\n{self.output}")
            seen.append(str(event.get("type") or event))
            if event.get("type") == name:
                return event

    def _connect(self, port: int) -> bool:
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), LONGEST)
        except OSError:
            return False
        self._socket.settimeout(None)
        return True

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._socket.makefile("rb") as stream:
            while length := _until_colon(stream):
                self._events.put(json.loads(stream.read(int(length))))
                stream.read(1)


def _until_colon(stream: IO[bytes]) -> bytes:
    """Return what comes before the next colon; empty at the end of the stream."""
    read = b""
    while (byte := stream.read(1)) and byte != b":":
        read += byte
    return read if byte else b""


def _modules() -> Path:
    found = [Path("/usr/lib/baresip/modules"), *Path("/usr/lib").glob("*/baresip/modules")]
    return next(path for path in found if path.is_dir())
