"""Test that the emulator survives hostile or broken callers and receivers, and kills."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from didww import (
    CapacityOrderItem,
    CredentialsAndIpAuthenticationMethod,
    DidOrderItem,
    DidwwClient,
    Export,
    Order,
    VoiceInTrunkGroup,
    VoiceOutTrunk,
)
from didww._core.effects import Request
from didww._server.asgi_server import served
from didww.emulator import Clock, Emulator
from didww.emulator.controls import sending
from didww.emulator.http.server import Server
from didww.exceptions import InvalidValueError, ValidationError
from support.api_caller import work
from support.registration import groups_of
from support.unix import unix_only

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False)) as emulator:
        yield emulator


def create_order(client: DidwwClient, url: str | None = None, group: Any = None) -> Order:
    group = group or groups_of(client, "GB")[0]
    fields: Any = {"items": [DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)]}
    if url is not None:
        fields |= {"callback_url": url, "callback_method": "post"}
    return client.orders().create(Order(**fields)).data


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http://[bad]/", "http://127.0.0.1:x/", "http://127.0.0.1:99999/", "http:///x", "http://a b/"],
)
def test_invalid_callback_urls_do_not_block_others(emulator: Emulator, url: str) -> None:
    """The delivery fails, and the next ones are sent."""
    client = emulator.client()
    try:
        create_order(client, url)
    except (InvalidValueError, ValidationError):
        return
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as good:
        create_order(client, good)
        emulator.clock.advance(1)
        states = [delivery.state for delivery in emulator.callbacks.settle()]
    assert states[0] == "delivered"
    assert states[1] in ("refused", "waiting")


@contextmanager
def listener(response: bytes, *, pause: float = 0.0) -> Iterator[str]:
    """Serve these bytes to each connection, one by one if there is a pause, and return the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        for at in range(0, len(response), 1 if pause else len(response)):
                            connection.sendall(response[at : at + 1] if pause else response)
                            if stop.wait(pause):
                                return
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            stop.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(60)


@pytest.mark.slow
def test_slow_receivers_time_out(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timeout covers the whole response, not each byte."""
    monkeypatch.setattr(sending, "RESPONSE_TIMEOUT", 3.0)
    with (
        listener(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 5000, pause=0.05) as slow,
        listener(b"HTTP/1.1 204 No Content\r\n\r\n") as good,
    ):
        client = emulator.client()
        create_order(client, slow)
        create_order(client, good)
        emulator.clock.advance(1)
        started = time.monotonic()
        assert [delivery.state for delivery in emulator.callbacks.settle()] == ["delivered", "waiting"]
        assert time.monotonic() - started < 60


@pytest.mark.slow
def test_events_run_while_a_receiver_is_slow() -> None:
    """Orders complete during a callback."""
    with listener(b"x" * 10_000, pause=0.1) as slow, Emulator() as emulator:
        client = emulator.client()
        emulator.serve_always()
        create_order(client, slow)
        time.sleep(1)
        emulator.transitions.set("orders", after=0.3)
        second = create_order(client)
        end = time.monotonic() + 60
        status = ""
        while status != "completed" and time.monotonic() < end:
            time.sleep(0.05)
            # Read without a request, which would run due events.
            with emulator.engine.locked() as runtime:
                status = runtime.store.connection.execute(
                    "SELECT status FROM orders WHERE id = ?", (second.id,)
                ).fetchone()[0]
        assert status == "completed"


def test_replay_during_an_attempt_keeps_that_attempt(emulator: Emulator) -> None:
    """Every sent request is listed."""
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", pause=0.01) as slow:
        create_order(emulator.client(), slow)
        emulator.clock.advance(1)
        deadline = time.monotonic() + 60
        while not emulator.callbacks.deliveries() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        (delivery,) = emulator.callbacks.deliveries()
        emulator.clock.advance(5)  # so that the replay is due at another time
        emulator.callbacks.replay(delivery.id)
        (delivery,) = emulator.callbacks.settle()
        assert [attempt.status for attempt in delivery.attempts] == [200, 200]


def test_event_and_its_removal_are_atomic(emulator: Emulator) -> None:
    """An interrupted event is still pending."""
    client = emulator.client()
    order = create_order(client)
    with emulator.engine.locked() as runtime:
        behavior = runtime.behavior("orders")
        whole = behavior.due

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        behavior.due = killed  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            emulator.clock.advance(1)
    finally:
        behavior.due = whole  # type: ignore[method-assign]
    assert client.orders().find(order).data.status == "completed"


def test_killed_advance_resumes_on_restart(tmp_path: Path) -> None:
    """The file has the new time before due events run."""
    path = str(tmp_path / "state.db")
    program = """
import os, sys
from datetime import UTC, datetime
from didww.emulator import Clock, Emulator
from didww.emulator.behaviors import BEHAVIORS
emulator = Emulator(path=sys.argv[1], clock=Clock(datetime(2026, 3, 10, tzinfo=UTC), running=False))
emulator.state.seed({"dids": [{"number": "442079460001"}]})
dids, whole = BEHAVIORS["dids"], BEHAVIORS["dids"].due
turns = []
def due(*arguments):
    turns.append(1)
    if len(turns) == 3:
        os._exit(9)
    whole(*arguments)
dids.due = due
emulator.clock.freeze("2026-12-24T00:00:00Z")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 9
    with Emulator(path=path) as emulator:
        assert emulator.clock.now() == datetime(2026, 12, 24, tzinfo=UTC)
        (did,) = emulator.client().dids().list().data
        assert did.expires_at == datetime(2027, 1, 10, tzinfo=UTC)
        renewals = emulator.client().did_history().list(filter={"action": "renewed"}).data
        assert len(renewals) == 3  # within the last 90 days


def test_passed_clock_is_kept_across_a_restart(tmp_path: Path) -> None:
    """Even if it was never moved."""
    path = str(tmp_path / "state.db")
    Emulator(path=path, clock=Clock(START, running=False)).close()
    with Emulator(path=path) as emulator:
        assert emulator.clock.now() == START


def test_restore_resets_time_and_records_atomically(emulator: Emulator) -> None:
    """Concurrent requests never run later events on earlier records."""
    client = emulator.client()
    emulator.state.seed({"dids": [{"number": "442079460001"}]})
    before = client.balance().find().data.balance
    emulator.state.snapshot()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            client.balance().find()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            emulator.clock.advance("40 days")
            emulator.state.restore()
            assert client.balance().find().data.balance == before
            assert emulator.clock.now() == START
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_ids_stay_unique_after_a_reset_and_a_restart(tmp_path: Path) -> None:
    """A reset file gets another seed for its rng when it is reopened."""
    path = str(tmp_path / "state.db")
    with Emulator(path=path) as emulator:
        emulator.state.reset()
        ids = {
            emulator.client().voice_in_trunk_groups().create(VoiceInTrunkGroup(name=str(n))).data.id for n in range(5)
        }
    with Emulator(path=path) as emulator:
        ids |= {
            emulator.client().voice_in_trunk_groups().create(VoiceInTrunkGroup(name=f"more {n}")).data.id
            for n in range(5)
        }
    assert len(ids) == 10


@pytest.mark.slow
def test_state_file_is_locked_by_one_emulator(tmp_path: Path) -> None:
    """In the same and in other processes; closing releases it."""
    path = str(tmp_path / "state.db")
    with Emulator(path=path) as emulator:
        create_order(emulator.client())
        with pytest.raises(ValueError, match="is used by another emulator"):
            Emulator(path=path)
        done = subprocess.run(
            [sys.executable, "-m", "didww", "emulator", "--port", "0", "--db", path],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert "is used by another emulator" in done.stderr
        assert "Traceback" not in done.stderr
    Emulator(path=path).close()


def open_files() -> int:
    """Return the number of open files of this process; 0 where the system does not say."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


@pytest.mark.unchecked
def test_journal_does_not_keep_keys_long_bodies_or_files(emulator: Emulator) -> None:
    """Only a part of a long body is kept."""
    body = b"x" * (10 << 20)
    for _ in range(3):
        emulator.exchange(
            Request("POST", "http://127.0.0.1/v3/encrypted_files", {"Api-Key": "a-very-secret-key"}, body)
        )
    kept = emulator.journal._snapshot()
    assert "a-very-secret-key" not in repr(kept) + repr(emulator._rate_limit._recent)
    assert sum(len(entry.body.head) + len(entry.response.head) for entry in kept) < 1 << 20
    assert emulator.journal.entries()[0].body.endswith(f"... ({len(body)} bytes)")
    client = emulator.client()
    emulator.state.seed({"dids": [{"number": "442079460001"}]})
    span = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00"}
    before = open_files()
    for hour in range(12):
        export = (
            client.exports()
            .create(Export(export_type="cdr_in", filters={**span, "to": f"2026-03-02 {hour:02}:00:00"}))
            .data
        )
        emulator.clock.advance(1)
        url = client.exports().find(export).data.url
        emulator.exchange(Request("GET", str(url), {"Api-Key": emulator.key, "Range": "bytes=0-9"}))
    assert open_files() <= before + 8


@pytest.mark.slow
def test_pending_control_requests_do_not_block_others() -> None:
    """Closing does not wait for them either."""
    with listener(b"HTTP/1.1 200 OK\r\n" + b"x" * 9000, pause=0.05) as slow, ThreadPoolExecutor(16) as pool:
        with Emulator() as emulator, served(server := Server(emulator)) as address:
            create_order(emulator.client(), slow)
            time.sleep(0.8)
            futures = [
                pool.submit(httpx2.post, f"{address}/_emulator/callbacks/settle", json={"timeout": 60}, timeout=120)
                for _ in range(12)
            ]
            time.sleep(0.3)
            started = time.monotonic()
            assert httpx2.get(f"{address}/_emulator/clock/state", timeout=60).status_code == 200
            assert httpx2.get(f"{address}/_emulator/console/", timeout=60).status_code == 200
            assert time.monotonic() - started < 40
            del server
        for future in futures:
            # A stopping server returns 500 to pending requests.
            error = future.exception()
            assert isinstance(error, httpx2.TransportError) or future.result().status_code in (200, 500, 504)


@pytest.mark.unchecked
@pytest.mark.slow
def test_ranges_of_long_files_do_not_block_others() -> None:
    """The part before a range is generated while other requests run."""
    with Emulator(clock=Clock(START, running=False)) as emulator, served(Server(emulator)) as address:
        emulator.state.seed({"dids": [{"number": f"4420794600{n:02}"} for n in range(20)]})
        emulator.calls.rate(5000)
        client = emulator.client()
        span = {"from": "2026-03-01 00:00:00", "to": "2026-03-06 00:00:00"}
        export = client.exports().create(Export(export_type="cdr_in", filters=span)).data
        emulator.clock.advance(1)
        path = str(client.exports().find(export).data.url).partition("/v3")[2]
        headers = {"Api-Key": emulator.key, "Range": "bytes=0-0"}
        responses = 0
        with ThreadPoolExecutor(1) as pool:
            part = pool.submit(httpx2.get, f"{address}/v3{path}", headers=headers, timeout=60)
            while not part.done():
                assert httpx2.get(f"{address}/v3/balance", headers=headers, timeout=60).status_code == 200
                responses += 1
            response = part.result()
        assert (response.status_code, response.content) == (206, b"\x1f")
        assert responses > 5
        whole = httpx2.get(f"{address}/v3{path}", headers={"Api-Key": emulator.key}, timeout=60).content
        assert response.headers["content-range"] == f"bytes 0-0/{len(whole)}"
        assert gzip.decompress(whole).count(b"\n") > 200_000


def test_stock_only_completes_orders_that_wait_for_it(emulator: Emulator) -> None:
    """Other orders keep their transition."""
    client = emulator.client()
    first, second = [group for group in groups_of(client, "GB") if (group.meta.total_count or 0) > 0][:2]
    emulator.stock.put(first.id, 0)
    waiting = client.orders().create(Order(items=[DidOrderItem(sku_id=first.stock_keeping_units[0].id, qty=1)])).data
    emulator.clock.advance(1)
    emulator.transitions.set("orders", after="10 days")
    slow = create_order(client, group=second)
    emulator.stock.put(first.id, 5)
    assert client.orders().find(waiting).data.status == "completed"
    assert client.orders().find(slow).data.status == "pending"


@pytest.mark.parametrize(("day", "until"), [("2026-03-25", "2026-04-25"), ("2026-03-31", "2026-04-30")])
def test_seeded_expiry_keeps_the_day_of_the_month(emulator: Emulator, day: str, until: str) -> None:
    """Its first renewal pays for a whole month."""
    emulator.state.seed({"dids": [{"number": "442079460001", "expires_at": f"{day}T00:00:00Z"}]})
    emulator.clock.freeze(f"{day}T01:00:00Z")
    (did,) = emulator.client().dids().list().data
    assert did.expires_at is not None
    assert f"{did.expires_at:%Y-%m-%d}" == until


def test_free_did_is_renewed_with_a_negative_balance(emulator: Emulator) -> None:
    """Its renewal costs nothing."""
    emulator.state.seed({"dids": [{"number": "442079460001"}]})
    with emulator.engine.locked() as runtime:
        runtime.store.connection.execute("""UPDATE dids SET private = '{"monthly": "0.00", "day": 10}'""")
    emulator.balance.put("-10")
    emulator.clock.advance("31 days")
    assert emulator.client().dids().list().total_records == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.clock.freeze("0001-01-01T00:00:00+14:00"), "before the year 1"),
        (lambda s: s.clock.freeze("9999-12-31T23:59:59-14:00"), "after 9999"),
        (lambda s: s.clock.freeze(5), "datetime or ISO 8601 text, got 5"),
        (lambda s: s.clock.advance(10**400), "not a duration"),
        (lambda s: s.balance.put("1e999999999"), "An amount must be"),
        (lambda s: s.calls.outbound("x", rate="abc"), "rate must be .*, got 'abc'"),
        (lambda s: s.calls.outbound("x", rate="NaN"), "rate must be .*, got 'NaN'"),
        (lambda s: s.calls.outbound("x", rate="-1"), "rate must be .*, got '-1'"),
        (lambda s: s.calls.outbound("x", rate="1e50"), "rate must be .*, got '1e50'"),
        (lambda s: s.transitions.set("orders", reads=10**30), "reads must be from"),
        (lambda s: s.transitions.set("orders", reasons="abc"), "list of strings"),
        (lambda s: s.transitions.reject("x", "abc"), "list of strings"),
        (lambda s: s.faults.add(callback="x"), "'duplicate' or 'drop'"),
        (lambda s: s.faults.add(status=400, body="\ud800"), "surrogate"),
        (lambda s: s.faults.add(status=204, body="x"), "cannot have a body"),
        (lambda s: s.state.seed({"dids": [{"number": "442079460001", "expires_at": None}]}), "expires_at"),
        (lambda s: s.state.seed({"dids": [{"number": "442079460001", "voice_in_trunk": {}}]}), "voice_in_trunk"),
        (lambda s: s.state.seed({"orders": [{"status": "pending"}]}), "create it by a request"),
        (lambda s: s.state.seed({"address_verifications": [{"status": "pending"}]}), "create it by a request"),
    ],
)
def test_invalid_arguments_are_rejected(emulator: Emulator, call: Callable[[Emulator], Any], message: str) -> None:
    """A ValueError names the argument, and nothing is done."""
    with pytest.raises(ValueError, match=message):
        call(emulator)


@pytest.mark.parametrize(
    ("place", "body", "status"),
    [
        ("clock/freeze", {"at": "0001-01-01T00:00:00+14:00"}, 422),
        ("callbacks/replay", {"id": 9223372036854775808}, 404),
        ("balance/put", {"balance": "1e999999999"}, 422),
        ("calls/outbound", {"trunk": "x", "rate": "abc"}, 422),
        ("state/seed", {"objects": {"dids": [{"number": "442079460001", "expires_at": None}]}}, 422),
    ],
)
def test_invalid_arguments_return_422_over_http(place: str, body: Any, status: int) -> None:
    """No invalid argument is an internal error."""
    with Emulator() as emulator, served(Server(emulator)) as address:
        response = httpx2.post(f"{address}/_emulator/{place}", json=body)
        assert response.status_code == status
        assert response.json()["error"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:8750", 403),
        ("emulator:8750", 200),
        ("192.0.2.7:8750", 200),
        ("[2001:db8::1]:8750", 200),
        ("box.local", 200),
    ],
)
def test_open_control_is_protected_against_dns_rebinding(host: str, status: int) -> None:
    """Host names with dots may belong to an attacker."""
    with Emulator() as emulator, served(Server(emulator, open_control=True)) as address:
        for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}):
            assert httpx2.get(f"{address}/_emulator/clock/state", headers=headers).status_code == status


def test_forwarded_headers_are_ignored() -> None:
    """Proxy headers do not change the client's address."""
    with Emulator() as emulator, served(Server(emulator)) as address:
        assert httpx2.get(f"{address}/_emulator/clock/state", headers={"X-Forwarded-For": "8.8.8.8"}).status_code == 200


@pytest.mark.parametrize("value", [{"a": 1}, 5, ["1"], "", True, None])
def test_export_filters_must_be_strings(emulator: Emulator, value: Any) -> None:
    """Other values are rejected instead of giving an empty file."""
    for more in ({"did_number": value}, {"from": "\u0662026-03-01 00:00:00"}, {"from": "2026-3-1 0:0:0"}):
        filters = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00", **more}
        body = {"data": {"type": "exports", "attributes": {"export_type": "cdr_in", "filters": filters}}}
        headers = {
            "Api-Key": emulator.key,
            "Content-Type": "application/vnd.api+json",
            "Accept": "application/vnd.api+json",
        }
        import json

        response, _ = emulator.exchange(
            Request("POST", "http://127.0.0.1/v3/exports", headers, json.dumps(body).encode())
        )
        assert response.status == 422


def test_channel_orders_cannot_be_canceled(emulator: Emulator) -> None:
    """Orders of DIDs can."""
    client = emulator.client()
    pool = client.capacity_pools().list().data[0]
    channels = CapacityOrderItem(capacity_pool_id=pool.id, qty=5)
    order = client.orders().create(Order(items=[channels])).data
    with pytest.raises(ValidationError, match="Order not pending"):
        client.orders().delete(order)
    number = DidOrderItem(sku_id=groups_of(client, "GB")[0].stock_keeping_units[0].id, qty=1)
    client.orders().delete(client.orders().create(Order(items=[number])).data)


@pytest.mark.slow
def test_many_outbound_calls_can_be_simulated_quickly(emulator: Emulator) -> None:
    """Each adds its price without reading the whole day again."""
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"])
    trunk = VoiceOutTrunk(name="Out", on_cli_mismatch_action="reject_call", authentication_method=method)
    trunk = emulator.client().voice_out_trunks().create(trunk).data
    with work(emulator) as steps:
        assert len(emulator.calls.outbound(trunk.id, count=5000, rate="0.01")) == 5000
    assert steps[0] < 45_000
    assert emulator.client().voice_out_trunks().find(trunk).data.meta.spent_amount == Decimal(50)
    emulator.clock.advance("25 h")
    assert emulator.client().voice_out_trunks().find(trunk).data.meta.spent_amount == 0


@pytest.mark.slow
def test_back_order_does_not_slow_down_advancing(emulator: Emulator) -> None:
    """It is checked now and then, and at once when stock is added."""
    client = emulator.client()
    group = groups_of(client, "GB")[0]
    emulator.stock.put(group.id, 0)
    order = create_order(client, group=group)
    with work(emulator) as steps:
        emulator.clock.freeze("2030-01-01T00:00:00Z")
    assert steps[0] < 430_000
    assert client.orders().find(order).data.status == "pending"
    emulator.stock.put(group.id, 1)
    assert client.orders().find(order).data.status == "completed"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.clock.advance("1h30"), "30 has no unit"),
        (lambda s: s.clock.advance(None), "not a duration"),
        (lambda s: s.state.seed([]), "must be a dict by type"),
        (lambda s: s.state.seed({"dids": [{"number": "442079460001", "voice_in_trunk": "mian"}]}), "no 'mian'"),
        (lambda s: s.faults.add(status=200), "needs a body"),
        (lambda s: s.faults.add(status=500, lost_response=True), "exclude each other"),
        (lambda s: s.journal.assert_called("GET", "/dids?filter[number]=1"), "query="),
    ],
)
def test_ambiguous_arguments_raise_value_error(
    emulator: Emulator, call: Callable[[Emulator], Any], message: str
) -> None:
    """Instead of doing nothing or something else."""
    with pytest.raises(ValueError, match=message):
        call(emulator)


def test_fault_path_may_include_the_version_prefix(emulator: Emulator) -> None:
    """As the journal shows it."""
    emulator.faults.add(path="/v3/countries", status=422)
    response, _ = emulator.exchange(Request("GET", "http://127.0.0.1/v3/countries", {"Api-Key": emulator.key}))
    assert response.status == 422


def test_unknown_parameters_error_lists_the_valid_ones() -> None:
    """Over HTTP, where no editor completes names."""
    with Emulator() as emulator, served(Server(emulator)) as address:
        response = httpx2.post(f"{address}/_emulator/calls/inbound", json={"number": "1"})
        assert (response.status_code, "It takes: did, count" in response.json()["error"]) == (422, True)


@unix_only
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_stopped_server_removes_its_ready_file(tmp_path: Path, by: signal.Signals) -> None:
    """For any stop signal; the exit code is that of a normal end."""
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [sys.executable, "-m", "didww", "emulator", "--port", "0", "--ready-file", str(ready)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and not ready.exists():
            time.sleep(0.05)
        process.send_signal(by)
        assert (process.wait(timeout=60), ready.exists()) == (0, False)
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_unread_log_does_not_block_the_server(tmp_path: Path) -> None:
    """As after `| head`: no traceback for each request."""
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [sys.executable, "-m", "didww", "emulator", "--port", "0", "--ready-file", str(ready)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and not ready.exists():
            time.sleep(0.05)
        process.stdout.close()
        with DidwwClient("local-key", base_url=ready.read_text(encoding="utf-8").strip()) as client:
            assert [client.balance().find().data.balance for _ in range(3)] == [Decimal(10_000)] * 3
    finally:
        process.terminate()
        process.wait(timeout=60)
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.slow
def test_command_can_be_restarted_with_the_same_arguments(tmp_path: Path) -> None:
    """Seed data is loaded once, a stale ready file is removed, and controls use the same account."""
    (tmp_path / "numbers.yaml").write_text('dids:\n  - number: "442079460001"\n', encoding="utf-8")
    (tmp_path / "ready").write_text("http://127.0.0.1:9/v3\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "didww",
        "emulator",
        "--port",
        "0",
        "--db",
        "box.db",
        "--objects",
        "numbers.yaml",
        "--ready-file",
        "ready",
    ]
    former = "http://127.0.0.1:9/v3"
    for _ in range(2):
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + 60
            base = ""
            while time.monotonic() < end and base in ("", former):
                time.sleep(0.05)
                ready = tmp_path / "ready"
                base = ready.read_text(encoding="utf-8").strip() if ready.exists() else ""
            former = base
            with DidwwClient("local-key", base_url=base) as client:
                assert client.dids().list().total_records == 1
                httpx2.post(
                    f"{base.removesuffix('/v3')}/_emulator/balance/put", json={"balance": "12.50"}
                ).raise_for_status()
                assert client.balance().find().data.balance == Decimal("12.50")
        finally:
            process.kill()
            process.wait()
