"""Test callbacks: payloads, signatures, the retry schedule, replay, allowed hosts, faults."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from didww import (
    AddressVerification,
    CredentialsAndIpAuthenticationMethod,
    DidOrderItem,
    DidwwClient,
    EmergencyVerification,
    Export,
    Order,
    VoiceOutTrunk,
)
from didww.callback.request_validator import RequestValidator
from didww.emulator import Clock, Emulator
from didww.emulator.behaviors.out_trunks import spend
from didww.emulator.controls.callbacks import PAUSES
from support.registration import bought, groups_of, person, prove_all, requirement_of

START = datetime(2026, 3, 15, 12, tzinfo=UTC)
SECRET = "a-callback-secret-for-tests"


class Receiver:
    """Receive callbacks; `responses` holds the next statuses, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []
        self.responses: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.got.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                outer.gate.wait(60)
                self.send_response(outer.responses.pop(0) if outer.responses else 200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def fields(self, n: int = -1) -> Any:
        """Return the fields of a callback."""
        _, path, headers, body = self.got[n]
        if headers.get("content-type") == "application/json":
            return json.loads(body)
        text = body.decode() if body else urlsplit(path).query
        return dict(parse_qsl(text, keep_blank_values=True))

    def accepted(self, n: int = -1, own: tuple[str, ...] = ()) -> bool:
        """Return whether the signature is valid."""
        _, path, headers, _ = self.got[n]
        fields = self.fields(n)
        if isinstance(fields, dict):
            fields = {name: value for name, value in fields.items() if name not in own}
        return RequestValidator(SECRET).validate(f"{self.base}{path}", fields, headers.get("x-didww-signature"))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False), callback_secret=SECRET) as emulator:
        yield emulator


def create_order(client: DidwwClient, url: str, method: str | None = "post") -> str:
    group = client.did_groups().list(filter={"is_available": True}, include="stock_keeping_units", page=(1, 1)).data[0]
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)
    options: dict[str, Any] = {} if method is None else {"callback_method": method}
    return client.orders().create(Order(items=[item], callback_url=url, **options)).data.id


@pytest.mark.parametrize("method", ["post", "get"])
def test_completed_order_sends_one_signed_callback(emulator: Emulator, receiver: Receiver, method: str) -> None:
    """Fields go into a form or a query; the URL's own query is kept and not signed as fields."""
    client = emulator.client()
    id = create_order(client, f"{receiver.base}/hook?tenant=42", method)
    emulator.clock.advance(1)
    (delivery,) = emulator.callbacks.settle()
    assert (delivery.state, delivery.record, delivery.type) == ("delivered", id, "orders")
    assert [(attempt.status, attempt.error, attempt.body) for attempt in delivery.attempts] == [(200, None, "ok")]
    (got,) = receiver.got
    assert got[0] == method.upper()
    assert got[1].startswith("/hook?tenant=42")
    fields = receiver.fields()
    assert {name: fields[name] for name in ("id", "type", "status")} == {
        "id": id,
        "type": "orders",
        "status": "completed",
    }
    assert receiver.accepted(own=("tenant",))


def test_callback_is_sent_automatically(receiver: Receiver) -> None:
    """With a running clock, no further call is needed."""
    with Emulator(callback_secret=SECRET) as emulator:
        create_order(emulator.client(), f"{receiver.base}/hook")
        end = time.monotonic() + 60
        while not receiver.got and time.monotonic() < end:
            time.sleep(0.01)
        assert receiver.accepted()


def test_canceled_orders_and_completed_exports_send_callbacks(emulator: Emulator, receiver: Receiver) -> None:
    """Canceling sends a callback too; that of an export has its download URL."""
    client = emulator.client()
    id = create_order(client, f"{receiver.base}/hook")
    client.orders().delete(id)
    emulator.callbacks.settle()
    assert receiver.fields() == {"type": "orders", "id": id, "status": "canceled"}
    span = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00"}
    export = (
        client.exports()
        .create(
            Export(export_type="cdr_in", filters=span, callback_url=f"{receiver.base}/export", callback_method="post")
        )
        .data
    )
    emulator.clock.advance(1)
    emulator.callbacks.settle()
    done = client.exports().find(export.id).data
    assert receiver.fields() == {"type": "exports", "id": export.id, "status": "completed", "url": done.url}
    assert len(receiver.got) == 2
    assert receiver.accepted(0)
    assert receiver.accepted(1)


def test_failed_callbacks_are_retried_on_schedule(emulator: Emulator, receiver: Receiver) -> None:
    """Ten attempts at the documented intervals of the emulator's clock, then delivery fails."""
    receiver.responses = [500, 302, 404] + [500] * 20
    create_order(emulator.client(), f"{receiver.base}/hook")
    emulator.clock.advance(1)
    for pause in PAUSES:
        (delivery,) = emulator.callbacks.settle()
        assert delivery.state == "waiting"
        tried = len(receiver.got)
        emulator.clock.advance(timedelta(seconds=pause - 1))
        emulator.callbacks.settle()
        assert len(receiver.got) == tried
        emulator.clock.advance(1)
    (delivery,) = emulator.callbacks.settle()
    assert (delivery.state, delivery.next_at, len(receiver.got)) == ("failed", None, 10)
    times = [datetime.fromisoformat(attempt.at) for attempt in delivery.attempts]
    assert [round((b - a).total_seconds()) for a, b in itertools.pairwise(times)] == list(PAUSES)
    assert [attempt.error for attempt in delivery.attempts][:3] == [
        "responded with 500",
        "responded with 302",
        "responded with 404",
    ]
    receiver.responses.clear()
    assert emulator.callbacks.replay(delivery.id).state == "waiting"
    assert [delivery.state for delivery in emulator.callbacks.settle()] == ["delivered"]


def test_advancing_days_runs_all_attempts(emulator: Emulator, receiver: Receiver) -> None:
    """Advancing past the whole schedule makes every attempt in order."""
    receiver.responses = [500] * 4
    create_order(emulator.client(), f"{receiver.base}/hook")
    emulator.clock.advance("10 days")
    (delivery,) = emulator.callbacks.settle()
    assert (delivery.state, len(delivery.attempts)) == ("delivered", 5)


def test_callbacks_can_be_signed_incorrectly(emulator: Emulator, receiver: Receiver) -> None:
    """Wrong and missing signatures test receivers that must reject them."""
    client = emulator.client()
    outcomes: dict[str, tuple[bool, bool]] = {}
    for how in ("wrong", "none", "right"):
        emulator.callbacks.sign(how)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        create_order(client, f"{receiver.base}/hook")
        emulator.clock.advance(1)
        emulator.callbacks.settle()
        outcomes[how] = (receiver.accepted(), "x-didww-signature" in receiver.got[-1][2])
    assert outcomes == {"wrong": (False, True), "none": (False, False), "right": (True, True)}
    with pytest.raises(ValueError, match="'right', 'wrong' or 'none'"):
        emulator.callbacks.sign("twice")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_signed_request_can_be_used_without_http(emulator: Emulator) -> None:
    """The signed request can be passed to a receiver directly."""
    create_order(emulator.client(), "https://hooks.example.com/didww")
    emulator.clock.advance(1)
    (delivery,) = emulator.callbacks.settle()
    request = emulator.callbacks.request(delivery.id)
    fields = dict(parse_qsl(request.body))
    assert RequestValidator(SECRET).validate(request.url, fields, request.headers["X-DIDWW-Signature"])
    with pytest.raises(LookupError):
        emulator.callbacks.request(99)
    with pytest.raises(LookupError):
        emulator.callbacks.replay(99)


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.com/x", "http://192.0.2.1/", "http://127.0.0.1.example.com/", "http://[2001:db8::1]/"],
)
def test_callbacks_are_only_sent_to_loopback_by_default(emulator: Emulator, url: str) -> None:
    """Other hosts are refused; the error says how to allow them."""
    create_order(emulator.client(), url)
    emulator.clock.advance(1)
    (delivery,) = emulator.callbacks.settle()
    assert delivery.state == "refused"
    assert "callbacks.allow(" in (delivery.attempts[0].error or "")


def test_callbacks_are_sent_to_allowed_hosts(emulator: Emulator, receiver: Receiver) -> None:
    """A host that cannot be reached is a failed attempt."""
    emulator.callbacks.allow("nowhere.invalid")
    create_order(emulator.client(), "http://nowhere.invalid/x")
    emulator.clock.advance(1)
    (delivery,) = emulator.callbacks.settle(timeout=30)
    assert delivery.state == "waiting"
    assert delivery.attempts[0].error
    assert delivery.attempts[0].status is None
    del receiver


@pytest.mark.parametrize(("fault", "times", "state"), [("drop", 0, "dropped"), ("duplicate", 2, "delivered")])
def test_callback_faults_drop_or_duplicate(
    emulator: Emulator, receiver: Receiver, fault: Any, times: int, state: str
) -> None:
    """A callback is never sent, or sent twice."""
    emulator.faults.add(callback=fault, resource="orders", times=1)
    create_order(emulator.client(), f"{receiver.base}/hook")
    emulator.clock.advance(1)
    (delivery,) = emulator.callbacks.settle()
    assert (delivery.state, len(receiver.got)) == (state, times)
    if times:
        assert receiver.got[0] == receiver.got[1]


def test_pending_deliveries_survive_a_restart(tmp_path: Any, receiver: Receiver) -> None:
    """The next emulator on the same file sends what was not delivered."""
    path = str(tmp_path / "state.db")
    receiver.responses = [500]
    with Emulator(path=path, clock=Clock(START, running=False), callback_secret=SECRET) as emulator:
        create_order(emulator.client(), f"{receiver.base}/hook")
        emulator.clock.advance(1)
        assert [delivery.state for delivery in emulator.callbacks.settle()] == ["waiting"]
    with Emulator(path=path, clock=Clock(START, running=False), callback_secret=SECRET) as emulator:
        emulator.clock.advance("2 minutes")
        assert [delivery.state for delivery in emulator.callbacks.settle()] == ["delivered"]
    assert receiver.accepted()


def test_slow_receiver_does_not_block_the_api(emulator: Emulator, receiver: Receiver) -> None:
    """Requests work while a callback is pending, so a receiver can call the API itself."""
    receiver.gate.clear()
    client = emulator.client()
    create_order(client, f"{receiver.base}/hook")
    emulator.clock.advance(1)
    end = time.monotonic() + 60
    while not receiver.got and time.monotonic() < end:
        time.sleep(0.005)
    client.orders().list()
    with pytest.raises(TimeoutError, match="still pending"):
        emulator.callbacks.settle(timeout=0.1)
    receiver.gate.set()
    assert [delivery.state for delivery in emulator.callbacks.settle()] == ["delivered"]


def test_callback_secret_is_not_in_reprs(emulator: Emulator, receiver: Receiver) -> None:
    """Neither deliveries nor objects show it."""
    create_order(emulator.client(), f"{receiver.base}/hook")
    emulator.clock.advance(1)
    text = repr(emulator.callbacks.settle()) + repr(emulator.callbacks) + repr(emulator)
    assert SECRET not in text


# Payloads by type


def create_verification(emulator: Emulator, client: DidwwClient, url: str) -> str:
    """Create an address verification with a callback that waits for a decision."""
    emulator.transitions.set("address_verifications", by_hand=True)
    for group in groups_of(client, "DE", needs_registration=True):
        assert group.address_requirement is not None
        requirement = requirement_of(client, group.address_requirement)
        if requirement.service_description_required or requirement.personal_onetime_document:
            continue
        dids = bought(emulator, client, group)
        assert requirement.country is not None
        identity, address = person(client, requirement.country)
        prove_all(client, requirement, identity, address)
        verification = AddressVerification(address=address, dids=dids, callback_url=url, callback_method="post")
        return client.address_verifications().create(verification).data.id
    raise AssertionError("no such group")


def test_address_verification_callback_has_all_members(emulator: Emulator, receiver: Receiver) -> None:
    """Reasons are joined by ", "; reason and comment are present but empty when approved."""
    client = emulator.client()
    id = create_verification(emulator, client, f"{receiver.base}/hook")
    emulator.transitions.reject(id, ["Document expired", "Address not found"], "Send a new copy")
    emulator.callbacks.settle()
    common = {"id": id, "type": "address_verifications", "status": "rejected"}
    assert receiver.fields() == {
        **common,
        "reject_reason": "Document expired, Address not found",
        "reject_comment": "Send a new copy",
    }
    id = create_verification(emulator, client, f"{receiver.base}/hook")
    emulator.transitions.approve(id)
    emulator.callbacks.settle()
    assert receiver.fields() == {**common, "id": id, "status": "approved", "reject_reason": "", "reject_comment": ""}
    assert receiver.accepted(0)
    assert receiver.accepted(1)


def test_emergency_verification_callback_has_all_members(emulator: Emulator, receiver: Receiver) -> None:
    """Reasons are joined by "; "; the calling service is always included."""
    client = emulator.client()
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    _, address = person(client, group.country)
    emulator.transitions.set("emergency_verifications", by_hand=True)
    pair: dict[str, Any] = {"callback_url": f"{receiver.base}/hook", "callback_method": "get"}
    verification = EmergencyVerification(address=address, dids=bought(emulator, client, group), **pair)
    first = client.emergency_verifications().create(verification, include="emergency_calling_service").data
    service = first.emergency_calling_service
    assert service is not None
    emulator.transitions.reject(first.id, ["Address not found", "Name differs"])
    emulator.callbacks.settle()
    common = {"type": "emergency_verifications", "emergency_calling_service_id": service.id, "reject_comment": ""}
    reasons = "Address not found; Name differs"
    assert receiver.fields() == {**common, "id": first.id, "status": "rejected", "reject_reasons": reasons}
    again = EmergencyVerification(address=address, emergency_calling_service=service, **pair)
    second = client.emergency_verifications().create(again).data
    emulator.transitions.approve(second.id)
    emulator.callbacks.settle()
    approved = next(receiver.fields(n) for n in range(len(receiver.got)) if receiver.fields(n).get("id") == second.id)
    assert approved == {**common, "id": second.id, "status": "approved", "reject_reasons": ""}


def test_account_without_callback_secret_gets_no_callbacks(emulator: Emulator, receiver: Receiver) -> None:
    """Pending callbacks are not retried, and missed ones are not sent later."""
    client = emulator.client()
    receiver.responses = [500]
    create_order(client, f"{receiver.base}/hook")
    emulator.clock.advance(1)
    emulator.callbacks.settle()
    emulator.features.put({"callback_secret": False})
    create_order(client, f"{receiver.base}/hook")
    emulator.clock.advance("2 minutes")
    assert [delivery.state for delivery in emulator.callbacks.settle()] == ["unsent", "unsent"]
    emulator.features.put({"callback_secret": True})
    emulator.clock.advance("1 day")
    emulator.callbacks.settle()
    assert len(receiver.got) == 1
    create_order(client, f"{receiver.base}/hook")
    emulator.clock.advance(1)
    assert emulator.callbacks.settle()[0].state == "delivered"
    other = emulator.client("other")
    emulator.features.put({"callback_secret": False}, api_key="other")
    create_order(other, f"{receiver.base}/hook")
    emulator.clock.advance(1)
    assert emulator.callbacks.settle()[0].state == "unsent"


@pytest.mark.parametrize(
    ("status", "state"), [(200, "delivered"), (298, "delivered"), (299, "waiting"), (300, "waiting")]
)
def test_status_below_299_counts_as_delivered(emulator: Emulator, receiver: Receiver, status: int, state: str) -> None:
    """Statuses 200 to 298 count as delivered."""
    receiver.responses = [status]
    create_order(emulator.client(), f"{receiver.base}/hook")
    emulator.clock.advance(1)
    assert [delivery.state for delivery in emulator.callbacks.settle()] == [state]


def test_callback_url_without_a_scheme_uses_http(emulator: Emulator, receiver: Receiver) -> None:
    """It is signed with http://, too; the record keeps the URL as it was set."""
    client = emulator.client()
    url = f"{receiver.base.removeprefix('http://')}/hook"
    id = create_order(client, url)
    emulator.clock.advance(1)
    assert [(delivery.state, delivery.url) for delivery in emulator.callbacks.settle()] == [("delivered", url)]
    assert receiver.accepted()
    assert client.orders().find(id).data.callback_url == url


def test_get_callback_fields_are_sorted_and_precede_the_fragment(emulator: Emulator) -> None:
    """They follow the URL's own query."""
    id = create_order(emulator.client(), "https://hooks.example.com/didww?tenant=42#part", "get")
    emulator.clock.advance(1)
    (delivery,) = emulator.callbacks.settle()
    url = emulator.callbacks.request(delivery.id).url
    assert url == f"https://hooks.example.com/didww?tenant=42&id={id}&status=completed&type=orders#part"


def trunk(client: DidwwClient, url: str, name: str) -> str:
    """Create an outbound trunk with a callback."""
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["203.0.113.1/32"])
    record = VoiceOutTrunk(
        name=name, authentication_method=method, on_cli_mismatch_action="reject_call", callback_url=url
    )
    return client.voice_out_trunks().create(record).data.id


def put(client: DidwwClient, id: str, status: str) -> None:
    """Block or unblock a trunk."""
    record = client.voice_out_trunks().find(id).data
    record.status = status  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue] accepts a string
    client.voice_out_trunks().update(record)


@pytest.mark.unchecked  # trunks follow the declaration, not the contract
def test_trunk_sends_a_callback_for_every_status_change(emulator: Emulator, receiver: Receiver) -> None:
    """Blocked and unblocked, by request or by the threshold; each event has five members."""
    client = emulator.client()
    id = trunk(client, f"{receiver.base}/hook", "One")
    events: list[Any] = []
    for change in ("blocked", "active", "spent", "active"):
        if change == "spent":
            spend(emulator.engine.session(emulator.key), id, Decimal(10**6))
            emulator.engine.wake()
        else:
            put(client, id, change)
        emulator.callbacks.settle()
        (event,) = receiver.fields()
        assert set(event) == {"id", "type", "status", "threshold_reached", "created_at"}
        assert receiver.accepted()
        events.append((event["status"], event["threshold_reached"]))
    assert events == [("blocked", False), ("active", False), ("blocked", True), ("active", False)]


@pytest.mark.unchecked  # the same
def test_trunk_events_are_collected_while_a_delivery_fails(emulator: Emulator, receiver: Receiver) -> None:
    """Later events go out in order in the array of the next attempt; other URLs do not wait."""
    client = emulator.client()
    receiver.responses = [500]
    first, second = (trunk(client, f"{receiver.base}/hook", name) for name in ("One", "Two"))
    third = trunk(client, f"{receiver.base}/elsewhere", "Three")
    put(client, first, "blocked")
    emulator.callbacks.settle()
    put(client, second, "blocked")
    put(client, first, "active")
    put(client, third, "blocked")
    states = {delivery.id: delivery.state for delivery in emulator.callbacks.settle()}
    assert states == {1: "waiting", 2: "collected", 3: "collected", 4: "delivered"}
    assert [event["id"] for event in receiver.fields()] == [third]
    emulator.clock.advance("2 minutes")
    assert emulator.callbacks.settle()[-1].state == "delivered"
    assert [(event["id"], event["status"]) for event in receiver.fields()] == [
        (first, "blocked"),
        (second, "blocked"),
        (first, "active"),
    ]
    assert receiver.accepted()
    assert len(receiver.got) == 3
