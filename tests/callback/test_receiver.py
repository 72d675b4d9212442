"""CallbackReceiver: handler selection, sync and async handlers, retries, and rejected requests."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import (
    Callback,
    CallbackReceiver,
    CallbackVerifier,
    CallEvent,
    CallEventVerifier,
    ExportCallback,
    InboundCallEvent,
    InboundCallStart,
    InboundCdr,
    InvalidValueError,
    MemoryStore,
    OrderCallback,
    SqliteStore,
    UnknownCallback,
    VoiceOutTrunkCallback,
    sign_callback,
)
from didww._util.text import Sparing
from didww.callback.response import CallbackResponse
from didww.callback.signature import text_of
from didww.callback.typed import Event
from support.callback_vectors import SECRET
from support.real_time import patient, seconds

URL = "https://hooks.example.test/didww"
ORDER = {"id": "1", "type": "orders", "status": "completed"}


def request(payload: Any = ORDER, *, secret: str = SECRET, method: Any = "POST") -> dict[str, Any]:
    made = sign_callback(URL, payload, secret=secret, method=method)
    return {"method": made.method, "url": made.url, "headers": made.headers, "body": made.body.encode()}


def receiver_with(store: Any = None) -> CallbackReceiver:
    return CallbackReceiver(CallbackVerifier(secrets=[SECRET], public_url=URL), store=store)


Ask = Callable[..., CallbackResponse]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Asks a receiver by either way."""

    def asked(receiver: CallbackReceiver, request_: dict[str, Any]) -> CallbackResponse:
        if request.param == "sync":
            return receiver.handle(**request_)
        return asyncio.run(receiver.handle_async(**request_))

    return asked


@pytest.fixture(params=["plain", "async", "partial", "object"])
def shaped(request: pytest.FixtureRequest) -> Callable[[Callable[[Any], Any]], Any]:
    """Makes a handler of some shape of a function."""

    def shape(function: Callable[[Any], Any]) -> Any:
        async def waiting(event: Any) -> None:
            await asyncio.sleep(0)
            function(event)

        class Object:
            async def __call__(self, event: Any) -> None:
                await waiting(event)

        shapes: dict[str, Any] = {"async": waiting, "partial": functools.partial(waiting), "object": Object()}
        return shapes.get(request.param, function)

    return shape


def test_callback_is_passed_to_its_handler(ask: Ask, shaped: Any) -> None:
    """It is typed, and handled once however often it is delivered."""
    receiver, got = receiver_with(), []
    receiver.on(OrderCallback)(shaped(got.append))
    for _ in range(3):
        assert ask(receiver, request()) == (200, "ok")
    assert [type(one) for one in got] == [OrderCallback]
    for _ in range(2):
        assert ask(receiver, request({**ORDER, "status": "canceled"}, method="GET")).status == 200
    assert [one.status for one in got] == ["completed", "canceled"]


def test_regrouped_replay_is_not_handled_again(ask: Ask) -> None:
    """An attacker replays a callback with regrouped fields or types; the signature still matches."""
    receiver, got = receiver_with(), []
    receiver.on(Callback)(got.append)
    trunk = {
        "id": "1",
        "type": "voice_out_trunks",
        "status": "blocked",
        "threshold_reached": False,
        "created_at": "2026-01-01T00:00:00.000Z",
    }
    captured = request([trunk])
    assert ask(receiver, captured).status == 200

    def again(*changed: dict[str, Any]) -> int:
        objects = [{name: value for name, value in one.items() if value is not ...} for one in changed]
        return ask(receiver, {**captured, "body": json.dumps(objects).encode()}).status

    for change in ({"": ""}, {"threshold_reached": "false"}, {"id": 1}):
        assert again({**trunk, **change}) == 200
    for change in (
        {"threshold_reached": ["false"]},
        {"created_at": [trunk["created_at"]]},
        {"status": "blockedthreshold_reachedfalse", "threshold_reached": ...},
    ):
        assert again({**trunk, **change}) == 400
    for change in ({"threshold_reached": "yes"}, {"created_at": "yesterday"}):
        assert ask(receiver, request([{**trunk, **change}])).status == 400
    assert [one.threshold_reached for one in got] == [False]


def test_regrouped_array_replay_is_not_handled_again(ask: Ask) -> None:
    """The signature covers the concatenated text after the URL, whose path may be anything."""
    receiver = CallbackReceiver(CallbackVerifier(secrets=[SECRET], public_url="https://hooks.example.test"))
    got: list[Any] = []
    receiver.on(Callback)(got.append)
    first, second = (
        {
            "id": f"{number}da18706-be9f-49b0-aeec-0480aacd49ad",
            "type": "voice_out_trunks",
            "status": "blocked",
            "threshold_reached": True,
            "created_at": "2026-11-25T10:00:00.000Z",
        }
        for number in (5, 6)
    )
    captured = request([first, second])
    assert ask(receiver, captured).status == 200
    for cut in range(1, 8):
        tail = first["type"][-cut:]
        rest = {name: value for name, value in second.items() if name != "created_at"}
        moved = [{**first, "type": first["type"][:-cut]}, {"": f"{tail}created_at{second['created_at']}", **rest}]
        assert ask(receiver, {**captured, "body": json.dumps(moved).encode()}).status == 400
    text = "".join(f"{name}{text_of(first[name])}" for name in sorted(first))
    into_path = {**captured, "url": f"{captured['url']}{text}", "body": json.dumps([second]).encode()}
    assert ask(receiver, into_path).status == 200
    assert ask(receiver, request([second])).status == 200  # alone, after it came with others
    assert [one.id[0] for one in got] == ["5", "6"]


@pytest.mark.parametrize("shape", ["function", "partial", "object"])
def test_async_handlers_run_on_the_event_loop_of_the_request(shape: str) -> None:
    """The program's connections and tasks live there; any kind of async callable works."""
    loops: list[Any] = []

    async def waiting(event: Any) -> None:
        loops.append(asyncio.get_running_loop())

    class Object:
        async def __call__(self, event: Any) -> None:
            await waiting(event)

    shapes: dict[str, Any] = {"function": waiting, "partial": functools.partial(waiting), "object": Object()}
    receiver = receiver_with()
    receiver.on(OrderCallback)(shapes[shape])

    async def main() -> bool:
        assert (await receiver.handle_async(**request())).status == 200
        return loops == [asyncio.get_running_loop()]

    assert asyncio.run(main())


def test_most_specific_handler_is_called(ask: Ask) -> None:
    """A handler for all callbacks gets those without their own handler, unknown types included."""
    receiver = receiver_with()
    got: list[tuple[str, Callback]] = []

    @receiver.on(OrderCallback, ExportCallback)
    def known(callback: OrderCallback | ExportCallback) -> None:
        got.append(("known", callback))

    @receiver.on(Callback)
    def other(callback: Callback) -> None:
        got.append(("other", callback))

    for payload in (ORDER, {**ORDER, "type": "exports"}, {**ORDER, "type": "address_verifications"}, {"type": "faxes"}):
        assert ask(receiver, request(payload)).status == 200
    assert [name for name, _ in got] == ["known", "known", "other", "other"]
    assert isinstance(got[-1][1], UnknownCallback)


def test_callback_without_handler_is_accepted_and_logged(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """The 2xx keeps DIDWW from retrying for four days; an unknown type logs a warning."""
    receiver = receiver_with()
    with caplog.at_level(logging.INFO, "didww.callback"):
        assert ask(receiver, request()) == (200, "ok")
        assert ask(receiver, request({"type": "faxes", "id": "7", "note": "secret text"})) == (200, "ok")
    told = [(one.levelname, one.getMessage()) for one in caplog.records if one.name == "didww.callback"]
    assert told == [("INFO", "No handler for orders 1 completed."), ("WARNING", "No handler for faxes 7.")]


def test_failed_handler_is_retried(ask: Ask, shaped: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The 500 triggers another delivery; once handled, the event is not handled again."""
    receiver = receiver_with()
    attempts: list[int] = []

    def failing(callback: Any) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise RuntimeError("database is down")

    receiver.on(OrderCallback)(shaped(failing))
    assert [ask(receiver, request()).status for _ in range(5)] == [500, 500, 200, 200, 200]
    assert len(attempts) == 3
    assert caplog.text.count("The handler for orders 1 completed failed; DIDWW may retry it.") == 2
    assert "database is down" in caplog.text


def test_only_failed_events_of_a_batch_are_retried(ask: Ask) -> None:
    """The other events are handled once and ignored when the batch is delivered again."""
    receiver = receiver_with()
    got: list[str] = []
    broken = {"2"}

    @receiver.on(VoiceOutTrunkCallback)
    def trunk(callback: VoiceOutTrunkCallback) -> None:
        if callback.id in broken:
            raise ValueError(callback.id)
        got.append(callback.id)

    trunks = [
        {
            "id": str(n),
            "type": "voice_out_trunks",
            "status": "blocked",
            "threshold_reached": True,
            "created_at": "2026-01-01T00:00:00.000Z",
        }
        for n in range(4)
    ]
    assert ask(receiver, request(trunks)) == (500, "1 of 4 not handled")
    broken.clear()
    assert ask(receiver, request(trunks)) == (200, "ok")
    assert got == ["0", "1", "3", "2"]


def test_concurrent_duplicates_are_handled_once() -> None:
    """The second gets a status that asks for another delivery while the first is being handled, so nothing is lost."""
    receiver = receiver_with()
    got: list[Any] = []
    inside, go = threading.Event(), threading.Event()

    @receiver.on(OrderCallback)
    def slow(callback: OrderCallback) -> None:
        got.append(callback)
        inside.set()
        go.wait(60)

    responses: list[CallbackResponse] = []
    first = threading.Thread(target=lambda: responses.append(receiver.handle(**request())))
    first.start()
    assert inside.wait(60)
    assert receiver.handle(**request()).status == 500
    go.set()
    first.join()
    assert responses == [(200, "ok")]
    assert receiver.handle(**request()) == (200, "ok")
    assert len(got) == 1


@patient
def test_hundred_concurrent_callbacks_on_an_event_loop() -> None:
    """Each event is handled once, and a slow handler does not block the others."""
    receiver = receiver_with()
    got: list[str] = []

    @receiver.on(OrderCallback)
    async def waits(callback: OrderCallback) -> None:
        await asyncio.sleep(seconds(0.05))
        got.append(callback.id)

    async def run() -> list[CallbackResponse]:
        asked = [request({**ORDER, "id": str(n % 50)}) for n in range(100)]
        return await asyncio.gather(*(receiver.handle_async(**one) for one in asked))

    started = time.monotonic()
    responses = asyncio.run(run())
    assert time.monotonic() - started < seconds(2)
    assert sorted(got, key=int) == [str(n) for n in range(50)]
    assert {one.status for one in responses} <= {200, 500}
    assert [one.status for one in responses].count(200) >= 50


@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.parametrize("plain", [False, True])
@patient
def test_canceled_callback_is_not_lost(kind: str, plain: bool, tmp_path: Path) -> None:
    """A canceled async handler runs again; a sync one, whose thread continues, is finished and remembered."""
    receiver = receiver_with(MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "seen"))
    begun: list[int] = []
    ended: list[int] = []

    async def waits(callback: OrderCallback) -> None:
        begun.append(1)
        await asyncio.sleep(seconds(0.2))
        ended.append(1)

    def sleeps(callback: OrderCallback) -> None:
        begun.append(1)
        time.sleep(seconds(0.2))
        ended.append(1)

    receiver.on(OrderCallback)(sleeps if plain else waits)

    async def run() -> CallbackResponse:
        task = asyncio.create_task(receiver.handle_async(**request()))
        while not begun:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(seconds(0.4))
        return await receiver.handle_async(**request())

    assert asyncio.run(run()) == (200, "ok")
    assert len(ended) == 1
    assert len(begun) == (1 if plain else 2)
    if kind == "file":
        receiver._store.close()  # type: ignore[attr-defined]


class SlowStore(MemoryStore):
    """One that responses from a thread, after a while."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.slow = ""
        self.at: list[str] = []

    def _step(self, name: str) -> None:
        self.at.append(name)
        if name == self.slow:
            time.sleep(seconds(0.2))

    def claim(self, key: str) -> Any:
        self._step("claim")
        return super().claim(key)

    def done(self, key: str) -> None:
        self._step("done")
        super().done(key)

    def release(self, key: str) -> None:
        self._step("release")
        super().release(key)


@pytest.mark.parametrize("at", ["claim", "done", "release"])
@patient
def test_callback_canceled_during_a_store_call_is_not_lost(at: str) -> None:
    """It is either unclaimed or remembered: the next delivery is handled or recognized as done."""
    store = SlowStore()
    store.slow = at
    receiver = CallbackReceiver(CallbackVerifier(secrets=[SECRET]), store=store)
    handled: list[int] = []

    @receiver.on(OrderCallback)
    async def handle(callback: OrderCallback) -> None:
        await asyncio.sleep(0)
        if at == "release" and not handled:
            handled.append(0)
            raise RuntimeError("not yet")
        handled.append(1)

    async def run() -> CallbackResponse:
        task = asyncio.create_task(receiver.handle_async(**request()))
        while at not in store.at:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(seconds(0.4))
        store.slow = ""
        return await receiver.handle_async(**request())

    assert asyncio.run(run()) == (200, "ok")
    assert handled.count(1) == 1
    assert store.at.count("release") == (0 if at == "done" else 1)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interrupted_callback_is_not_lost(error: type[BaseException]) -> None:
    """Ctrl-C propagates, and the event is free again."""
    receiver = receiver_with()
    errors = [error]

    @receiver.on(OrderCallback)
    def interrupted(callback: OrderCallback) -> None:
        if errors:
            raise errors.pop()

    with pytest.raises(error):
        receiver.handle(**request())
    assert receiver.handle(**request()) == (200, "ok")


class Broken:
    """A store that fails at one of its methods."""

    def __init__(self, at: str) -> None:
        self.blocking = True
        self._at = at

    def claim(self, key: str) -> Any:
        return self._do("claim")

    def done(self, key: str) -> None:
        self._do("done")

    def release(self, key: str) -> None:
        self._do("release")

    def _do(self, name: str) -> str:
        if name == self._at:
            raise OSError("disk is full")
        return "mine"


@pytest.mark.parametrize(("at", "status", "runs"), [("claim", 500, 0), ("done", 200, 1), ("release", 200, 1)])
@pytest.mark.parametrize("is_async", [False, True])
def test_store_failures(at: str, status: int, runs: int, is_async: bool, ask: Ask, caplog: Any) -> None:
    """If it fails before the handler, the sender must retry; if it fails afterwards, the work is done."""
    receiver, got = receiver_with(Broken(at)), []

    async def waits(callback: OrderCallback) -> None:
        got.append(callback)

    receiver.on(OrderCallback)(waits if is_async else got.append)
    assert ask(receiver, request()).status == status
    assert len(got) == runs
    assert ("disk is full" in caplog.text) == (at != "release")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"headers": {}}, (401, "missing")),
        ({"body": b"id=2&type=orders&status=completed"}, (401, "mismatch")),
        ({"body": b"x" * (1 << 20) + b"x"}, (413, "too_large")),
        ({"body": b"\xff"}, (400, "malformed")),
        ({"method": "DELETE"}, (405, "method not allowed")),
        ({"method": "HEAD"}, (405, "method not allowed")),
    ],
)
def test_rejected_request_gets_a_response(
    change: Any, expected: Any, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """The response has the reason, no handler runs, and the log says why."""
    receiver = receiver_with()
    receiver.on(Callback)(lambda callback: pytest.fail("handled"))
    assert ask(receiver, {**request(), **change}) == expected
    assert ("rejected" in caplog.text) == (expected[0] != 405)


def test_rejected_requests_are_rate_limited_in_the_log(
    ask: Ask, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    """There are ten lines a minute for all kinds of rejections; the next line counts those left out."""
    now = [1000.0]
    monkeypatch.setattr("didww.callback.incoming.Sparing", functools.partial(Sparing, clock=lambda: now[0]))
    receiver = receiver_with()
    for number in range(50):
        ask(receiver, {**request(), "headers": {}} if number % 2 else {**request(), "body": b"id=2&type=orders"})
    assert len(caplog.messages) == 10
    now[0] += 60
    ask(receiver, {**request(), "headers": {}})
    (line,) = caplog.messages[10:]
    assert line.endswith("The request has no X-DIDWW-Signature header. 40 more were rejected since the last line.")


def test_call_events_are_received_too(ask: Ask) -> None:
    """Batches are handled once each, by class and by direction."""
    receiver = CallbackReceiver(CallEventVerifier(headers={"X-Key": "test-key"}))
    got: list[str] = []

    @receiver.on(InboundCallEvent)
    def inbound(event: InboundCallEvent) -> None:
        got.append(f"{event.type} {event.id}")

    @receiver.on(InboundCallStart)
    async def started(event: InboundCallStart) -> None:
        got.append(f"start {event.id}")

    kinds = ("incoming-call-start-event", "incoming-call-end-event", "inbound-cdr")
    body = "\n".join(json.dumps({"type": kind, "id": "1", "attributes": {}}) for kind in kinds).encode()
    sent = {"method": "POST", "url": "/calls", "headers": {"X-Key": "test-key"}, "body": body}
    assert [ask(receiver, sent) for _ in range(2)] == [(200, "ok"), (200, "ok")]
    assert got == ["start 1", "incoming-call-end-event 1"]
    assert ask(receiver, {**sent, "headers": {}}) == (401, "missing")
    receiver.on(CallEvent)(lambda event: got.append("record"))
    assert ask(receiver, sent) == (200, "ok")
    assert got[-1] == "record"


@pytest.mark.parametrize("kinds", [(), (str,), ("orders",), (None,)])
def test_handler_for_an_unknown_class_is_rejected(kinds: Any) -> None:
    """It raises when the program starts, not when the first callback arrives."""
    with pytest.raises(InvalidValueError, match=r"on needs .*event class"):
        receiver_with().on(*kinds)


def test_handler_for_an_impossible_type_is_rejected() -> None:
    """It would wait forever; a handler for all events is valid."""
    with pytest.raises(
        InvalidValueError, match=r"InboundCdr never arrives here: CallbackVerifier returns only Callback"
    ):
        receiver_with().on(InboundCdr)
    with pytest.raises(InvalidValueError, match=r"OrderCallback never arrives here"):
        CallbackReceiver(CallEventVerifier(unprotected=True)).on(InboundCdr, OrderCallback)
    receiver_with().on(Event)(print)


def test_handler_must_accept_one_argument() -> None:
    """The error is raised when the program starts."""
    for wrong in (lambda: None, lambda one, two: (one, two)):
        with pytest.raises(InvalidValueError, match=r"must take the event as its only argument") as caught:
            receiver_with().on(OrderCallback)(wrong)  # type: ignore[arg-type, misc]
        assert caught.value.field == "handler"
    for right in (lambda *all: all, lambda one, two=2: (one, two), print, str, [].append):
        receiver_with().on(OrderCallback)(right)


def test_text_body_is_rejected(ask: Ask) -> None:
    """The error names the argument instead of failing on a string attribute."""
    with pytest.raises(
        InvalidValueError, match=r"body must be the raw request body, got str\. For text, pass body\.encode\(\)"
    ):
        ask(receiver_with(), {**request(), "body": "id=1"})


def test_second_handler_for_a_type_is_rejected() -> None:
    """One of them would run twice when the other fails."""
    receiver = receiver_with()
    receiver.on(OrderCallback)(print)
    with pytest.raises(InvalidValueError, match="OrderCallback already has a handler"):
        receiver.on(ExportCallback, OrderCallback)


def test_sync_call_of_async_handler_inside_a_loop_raises(caplog: pytest.LogCaptureFixture) -> None:
    """Without await in a running loop, the error says what to do, and nothing is lost."""
    receiver = receiver_with()
    got: list[Any] = []

    @receiver.on(OrderCallback)
    async def waits(callback: OrderCallback) -> None:
        got.append(callback)

    async def wrongly() -> CallbackResponse:
        return receiver.handle(**request())

    assert asyncio.run(wrongly()).status == 500
    assert "Call handle_async" in caplog.text
    assert receiver.handle(**request()) == (200, "ok")
    assert len(got) == 1


def test_receiver_works_under_trio() -> None:
    """Any event loop is supported."""
    import trio

    receiver = receiver_with()
    got: list[Any] = []

    @receiver.on(OrderCallback)
    async def waits(callback: OrderCallback) -> None:
        await trio.sleep(0)
        got.append(callback)

    receiver.on(ExportCallback)(got.append)

    async def run() -> list[CallbackResponse]:
        return [await receiver.handle_async(**request(one)) for one in (ORDER, {**ORDER, "type": "exports"}, ORDER)]

    assert trio.run(run) == [(200, "ok")] * 3
    assert len(got) == 2


@given(
    method=st.sampled_from(["GET", "POST", "post", "PUT", ""]),
    url=st.text(max_size=40).map(lambda text: f"/{text}"),
    headers=st.lists(
        st.tuples(st.sampled_from(["X-DIDWW-Signature", "content-type", "a"]), st.text(max_size=50)), max_size=4
    ),
    body=st.binary(max_size=100),
)
def test_any_request_gets_a_response(method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> None:
    """This holds for arbitrary input."""
    receiver = receiver_with()
    receiver.on(Callback)(lambda callback: pytest.fail("handled"))
    assert receiver.handle(method=method, url=url, headers=headers, body=body).status in (400, 401, 405)


def test_handler_decorator_returns_the_function() -> None:
    """The decorated function is unchanged."""
    receiver = receiver_with()

    def handler(callback: OrderCallback) -> str:
        return callback.id

    decorated: Callable[[OrderCallback], str] | Callable[[OrderCallback], Awaitable[str]] = receiver.on(OrderCallback)(
        handler
    )
    assert decorated is handler


@pytest.mark.parametrize(
    "payload", [{"type": "orders\x1b[2J", "id": "\u202e1"}, [{"type": "x\r\nCRITICAL y", "id": None}]]
)
def test_control_characters_are_escaped_in_the_log(ask: Ask, payload: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Control and bidirectional characters of callbacks are escaped, accepted or rejected."""
    for secret, changed in ((SECRET, payload), ("another", payload), (SECRET, [{**dict(ORDER), "\u2066\n": "1"}])):
        sent = request(changed, secret=secret)
        ask(receiver_with(), sent)
        ask(receiver_with(), {**sent, "url": f"/\x1b[2J\u202e\n?{sent['url']}"})
        ask(receiver_with(), {**sent, "body": sent["body"].replace(b'"1"', b"[1]"), "method": "\x1bPOST"})
    assert caplog.messages
    assert all(line.isprintable() for line in caplog.messages)


READ_BEFORE = "code that ran before the receiver has already read"


def test_already_read_body_is_explained_in_the_log(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """One log line says that a middleware has read the body and left none for the receiver."""
    receiver, sent = receiver_with(), request()
    length = str(len(sent["body"]))
    for headers in (
        {**sent["headers"], "Content-Length": length},
        [*sent["headers"].items(), (b"content-length", b"9")],
    ):
        caplog.clear()
        assert ask(receiver, {**sent, "headers": iter(list(dict(headers).items())), "body": b""}).status == 400
        (line,) = caplog.messages
        assert READ_BEFORE in line
    caplog.clear()
    assert ask(receiver, {**sent, "headers": {**sent["headers"], "Content-Length": "0"}, "body": b""}).status == 400
    assert READ_BEFORE not in caplog.text


def test_already_read_wsgi_body_is_detected(caplog: pytest.LogCaptureFixture) -> None:
    """The stream is at its end, but Content-Length says more."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": "30",
        "wsgi.input": io.BytesIO(),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
    }
    began: list[str] = []
    assert receiver_with().wsgi()(environ, lambda status, _: began.append(status)) == [b"malformed"]
    assert began == ["400 Bad Request"]
    (line,) = caplog.messages
    assert "0 of 30 bytes" in line
    assert "Code that ran before the receiver has already read the body" in line


def test_already_read_asgi_body_is_detected(caplog: pytest.LogCaptureFixture) -> None:
    """The server has nothing more to send, so the application would wait in vain."""
    sent: list[Any] = []

    async def nothing() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"30")]}
    asyncio.run(receiver_with().asgi(read_timeout=0.05)(scope, nothing, send))
    assert sent[0]["status"] == 408
    (line,) = caplog.messages
    assert READ_BEFORE in line
