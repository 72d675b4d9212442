"""`didww listen` and `didww callbacks sign`, as programs."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from didww import CallbackReceiver, CallbackVerifier, OrderCallback, sign_callback
from didww.cli.app import command
from didww.emulator import Clock, Emulator
from support.receivers import free_port, ordered, served_by_wsgi
from support.unix import unix_only

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 15, 12, tzinfo=UTC)
SECRET = "a-callback-secret-for-tests"
ENV = {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"), "DIDWW_CALLBACK_SECRET": SECRET}


class Listening:
    """The program, and what it prints."""

    def __init__(self, *arguments: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "didww", "listen", "--port", "0", *arguments],
            env={**os.environ, **ENV, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.first = self.line()
        self.url = re.findall(r"Listening on (http\S+/)", self.first)[0]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def line(self) -> str:
        return self._lines.get(timeout=60)

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(by)
        code = self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def listening(*arguments: str, **env: str) -> Generator[Listening]:
    made = Listening(*arguments, **env)
    try:
        yield made
        assert made.process.poll() is None
    finally:
        code = made.stop()
    assert code == 0


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False), callback_secret=SECRET) as made:
        yield made


def test_listen_prints_callbacks(emulator: Emulator) -> None:
    """It prints type, status and id, marks duplicates, says why a request is rejected and never shows the secret."""
    with listening() as program:
        id = ordered(emulator.client(), f"{program.url}hook", "get")
        emulator.clock.advance(1)
        (delivery,) = emulator.callbacks.settle()
        assert delivery.state == "delivered"
        first = program.line()
        assert re.fullmatch(rf"\d\d:\d\d:\d\d  orders +completed +{id}", first)
        emulator.callbacks.replay(delivery.id)
        emulator.callbacks.settle()
        assert program.line().endswith(f"{id}  (duplicate)")
        emulator.callbacks.sign("wrong")
        emulator.callbacks.replay(delivery.id)
        assert emulator.callbacks.settle()[0].attempts[-1].status == 401
        refused = program.line() + program.line()
        assert "rejected: mismatch" in refused
        assert SECRET not in first + refused + program.first
        response = httpx2.put(program.url, content=b"x")
        assert response.status_code == 405
        assert "rejected: method" in program.line()


def test_listen_forwards_callbacks(emulator: Emulator) -> None:
    """The receiver verifies them itself; the sender gets its response, or an error if it is unreachable."""
    receiver = CallbackReceiver(CallbackVerifier(secrets=[SECRET], public_url="https://hooks.example.com/didww"))
    got: list[OrderCallback] = []
    failures = [RuntimeError("not yet")]

    @receiver.on(OrderCallback)
    def handle(callback: OrderCallback) -> None:
        if failures:
            raise failures.pop()
        got.append(callback)

    with served_by_wsgi(receiver.wsgi()) as target:
        options = ("--public-url", "https://hooks.example.com/didww", "--forward", f"{target}/inner")
        with listening(*options) as program:
            assert program.line() == "DIDWW calls https://hooks.example.com/didww"
            assert program.line() == f"Forwarding to {target}/inner"
            sent: list[int] = []
            for method in ("POST", "POST", "GET"):
                made = sign_callback(
                    "https://hooks.example.com/didww?tenant=4",
                    {"id": "1", "type": "orders", "status": "completed"},
                    secret=SECRET,
                    method=method,  # type: ignore[arg-type]
                )
                at = program.url + "?" + made.url.partition("?")[2]
                sent.append(httpx2.request(method, at, headers=made.headers, content=made.body.encode()).status_code)
            assert sent == [500, 200, 200]
            assert [one.id for one in got] == ["1", "1"]  # by another method it is another callback
            lines = [program.line() for _ in range(3)]
            assert "(forwarded: 500 1 of 1 not handled)" in lines[0]
            assert "(duplicate, forwarded: 200 ok)" in lines[1]
    with listening("--forward", "http://127.0.0.1:9/") as program:
        assert program.line() == "Forwarding to http://127.0.0.1:9/"
        made = sign_callback(program.url, {"id": "1", "type": "orders", "status": "completed"}, secret=SECRET)
        assert httpx2.post(made.url, headers=made.headers, content=made.body.encode()).status_code == 502
        assert "not forwarded: ConnectError" in program.line()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0, 0.02, 0.5])
def test_listen_exits_cleanly_when_stopped(by: signal.Signals, after: float) -> None:
    """Ctrl-C and SIGTERM work as soon as it reports that it listens, and later."""
    program = Listening()
    time.sleep(after)
    assert program.stop(by) == 0
    assert program.line() == "Stopped."


def test_listen_stops_when_its_output_is_closed() -> None:
    """After `| head`, an unprinted callback is not accepted, so that it is sent again, and there is no traceback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "didww", "listen", "--port", "0"],
        env={**os.environ, **ENV},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stderr is not None
    url = re.findall(r"Listening on (http\S+/)", process.stdout.readline())[0]
    process.stdout.close()
    made = sign_callback(url, {"id": "1", "type": "orders", "status": "completed"}, secret=SECRET)
    assert httpx2.post(made.url, headers=made.headers, content=made.body.encode()).status_code == 503
    process.wait(timeout=60)
    assert process.stderr.read() == ""
    process.stderr.close()


def test_forwarding_loop_is_stopped() -> None:
    """It is stopped after one round with a message."""
    port, url = free_port(), "https://hooks.example.com/didww"
    address = f"http://127.0.0.1:{port}/"
    with listening("--port", str(port), "--public-url", url, "--forward", address) as program:
        made = sign_callback(url, {"id": "1", "type": "orders", "status": "completed"}, secret=SECRET)
        assert httpx2.post(address, headers=made.headers, content=made.body.encode()).status_code == 508
        told = [program.line() for _ in range(5)]
        assert told[2].endswith("rejected: loop")
        assert told[4].endswith("(forwarded: 508 forwarding loop)")


@unix_only
def test_json_output_has_one_object_per_line() -> None:
    """Nothing else is printed on standard output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "didww", "listen", "--port", "0", "--json"],
        env={**os.environ, **ENV},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    url = re.findall(r"Listening on (http\S+/)", process.stderr.readline())[0]
    made = sign_callback(url, {"id": "1", "type": "faxes", "pages": "\x1b[2J"}, secret=SECRET)
    assert httpx2.post(made.url, headers=made.headers, content=made.body.encode()).status_code == 200
    assert httpx2.post(made.url, content=b"").status_code == 401
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    taken, refused = (json.loads(line) for line in out.splitlines())
    assert taken["callback"] == {"id": "1", "type": "faxes", "pages": "\x1b[2J"}
    assert (taken["status"], refused["rejected"]) == (200, "missing")


# Control characters, those that turn text around, and one that is written as two in JSON.
ODD = "\x1b]0;x\x07 \x7f \x9b31m \u202e4321\u202c \u2066 \u200f \u2028 \U000e0041"


@pytest.mark.parametrize("as_json", [False, True])
def test_control_characters_are_escaped_in_output(as_json: bool) -> None:
    """Control and bidirectional characters are escaped, in JSON by JSON's rules; nothing is lost."""
    with listening(*(["--json"] if as_json else [])) as program:
        made = sign_callback(program.url, {"id": ODD, "type": "fax\r\nes", "note": ODD}, secret=SECRET)
        httpx2.post(made.url, headers=made.headers, content=made.body.encode())
        line = program.line() if as_json else program.line() + program.line()
        assert line.isprintable()
        if as_json:
            assert json.loads(line)["callback"] == {"id": ODD, "type": "fax\r\nes", "note": ODD}
            assert r"\u202e4321\u202c" in line
        else:
            assert r"fax\r\nes" in line
            assert r"note=\x1b]0;x\x07 \x7f \x9b31m \u202e4321\u202c \u2066 \u200f \u2028 \U000e0041" in line
        made = sign_callback(program.url, [{"type": ODD, "id": ODD, ODD: 1}], secret=SECRET)
        body = made.body.replace(":1}", ":[1]}").encode()
        assert httpx2.post(made.url, headers=made.headers, content=body).status_code == 400
        assert (program.line() + ("" if as_json else program.line())).isprintable()


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        ([], {"DIDWW_CALLBACK_SECRET": ""}, "Set DIDWW_CALLBACK_SECRET, or pass --secret-file"),
        (["--public-url", "ftp://hooks.example.com"], {}, "public_url must be the URL that DIDWW calls"),
        (["--forward", "localhost:1"], {}, "forward must be an http or https URL, got 'localhost:1'"),
        (["--host", "no such host"], {}, "Cannot listen on"),
        (["--host", "192.0.2.1"], {}, "Cannot listen on 192.0.2.1"),
    ],
)
def test_listen_reports_invalid_arguments(arguments: list[str], env: dict[str, str], said: str) -> None:
    """The message is one sentence without a traceback."""
    done = CliRunner(env={**ENV, **env}).invoke(command, ["listen", "--port", "0", *arguments])
    assert done.exit_code == 1
    assert said in done.output
    assert SECRET not in done.output


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--method", "get"],
        ["--type", "exports", "--field", "url=https://api.example.com/a.csv.gz?b=c"],
        ["--type", "address_verifications", "--status", "rejected", "--field", "reject_reason=Straße & Nr. 'fehlen'"],
        ["--type", "voice_out_trunks", "--status", "blocked"],
        ["--type", "voice_out_trunks", "--status", "active", "--field", "threshold_reached=true"],
    ],
)
def test_signed_request_is_accepted(options: list[str]) -> None:
    """The JSON form and the printed curl command are accepted with the requested fields."""
    url = "https://hooks.example.com/didww?tenant=4"
    run = CliRunner(env=ENV)
    verifier = CallbackVerifier(secrets=[SECRET])
    made = json.loads(run.invoke(command, ["callbacks", "sign", url, "--json", "--id", "7", *options]).output)
    (one,) = verifier.verify(
        method=made["method"], url=made["url"], headers=made["headers"], body=made["body"].encode()
    )
    wanted = dict(field.split("=", 1) for field in options if "=" in field)
    assert {name: str(value).lower() for name, value in one.to_dict().items() if name in wanted} == {
        name: value.lower() for name, value in wanted.items()
    }
    words = shlex.split(run.invoke(command, ["callbacks", "sign", url, *options]).output)
    assert words[:2] == ["curl", "-i"]
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = words[words.index("--data-raw") + 1] if "--data-raw" in words else ""
    method = "POST" if body else "GET"
    assert verifier.verify(method=method, url=words[-1], headers=headers, body=body.encode())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hooks.example.com"], "URL must be an http URL with a path (at least /), got 'hooks.example.com'"),
        (["https://hooks.example.com"], "URL must be an http URL with a path"),
        (["http://[::1/"], "URL must be an http URL with a path"),
        (["https://hooks.example.com/", "--to", "127.0.0.1:8000/x"], "--to must be an http URL with a path"),
        (
            ["https://hooks.example.com/", "--to", "http://127.0.0.1:8000/x?y=1"],
            "--to must be an address without a query",
        ),
        (["https://hooks.example.com/", "--field", "x"], "--field must be NAME=VALUE, got 'x'"),
        (["https://hooks.example.com/", "--type", "voice_out_trunks", "--method", "get"], "POST for outbound trunks"),
        (["http://127.0.0.1:9/x?token=1", "--send"], "No response from http://127.0.0.1:9/x:"),
        (["https://hooks.example.com/", "--secret", ""], "Set DIDWW_CALLBACK_SECRET, or pass --secret-file"),
    ],
)
def test_sign_reports_invalid_arguments(arguments: list[str], said: str) -> None:
    """The message is one sentence."""
    done = CliRunner(env=ENV).invoke(command, ["callbacks", "sign", *arguments])
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_sign_warns_about_unknown_types() -> None:
    """The request is still created."""
    done = CliRunner(env=ENV).invoke(command, ["callbacks", "sign", "https://hooks.example.com/", "--type", "order"])
    assert (
        done.exit_code,
        done.output.count("DIDWW sends no callbacks of type order. Known types: orders, exports"),
    ) == (0, 1)
    assert re.search("^curl ", done.output, re.MULTILINE)


@pytest.mark.parametrize("type", ["orders", "exports", "address_verifications", "emergency_verifications"])
def test_sign_fills_in_the_usual_fields(type: str) -> None:
    """All fields that the type always has get a valid value."""
    options = ["callbacks", "sign", "https://hooks.example.com/", "--type", type, "--json"]
    made = json.loads(CliRunner(env=ENV).invoke(command, options).output)
    (one,) = CallbackVerifier(secrets=[SECRET]).verify(
        method="POST", url=made["url"], headers=made["headers"], body=made["body"].encode()
    )
    told = one.to_dict()
    assert told["status"] in {"orders": "completed", "exports": "completed"}.get(type, "approved")
    assert bool(told.get("url")) == (type == "exports")
    assert bool(told.get("emergency_calling_service_id")) == (type == "emergency_verifications")


@pytest.mark.parametrize("method", ["get", "post"])
def test_signed_request_can_be_sent_to_a_different_address(method: str) -> None:
    """This reaches a receiver that is not behind its proxy yet."""
    public = "https://hooks.example.com/didww?tenant=4"
    receiver, got = CallbackReceiver(CallbackVerifier(secrets=[SECRET], public_url=public)), []
    receiver.on(OrderCallback)(got.append)
    with served_by_wsgi(receiver.wsgi()) as address:
        options = ["callbacks", "sign", public, "--to", f"{address}/inner", "--send", "--method", method]
        done = CliRunner(env=ENV).invoke(command, options)
    assert (done.output, len(got)) == ("200 ok\n", 1)


def test_signed_request_is_sent() -> None:
    """The response is printed; a status other than 2xx exits with 1."""
    receiver = CallbackReceiver(CallbackVerifier(secrets=[SECRET]))
    run = CliRunner(env=ENV)
    with served_by_wsgi(receiver.wsgi()) as address:
        arguments: list[Any] = ["callbacks", "sign", f"{address}/didww", "--send"]
        done = run.invoke(command, arguments)
        assert (done.exit_code, done.output) == (0, "200 ok\n")
        done = run.invoke(command, [*arguments, "--secret", "another"])
        assert (done.exit_code, done.output) == (1, "401 mismatch\n")


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """So that they are not in the list of processes."""
    file = tmp_path / "secret.txt"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    line = ["callbacks", "sign", "https://hooks.example.com/", "--json"]
    env = {**ENV, "DIDWW_CALLBACK_SECRET": ""}
    runner = CliRunner(env=env)
    for arguments, given in ((["--secret-file", str(file)], ""), (["--secret-file", "-"], f"{SECRET}\n")):
        made = json.loads(runner.invoke(command, [*line, *arguments], input=given).output)
        body = made["body"].encode()
        assert CallbackVerifier(secrets=[SECRET]).verify(
            method=made["method"], url=made["url"], headers=made["headers"], body=body
        )
    with listening("--secret-file", str(file), DIDWW_CALLBACK_SECRET="") as program:
        signed = sign_callback(program.url, {"type": "orders", "id": "1", "status": "completed"}, secret=SECRET)
        assert httpx2.post(signed.url, headers=signed.headers, content=signed.body).status_code == 200


@pytest.mark.parametrize(
    "command_line",
    [
        ["listen", "--secret-file"],
        ["callbacks", "sign", "https://hooks.example.com/", "--secret-file"],
        ["emulator", "--port", "0", "--api-key-file"],
        ["emulator", "--port", "0", "--callback-secret-file"],
    ],
)
def test_files_of_secrets_have_one_line(tmp_path: Path, command_line: list[str]) -> None:
    """Anything else is refused, with the option."""
    file = tmp_path / "secret.txt"
    runner = CliRunner(env=ENV)
    assert "cannot be read" in runner.invoke(command, [*command_line, str(file)]).output
    for content in (b"", b"\n", b"one\ntwo\n", b"\xff"):
        file.write_bytes(content)
        done = runner.invoke(command, [*command_line, str(file)])
        assert done.exit_code == 2, done.output
        assert command_line[-1] in done.output


@pytest.mark.parametrize("name", ["listen", "callbacks sign", "emulator"])
def test_examples_of_the_help_have_no_secrets(name: str) -> None:
    """People copy them."""
    found = CliRunner(env=ENV).invoke(command, [*name.split(), "--help"]).output
    examples = found.partition("Examples:")[2]
    assert not re.search(r"--(secret|api-key|callback-secret) ", examples)
