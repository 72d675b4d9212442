"""The emulator sends callbacks to a receiver on a real socket, which verifies them and handles each event once."""

from __future__ import annotations

import http.client
import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from didww import (
    AddressVerification,
    AddressVerificationCallback,
    Callback,
    CallbackReceiver,
    CallbackVerifier,
    CredentialsAndIpAuthenticationMethod,
    DidOrderItem,
    EmergencyVerification,
    EmergencyVerificationCallback,
    Export,
    ExportCallback,
    Order,
    OrderCallback,
    VoiceOutTrunk,
    VoiceOutTrunkCallback,
    sign_callback,
)
from didww.emulator import Clock, Emulator
from support.receivers import DOORS, ordered
from support.registration import groups_of, person

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 15, 12, tzinfo=UTC)
SECRET = "a-callback-secret-for-tests"


class Scene:
    """An emulator, and a receiver that it can call."""

    def __init__(self, emulator: Emulator, door: Callable[[CallbackReceiver], Any], stack: ExitStack) -> None:
        self.emulator = emulator
        self.client = emulator.client()
        self.receiver = CallbackReceiver(CallbackVerifier(secrets=[SECRET]))
        self.got: list[Callback] = []
        self.broken = False
        self.receiver.on(Callback)(self._take)
        self.address = stack.enter_context(door(self.receiver))
        self.url = f"{self.address}/hooks/didww?tenant=42"

    def _take(self, callback: Callback) -> None:
        if self.broken:
            raise RuntimeError("not now")
        self.got.append(callback)

    def settle(self) -> list[str]:
        """The states of all deliveries, the oldest first, once nothing is due."""
        self.emulator.clock.advance(1)
        return [one.state for one in reversed(self.emulator.callbacks.settle())]


@pytest.fixture(params=list(DOORS))
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    clock = Clock(START, running=False)
    with Emulator(clock=clock, callback_secret=SECRET) as emulator, ExitStack() as stack:
        yield Scene(emulator, DOORS[request.param], stack)


@pytest.mark.parametrize("method", ["get", "post"])
def test_order_callback_is_handled_once(scene: Scene, method: str) -> None:
    """This holds for duplicate delivery and manual replay."""
    scene.emulator.faults.add(callback="duplicate", resource="orders")
    id = ordered(scene.client, scene.url, method)
    assert scene.settle() == ["delivered"]
    (delivery,) = scene.emulator.callbacks.deliveries()
    scene.emulator.callbacks.replay(delivery.id)
    assert scene.settle() == ["delivered"]
    assert scene.got == [OrderCallback._of({"id": id, "type": "orders", "status": "completed"})]


def test_invalid_signature_is_rejected_until_fixed(scene: Scene) -> None:
    """The 401 triggers another delivery, which is handled once the signature is valid."""
    for how in ("wrong", "none"):
        scene.emulator.callbacks.sign(how)  # type: ignore[arg-type]
        ordered(scene.client, scene.url)
        assert scene.settle()[-1] == "waiting"
        assert scene.emulator.callbacks.deliveries()[0].attempts[0].status == 401
    assert scene.got == []
    scene.emulator.callbacks.sign("right")
    scene.emulator.clock.advance("1 minute")
    assert scene.settle() == ["delivered", "delivered"]
    assert len(scene.got) == 2


def test_failed_handler_gets_the_callback_again(scene: Scene) -> None:
    """It comes after a minute of the emulator's clock; nothing is lost."""
    scene.broken = True
    id = ordered(scene.client, scene.url)
    assert scene.settle() == ["waiting"]
    assert scene.emulator.callbacks.deliveries()[0].attempts[0].status == 500
    scene.broken = False
    scene.emulator.clock.advance("1 minute")
    assert scene.settle() == ["delivered"]
    assert [one.to_dict()["id"] for one in scene.got] == [id]


def test_every_callback_type_arrives_as_its_class(scene: Scene) -> None:
    """The types are orders, exports, both verifications with their reasons, and trunks."""
    client, emulator = scene.client, scene.emulator
    told: Any = {"callback_url": scene.url, "callback_method": "get"}
    group = groups_of(client, "US", features="emergency")[0]
    order = Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)], **told)
    order = client.orders().create(order).data
    scene.settle()
    (did,) = client.dids().list(filter={"order.id": order.id}).data
    span = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00"}
    export = client.exports().create(Export(export_type="cdr_in", filters=span, **told)).data
    scene.settle()
    assert group.country is not None
    emulator.transitions.set("address_verifications", by_hand=True)
    emulator.transitions.set("emergency_verifications", by_hand=True)
    _, address = person(client, group.country)
    check = AddressVerification(**told)
    check.address, check.dids = address, [did]
    check = client.address_verifications().create(check).data
    emulator.transitions.reject(check.id, ["Document expired"], comment="Send a new one")
    emergency = EmergencyVerification(**told)
    emergency.address, emergency.dids = address, [did]
    emergency = client.emergency_verifications().create(emergency).data
    emulator.transitions.reject(emergency.id, ["Wrong street"], comment="Number 7?")
    scene.settle()
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"])
    trunk = VoiceOutTrunk(
        name="Out",
        on_cli_mismatch_action="reject_call",
        authentication_method=method,
        threshold_amount=1,  # type: ignore[arg-type]
        callback_url=scene.url,
    )
    trunk = client.voice_out_trunks().create(trunk).data
    emulator.calls.outbound(trunk.id, duration=6000, count=50)
    assert set(scene.settle()) == {"delivered"}
    assert [type(one) for one in scene.got] == [
        OrderCallback,
        ExportCallback,
        AddressVerificationCallback,
        EmergencyVerificationCallback,
        VoiceOutTrunkCallback,
    ]
    _, made, first, second, blocked = (*scene.got,)
    assert isinstance(made, ExportCallback)
    assert made.url == client.exports().find(export.id).data.url
    assert isinstance(first, AddressVerificationCallback)
    assert (first.id, first.status, first.reject_reason, first.reject_comment) == (
        check.id,
        "rejected",
        "Document expired",
        "Send a new one",
    )
    assert isinstance(second, EmergencyVerificationCallback)
    assert (second.reject_reason, second.reject_comment) == ("Wrong street", "Number 7?")
    assert isinstance(blocked, VoiceOutTrunkCallback)
    assert (blocked.id, blocked.status, blocked.threshold_reached) == (trunk.id, "blocked", True)
    assert blocked.created_at is not None


def raw(address: str, request: bytes, *, timeout: float = 60.0) -> bytes:
    """What is answered to bytes on a socket."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as made:
        got = b""
        try:
            made.sendall(request)
            made.shutdown(socket.SHUT_WR)
            while part := made.recv(65536):
                got += part
        except OSError:  # hung up on us
            pass
    return got


def post(scene: Scene, body: bytes, *, length: int | None = None) -> bytes:
    """A signed order in a request whose length may be a lie."""
    made = sign_callback(scene.url, {"id": "1", "type": "orders", "status": "completed"}, secret=SECRET)
    lines = [f"POST {scene.url.removeprefix(scene.address)} HTTP/1.1", f"Host: {urlsplit(scene.address).netloc}"]
    lines += [f"{name}: {value}" for name, value in made.headers.items()]
    lines += [f"Content-Length: {len(body or made.body) if length is None else length}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + (body or made.body.encode())


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1]) if response.startswith(b"HTTP/1.") else 0


def still_answers(scene: Scene) -> bool:
    """Whether an order still goes through."""
    before = len(scene.got)
    ordered(scene.client, scene.url)
    return scene.settle()[-1] == "delivered" and len(scene.got) == before + 1


def test_oversized_body_is_not_read(scene: Scene) -> None:
    """It is rejected by its Content-Length, or once too much has arrived."""
    assert status(raw(scene.address, post(scene, b"", length=10**12))) == 413
    assert status(raw(scene.address, post(scene, b"x" * (3 << 20)))) in (413, 0)
    assert status(raw(scene.address, post(scene, b"", length=10**40))) in (413, 400)
    assert scene.got == []
    assert still_answers(scene)


def test_chunked_body_size_is_limited() -> None:
    """A chunked body has no length in advance."""
    with Emulator(callback_secret=SECRET) as emulator, ExitStack() as stack:
        scene = Scene(emulator, DOORS["asgi"], stack)
        connection = http.client.HTTPConnection(urlsplit(scene.address).netloc, timeout=60)
        try:
            connection.request("POST", "/", body=(b"x" * 65536 for _ in range(64)), encode_chunked=True)
            assert connection.getresponse().status == 413
        except ConnectionError:  # closed while we were still sending
            pass
        finally:
            connection.close()
        assert scene.got == []


def test_slow_sender_gets_a_timeout() -> None:
    """A sender that drips or stalls gets 408; others are served in the meantime."""
    with Emulator(clock=Clock(START, running=False), callback_secret=SECRET) as emulator, ExitStack() as stack:
        scene = Scene(emulator, DOORS["asgi"], stack)
        request = post(scene, b"", length=500)
        head, _, body = request.partition(b"\r\n\r\n")
        parts = urlsplit(scene.address)
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as slow:
            slow.sendall(head + b"\r\n\r\n" + body[:5])
            started = time.monotonic()
            assert still_answers(scene)
            assert status(slow.recv(65536)) == 408
            assert time.monotonic() - started < 60
        assert len(scene.got) == 1


def test_disconnecting_sender_does_no_harm(scene: Scene) -> None:
    """The connection breaks in the middle of the head or of the body."""
    request = post(scene, b"")
    for cut in (5, 60, len(request) - 3):
        raw(scene.address, request[:cut], timeout=60)
    assert scene.got == []
    assert still_answers(scene)


def test_random_bytes_do_no_harm(scene: Scene) -> None:
    """No random or mutated request is handled, and each connection gets a response or is closed."""
    rng = random.Random(7)
    good = post(scene, b"")
    for number in range(60):
        if number % 3 == 0:
            sent = rng.randbytes(rng.randrange(1, 300))
        else:
            changed = bytearray(good)
            for _ in range(rng.randrange(1, 6)):
                at = rng.randrange(len(changed))
                # What changes nothing that is signed is no garbage: leave the head's first and last bytes and names.
                changed[at] = rng.randrange(256)
            sent = bytes(changed)
        assert status(raw(scene.address, sent, timeout=60)) in (
            0,
            200,
            400,
            401,
            404,
            405,
            408,
            413,
            414,
            431,
            500,
            501,
            505,
        )
    assert {(one.type, one.id, one.status) for one in scene.got} <= {("orders", "1", "completed")}
    assert still_answers(scene)


def test_invalid_json_gets_a_response(scene: Scene) -> None:
    """The test sends invalid bodies of every kind over the network."""
    connection = http.client.HTTPConnection(urlsplit(scene.address).netloc, timeout=60)
    headers = {"X-DIDWW-Signature": "0" * 40, "Content-Type": "application/json"}
    for body in (b"", b"[]", b"{", b"[" * 50_000, b"\xff" * 10, json.dumps([{"type": ["x"]}]).encode()):
        connection.request("POST", "/x", body=body, headers=headers)
        response = connection.getresponse()
        assert response.status in (400, 401)
        assert response.read() in (b"malformed", b"mismatch")
    connection.close()


def test_other_methods_get_405(scene: Scene) -> None:
    """The response lists the allowed methods."""
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        connection = http.client.HTTPConnection(urlsplit(scene.address).netloc, timeout=60)
        connection.request(method, "/")
        assert connection.getresponse().status == 405
        connection.close()
