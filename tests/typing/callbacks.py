"""Receivers as users write them: handlers get the class that they registered for; mistakes are found by checkers.

mypy strict and pyright strict accept every line that is not marked, and refuse every marked one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_type

from didww import (
    AddressVerificationCallback,
    Callback,
    CallbackReceiver,
    CallbackVerifier,
    CallEvent,
    CallEventVerifier,
    ExportCallback,
    InboundCallEvent,
    InboundCdr,
    MemoryStore,
    OrderCallback,
    OutboundCdr,
    SqliteStore,
    UnknownCallback,
    VoiceOutTrunkCallback,
    sign_callback,
)
from didww.cdr import CallSink
from didww.enums import OrderStatus

verifier = CallbackVerifier(secrets=["test-callback-secret"], public_url="https://hooks.example.com/didww")
receiver = CallbackReceiver(verifier, store=SqliteStore("callbacks.sqlite"))
CallbackReceiver(CallEventVerifier(headers={"X-Key": "test-key"}), store=MemoryStore())


@receiver.on(OrderCallback)
def order_is_done(callback: OrderCallback) -> None:
    assert_type(callback.id, str)
    assert_type(callback.status, OrderStatus)
    assert_type(callback.key, str)
    assert_type(callback.to_dict(), dict[str, Any])


assert_type(order_is_done, Callable[[OrderCallback], None])


@receiver.on(AddressVerificationCallback)
async def checked(callback: AddressVerificationCallback) -> int:
    assert_type(callback.reject_reason, str | None)
    assert_type(callback.reject_comment, str | None)
    return 1


@receiver.on(VoiceOutTrunkCallback)
def trunk(callback: VoiceOutTrunkCallback) -> None:
    assert_type(callback.threshold_reached, bool)
    assert_type(callback.created_at, datetime)


@receiver.on(Callback)
def any_other(callback: Callback) -> None:
    if isinstance(callback, UnknownCallback):
        assert_type(callback.id, str | None)


@receiver.on(InboundCdr, OutboundCdr)
def record(cdr: InboundCdr | OutboundCdr) -> None:
    assert_type(cdr.duration, int | None)
    assert_type(cdr.customer_vat, Decimal | None)


@receiver.on_batch(OrderCallback)
def orders(callbacks: list[OrderCallback]) -> None:
    assert_type(callbacks[0].status, OrderStatus)


def into_a_dataset(events: CallbackReceiver, sink: CallSink) -> None:
    events.on_batch(InboundCdr, OutboundCdr)(sink.write)
    sink.attach(events)
    assert_type(sink.flush(), int)


@receiver.on(InboundCallEvent)
def wider(event: CallEvent) -> None:
    assert_type(event.id, str | None)


def responses() -> None:
    request = sign_callback("https://hooks.example.com", {"type": "orders"}, secret="test-callback-secret")
    response = receiver.handle(
        method=request.method, url=request.url, headers=request.headers, body=request.body.encode()
    )
    assert_type(response.status, int)
    receiver.handle(method="GET", url="/", headers=[(b"a", b"b")], body=b"")
    receiver.handle(method="GET", url="/", headers=[("a", "b")], body=b"")
    assert_type(verifier.verify(method="GET", url="/", headers={}, body=b""), list[Callback])


def mistakes() -> None:
    @receiver.on(ExportCallback)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    def other(callback: OrderCallback) -> None:
        callback.to_dict()

    other.__name__
    receiver.on_batch(ExportCallback)(other)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    receiver.on(str)  # type: ignore[type-var] # pyright: ignore[reportCallIssue, reportArgumentType]
    receiver.handle(method="GET", url="/", headers={}, body="text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    CallbackReceiver(verifier, store={})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    CallbackVerifier(["secret"])  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    CallbackVerifier(secrets=["secret"]).verify(body=b"")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    sign_callback("https://hooks.example.com", {}, secret="s", method="PUT")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    OrderCallback(id="1")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
