"""Test the emulator as an HTTP server in a thread, and the `didww emulator` command as a process."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest

from didww import AsyncDidwwClient, CallbackMethod, DidwwClient, Export
from didww.emulator import Emulator, Engine
from didww.emulator.http.server import Server, running
from didww.exceptions import AuthenticationError, DidwwClientError, NotFoundError
from support.unix import unix_only

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def command(*arguments: str, ready: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run `didww emulator ARGUMENTS` and wait until it serves."""
    options = ["--ready-file", str(ready)] if ready is not None else []
    started = subprocess.Popen(
        [sys.executable, "-u", "-m", "didww", "emulator", *arguments, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        end = time.monotonic() + 60
        while ready is not None and not ready.exists():
            assert started.poll() is None, started.stdout.read() if started.stdout else ""
            assert time.monotonic() < end
            time.sleep(0.02)
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def test_client_works_with_a_served_emulator() -> None:
    """Reads, an error, absolute links with the request's host, a second client."""
    with running() as base_url, DidwwClient("key", base_url=base_url) as client:
        page = client.did_groups().list(page=(2, 10))
        assert page.links["next"].startswith(f"{base_url}/did_groups?")
        assert len(list(client.did_groups().iterate(page=(1, 100), limit=1500))) == 1500
        assert client.balance().find().request_id

        async def main() -> Any:
            async with AsyncDidwwClient("key", base_url=base_url) as asynchronous:
                calls = [asynchronous.countries().list(filter={"iso": "GB"}) for _ in range(20)]
                return await asyncio.gather(*calls)

        assert {response.data[0].iso for response in asyncio.run(main())} == {"GB"}


def test_too_large_bodies_do_not_stop_the_server() -> None:
    """40 MB return 413 or close the connection; the next request works."""
    with running() as base_url, httpx2.Client() as raw:
        with suppress(httpx2.HTTPError):  # the server may close the connection early
            assert raw.post(f"{base_url}/orders", content=bytes(40 << 20), headers={"Api-Key": "k"}).status_code == 413
        assert raw.get(f"{base_url}/balance", headers={"Api-Key": "k"}).status_code == 200
        assert raw.head(f"{base_url}/balance", headers={"Api-Key": "k"}).status_code in (200, 404, 405)
        assert raw.get(base_url.removesuffix("/v3") + "/nowhere", headers={"Api-Key": "k"}).status_code == 404


def test_port_in_use_error_names_the_port() -> None:
    """The error says how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DidwwClientError, match=rf"port {port}: the port is already in use.*--port"):
            Server(Emulator(), port=port)


@unix_only
def test_command_serves_until_interrupted(tmp_path: Path) -> None:
    """It prints the address and lines to paste, logs requests without the key; Ctrl-C exits with 0."""
    ready = tmp_path / "ready"
    with command("--port", "0", ready=ready) as process:
        base_url = ready.read_text(encoding="utf-8").strip()
        with DidwwClient("very-secret-key", base_url=base_url) as client:
            client.countries().list(filter={"iso": "GB"})
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert f"export DIDWW_BASE_URL={base_url}\n" in output
    assert re.search(r"export DIDWW_API_KEY=\S+\n", output)
    assert re.search(r"GET +200 .* /v3/countries\?filter%5Biso%5D=GB", output)
    assert "very-secret-key" not in output
    assert "Traceback" not in output
    assert "\x1b" not in output
    assert not ready.exists()


@unix_only
def test_command_supports_api_key_and_db_options(tmp_path: Path) -> None:
    """--api-key rejects other keys; --db keeps a DID across a restart."""
    ready, db = tmp_path / "ready", tmp_path / "state.db"
    ids = []
    for _ in range(2):
        with command("--port", "0", "--api-key", "the-key", "--db", str(db), "--seed", "7", ready=ready) as process:
            base_url = ready.read_text(encoding="utf-8").strip()
            with DidwwClient("another", base_url=base_url) as client, pytest.raises(AuthenticationError):
                client.balance().find()
            with DidwwClient("the-key", base_url=base_url) as client:
                ids.append(client.balance().find().data.id)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=120)
            assert "the-key" not in output
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "port"),
        (["--db", "/nowhere/at/all.db"], "/nowhere/at/all.db"),
        (["--host", "192.0.2.1"], "192.0.2.1"),
        (["--host", "\u00e9" * 80], "host must be a host name or IP address"),
        (["--port", "0", "--ready-file", "/nowhere/at/all"], "/nowhere/at/all"),
        (["--port", "0", "--api-key", ""], "Error: api_key must be a key"),
    ],
)
def test_command_rejects_invalid_options(arguments: list[str], message: str) -> None:
    """It exits with a message and a nonzero code, without a traceback."""
    with command(*arguments) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert message in output
    assert "Traceback" not in output


def test_command_prints_deliveries_of_callbacks(tmp_path: Path) -> None:
    """Each attempt is a line with its result; secrets in the URL are masked."""
    ready = tmp_path / "url"
    with command("--port", "0", ready=ready) as process:
        base_url = ready.read_text(encoding="utf-8").strip()
        with DidwwClient("local-key", base_url=base_url) as client:
            export = Export(
                export_type="cdr_in",
                filters={"from": datetime.now(UTC) - timedelta(days=1), "to": datetime.now(UTC)},
                callback_url="https://hooks.example.com/didww?token=very-secret",
                callback_method=CallbackMethod.POST,
            )
            client.exports().wait(client.exports().create(export).data)
        assert process.stdout is not None
        end = threading.Timer(120, process.kill)  # ends the output, and so the search
        end.start()
        line = next((line for line in process.stdout if "callback" in line and "hooks" in line), "")
        end.cancel()
    assert re.search(r"callback to https://hooks\.example\.com/didww\?token=\*\*\*: refused \(hooks", line)


def test_state_file_with_another_seed_is_rejected_with_one_message(tmp_path: Path) -> None:
    """The message has the file and both seeds."""
    db = tmp_path / "state.db"
    Engine(path=str(db), seed=1).close()
    with command("--db", str(db), "--seed", "2") as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert output == (
        f"Error: {db} holds the state of an emulator of seed 1, and this is seed 2. Take another file, or remove it.\n"
    )


@unix_only
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_wildcard_address_prints_a_loopback_url(host: str, tmp_path: Path) -> None:
    """The printed URL works, and a warning says who else can connect."""
    if host == "::" and not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    ready = tmp_path / "ready"
    with command("--port", "0", "--host", host, ready=ready) as process:
        with DidwwClient("key", base_url=ready.read_text(encoding="utf-8")) as client:
            assert client.balance().find().data.total_balance > 0
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert "other machines can reach all addresses of this machine" in output


@unix_only
@pytest.mark.parametrize("own_key", [False, True])
def test_start_message_has_the_current_balance(tmp_path: Path, own_key: bool) -> None:
    """From seed data or the state file; other keys have the initial balance."""
    objects, db = tmp_path / "objects.yaml", tmp_path / "state.db"
    objects.write_text("balance: 250\n", encoding="utf-8")
    options = ["--port", "0", "--objects", str(objects), "--db", str(db), *(["--api-key", "own"] if own_key else [])]
    for turn in range(2):
        ready = tmp_path / f"ready{turn}"
        with command(*options, ready=ready) as process:
            if turn == 0:
                httpx2.post(
                    ready.read_text(encoding="utf-8").strip().removesuffix("/v3") + "/_emulator/balance/put",
                    json={"balance": "12.5"},
                )
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=20)
        money = "250.00" if turn == 0 else "12.50"
        if own_key:
            assert f"One account, with a balance of {money} USD." in output
        else:
            assert f"with a balance of 10000.00 USD; local-key has {money} USD." in output


@unix_only
def test_command_allows_hosts_and_callback_hosts(tmp_path: Path) -> None:
    """A reset keeps both."""
    ready = tmp_path / "ready"
    options = ["--port", "0", "--allow-host", "didww.example.com", "--callback-host", "0.0.0.0"]
    with command(*options, ready=ready) as process:
        base_url = ready.read_text(encoding="utf-8").strip()
        root = base_url.removesuffix("/v3")
        for host, status in (("didww.example.com", 200), ("other.example.com", 403)):
            response = httpx2.get(f"{base_url}/balance", headers={"Api-Key": "local-key", "Host": host})
            assert response.status_code == status
        httpx2.post(f"{root}/_emulator/state/reset")
        with DidwwClient("local-key", base_url=base_url) as client:
            span = {"from": f"{datetime.now(UTC):%Y-%m}-01 00:00:00", "to": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"}
            for host in ("0.0.0.0", "192.0.2.1"):
                client.exports().create(
                    Export(
                        export_type="cdr_in",
                        filters=span,
                        callback_url=f"http://{host}:1/",
                        callback_method=CallbackMethod.POST,
                    )
                )
        httpx2.post(f"{root}/_emulator/clock/advance", json={"by": 5})
        deliveries = httpx2.post(f"{root}/_emulator/callbacks/settle", json={}, timeout=30).json()
        states = {urlsplit(delivery["url"]).hostname: delivery["state"] for delivery in deliveries}
        assert states == {"0.0.0.0": "waiting", "192.0.2.1": "refused"}
        assert "--callback-host" in str([delivery["attempts"] for delivery in deliveries])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_request_without_the_version_prefix_returns_the_base_url() -> None:
    """404 with the base URL of the API."""
    with running() as base_url, DidwwClient("key", base_url=base_url.removesuffix("/v3")) as client:
        with pytest.raises(NotFoundError, match=f"The API begins at {base_url}"):
            client.balance().find()
