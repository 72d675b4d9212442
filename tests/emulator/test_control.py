"""Test the control API: same operations as in Python, described by OpenAPI, closed to other machines."""

from __future__ import annotations

import http.client
import inspect
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from didww import DidwwClient
from didww._server.asgi_server import wait_until_started
from didww.emulator import Emulator
from didww.emulator.http.control_api import OPERATIONS, _operations, openapi
from didww.emulator.http.server import Server


class Remote:
    """Call the control API over HTTP."""

    def __init__(self, base: str) -> None:
        self.address = urlsplit(base)

    def __call__(
        self, method: str, path: str, body: Any = None, raw: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=60)
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/_emulator/{path}", content, sent)
        response = connection.getresponse()
        read = response.read()
        connection.close()
        return response.status, json.loads(read) if read else None


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Emulator, str]]:
    with Emulator(api_key=None) as emulator:
        server = Server(emulator)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_until_started(server, thread)
        yield emulator, server.base_url
        server.stop()
        thread.join(timeout=60)


@pytest.fixture
def remote(place: tuple[Emulator, str]) -> Iterator[Remote]:
    yield Remote(place[1])
    place[0].state.reset()


def test_every_control_operation_is_a_method_in_the_openapi_document(remote: Remote) -> None:
    """The OpenAPI document lists every operation with the parameters of its method."""
    status, document = remote("GET", "openapi.json")
    assert status == 200
    assert document == json.loads(json.dumps(openapi()))
    with Emulator() as emulator:
        for group, names in OPERATIONS.items():
            for name in names:
                method = getattr(getattr(emulator, group), name)
                ((verb, shape),) = document["paths"][f"/_emulator/{group}/{name}"].items()
                assert shape["summary"].endswith(".") or shape["summary"].endswith(";"), shape["summary"]
                expected = set(inspect.signature(method).parameters)
                if verb == "get":
                    documented = {parameter["name"] for parameter in shape.get("parameters", [])}
                else:
                    schema = shape["requestBody"]["content"]["application/json"]["schema"]
                    body = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
                    documented = set(body.get("properties", {}))
                assert documented == expected, (group, name)
    public = {
        group: {
            name
            for name, _ in inspect.getmembers(type(getattr(emulator, group)), inspect.isfunction)
            if not name.startswith("_")
        }
        for group in OPERATIONS
    }
    # Only in Python: local files, and what the emulator itself uses.
    own = {
        "clock": {"now", "restore", "watch"},
        "faults": {"for_request", "for_callback", "reset"},
        "journal": {"record"},
        "callbacks": {"close", "deliver_due", "reset", "work"},
        "call_events": {"close", "reset", "send_due", "work"},
        "sip": {"close"},
        "state": {"close", "seed_file"},
    }
    assert {group: names - own.get(group, set()) for group, names in public.items()} == {
        group: set(names) for group, names in OPERATIONS.items()
    }


def test_control_page_lists_all_paths_and_parameters() -> None:
    """docs/how-to/emulator-control.md lists every path with its parameters."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "emulator-control.md").read_text(encoding="utf-8")
    for place, (verb, _, _, parameters, _) in _operations().items():
        names = ", ".join(f"`{name}`" for name in parameters.__struct_fields__)
        assert f"| `{verb} {place}` | {names} |" in page


def test_controls_can_be_used_over_http(remote: Remote, place: tuple[Emulator, str]) -> None:
    """A client of the API sees what the control API changes."""
    _, base = place
    assert remote("POST", "clock/freeze", {"at": "2026-03-01T12:00:00Z"}) == (200, "2026-03-01T12:00:00Z")
    assert remote("POST", "clock/advance", {"by": "30 days"}) == (200, "2026-03-31T12:00:00Z")
    assert remote("GET", "clock/state")[1]["running"] is False
    assert remote("POST", "balance/put", {"balance": "12.50"})[1]["total_balance"] == "12.50"
    assert remote("POST", "balance/put", {"balance": 3, "api_key": "other"})[1]["balance"] == "3.00"
    ids = remote("POST", "state/seed", {"objects": {"voice_in_trunk_groups": [{"id": "desk", "name": "Desk"}]}})[1]
    with DidwwClient("local-key", base_url=base, max_retries=0) as client:
        assert client.balance().find().data.balance == 12.5
        assert [group.id for group in client.voice_in_trunk_groups().list().data] == ids["voice_in_trunk_groups"]
        assert remote("POST", "state/snapshot", {"name": "full"}) == (200, "full")
        client.voice_in_trunk_groups().delete(ids["voice_in_trunk_groups"][0])
        assert client.voice_in_trunk_groups().list().total_records == 0
        assert remote("POST", "state/restore", {"name": "full"}) == (204, None)
        assert client.voice_in_trunk_groups().list().total_records == 1
        assert (
            remote("POST", "journal/assert_called", {"method": "DELETE", "path": "/voice_in_trunk_groups/*"})[0] == 200
        )
        status, document = remote("POST", "journal/assert_called", {"method": "POST", "path": "/orders"})
        assert status == 409
        assert "Recorded requests" in document["error"]
        assert remote("GET", "journal/entries?limit=1&method=DELETE")[1][0]["status"] == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "clock/advnce", {}, 404, "Did you mean 'clock/advance'"),
        ("GET", "clock/advance", None, 405, "Use POST"),
        ("POST", "clock/state", {}, 405, "Use GET"),
        ("POST", "clock/advance", {}, 422, "by"),
        ("POST", "clock/advance", {"by": "soon"}, 422, "not a duration"),
        ("POST", "clock/advance", {"by": None}, 422, "by"),
        ("POST", "clock/advance", {"bye": 1}, 422, "bye"),
        ("POST", "clock/advance", {"bye": 1}, 422, "It takes: by"),
        ("POST", "clock/advance", [], 422, "Expected"),
        ("POST", "sip/listen", {"transport": "sctp"}, 422, "(in `transport`). It must be one of: udp, tcp, tls."),
        ("POST", "calls/ring", {"did": "1", "far_ends": {"*": {"x": 1}}}, 422, "x"),
        ("POST", "state/restore", {"name": "none"}, 404, "no snapshot 'none'"),
        ("POST", "faults/remove", {"id": 7}, 404, "no fault 7"),
        ("POST", "faults/add", {"status": "503"}, 422, "status"),
        ("POST", "transitions/approve", {"id": "x"}, 404, "No record with id 'x'"),
        ("POST", "transitions/set", {"type": "order"}, 422, "Did you mean 'orders'"),
        ("GET", "journal/entries?limit=many", None, 422, "limit"),
        ("POST", "state/seed_file", {"path": "/etc/passwd"}, 404, "There is no"),
        ("GET", "", None, 404, "openapi.json"),
    ],
)
def test_invalid_calls_are_rejected(
    remote: Remote, method: str, path: str, body: Any, status: int, message: str
) -> None:
    """The error names the invalid parameter or the valid choices."""
    received, document = remote(method, path, body)
    assert received == status
    assert message in document["error"]


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff", b"[" * 100_000, b'{"by": 1e999}', b"null", b'{"by": "' + b"9" * 10_000 + b'"}']
)
def test_malformed_bodies_are_rejected(remote: Remote, raw: bytes) -> None:
    """A malformed body returns 422 with an error message."""
    status, document = remote("POST", "clock/advance", raw=raw)
    assert status == 422
    assert document["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.com"},
        {"Host": "evil.example.com:80"},
        {"Host": "127.0.0.1.example.com"},
        {"Origin": "http://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_control_api_rejects_foreign_hosts_and_origins(remote: Remote, headers: dict[str, str]) -> None:
    """A page in a browser on this machine cannot use the control API under any host name."""
    status, document = remote("POST", "state/reset", {}, **headers)
    assert status == 403
    assert "control API" in document["error"]


def test_control_api_accepts_its_own_origin(remote: Remote) -> None:
    """The pages of the console can call the control API."""
    host = f"{remote.address.hostname}:{remote.address.port}"
    assert remote("POST", "journal/clear", {}, Origin=f"http://{host}")[0] == 204
    assert remote("POST", "journal/clear", {}, Host="localhost")[0] == 204


def test_other_machines_need_open_control() -> None:
    """The client's address decides, not its headers."""
    import asyncio

    from didww.emulator.http.app import EmulatorApp

    def status(client: str, *, open_control: bool = False) -> int:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/_emulator/journal/clear",
            "raw_path": b"/_emulator/journal/clear",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
            "client": (client, 1234),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
        }
        with Emulator() as emulator:
            asyncio.run(EmulatorApp(emulator, open_control=open_control)(scope, receive, send))
        return int(sent[0]["status"])

    assert status("127.0.0.1") == 204
    assert status("::1") == 204
    assert status("192.0.2.7") == 403
    assert status("192.0.2.7", open_control=True) == 204
