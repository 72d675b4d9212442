"""CallbackReceiver.on_batch: one call of the handler for all records of a request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from didww import (
    CallbackReceiver,
    CallEvent,
    CallEventVerifier,
    InboundCdr,
    InvalidValueError,
    MemoryStore,
    OutboundCdr,
)
from didww.callback.response import CallbackResponse

TOKEN = {"X-Auth-Token": "test-token"}


def receiver_with(store: Any = None) -> CallbackReceiver:
    return CallbackReceiver(CallEventVerifier(headers=TOKEN), store=store)


def body(*ids: str, kind: str = "inbound-cdr") -> bytes:
    return b"\n".join(json.dumps({"type": kind, "id": id, "attributes": {}}).encode() for id in ids)


def sync_ask(receiver: CallbackReceiver, content: bytes) -> CallbackResponse:
    return receiver.handle(method="POST", url="/calls", headers=TOKEN, body=content)


def async_ask(receiver: CallbackReceiver, content: bytes) -> CallbackResponse:
    return asyncio.run(receiver.handle_async(method="POST", url="/calls", headers=TOKEN, body=content))


@pytest.fixture(params=[sync_ask, async_ask])
def ask(request: pytest.FixtureRequest) -> Callable[..., CallbackResponse]:
    return request.param


def ids_of(events: list[Any]) -> list[Any]:
    return [event.id for event in events]


@pytest.mark.parametrize("is_async", [False, True])
def test_handler_gets_all_records_of_a_request_once(ask: Any, is_async: bool) -> None:
    """One call per request, in order, without duplicates in the request or of an earlier one."""
    receiver, calls = receiver_with(), []

    def plain(events: list[Any]) -> None:
        calls.append(ids_of(events))

    async def waiting(events: list[Any]) -> None:
        await asyncio.sleep(0)
        calls.append(ids_of(events))

    receiver.on_batch(InboundCdr, OutboundCdr)(waiting if is_async else plain)
    content = body("1", "2", "1") + b"\n" + body("3", kind="outbound-cdr")
    assert ask(receiver, content).status == 200
    assert ask(receiver, body("2", "4")).status == 200
    assert ask(receiver, body("4")).status == 200
    assert calls == [["1", "2", "3"], ["4"]]


def test_batches_and_single_events_share_a_request(ask: Any) -> None:
    """Classes without a batch handler of their own keep the handler for one event."""
    receiver, calls = receiver_with(), []
    receiver.on_batch(InboundCdr)(lambda events: calls.append(ids_of(events)))
    receiver.on(CallEvent)(lambda event: calls.append(event.id))
    content = body("1") + b"\n" + body("2", kind="outbound-cdr") + b"\n" + body("3")
    assert ask(receiver, content).status == 200
    assert calls == [["1", "3"], "2"]


def test_failed_batch_is_retried_as_a_whole(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """If the handler raises, none of its events counts as handled."""
    receiver, calls = receiver_with(), []

    @receiver.on_batch(InboundCdr)
    def fails_once(events: list[InboundCdr]) -> None:
        calls.append(ids_of(events))
        if len(calls) == 1:
            raise RuntimeError

    assert ask(receiver, body("1", "2")) == CallbackResponse(500, "2 of 2 not handled")
    assert "inbound-cdr 1 and 1 more failed" in caplog.text
    assert ask(receiver, body("1", "2", "3")).status == 200
    assert calls == [["1", "2"], ["1", "2", "3"]]


def test_events_in_work_elsewhere_are_left_out(ask: Any) -> None:
    """An event that another worker is handling gets a 500, so that it is sent again; the others are handled."""
    store, calls = MemoryStore(), []
    receiver = receiver_with(store)
    receiver.on_batch(InboundCdr)(lambda events: calls.append(ids_of(events)))
    store.claim("inbound-cdr/2")
    assert ask(receiver, body("1", "2")) == CallbackResponse(500, "1 of 2 not handled")
    assert calls == [["1"]]


def test_interrupted_batch_is_released() -> None:
    """After an interruption all events of the batch can be claimed again."""
    store = MemoryStore()
    receiver = receiver_with(store)

    @receiver.on_batch(InboundCdr)
    def interrupted(events: list[InboundCdr]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync_ask(receiver, body("1", "2"))
    assert [store.claim(f"inbound-cdr/{id}") for id in "12"] == ["mine", "mine"]


def test_interruption_while_recording_records_the_rest() -> None:
    """A handled batch is recorded as a whole, even if the program is interrupted meanwhile."""

    class Interrupted(MemoryStore):
        def done(self, key: str) -> None:
            super().done(key)
            if key.endswith("/1"):
                raise KeyboardInterrupt

    store = Interrupted()
    receiver = receiver_with(store)
    receiver.on_batch(InboundCdr)(lambda events: None)
    with pytest.raises(KeyboardInterrupt):
        sync_ask(receiver, body("1", "2"))
    assert [store.claim(f"inbound-cdr/{id}") for id in "12"] == ["done", "done"]


def test_batch_handler_must_accept_one_argument() -> None:
    """A function without an argument is refused when it is registered."""
    with pytest.raises(InvalidValueError, match="a list of events"):
        receiver_with().on_batch(InboundCdr)(lambda: None)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="on_batch needs at least one"):
        receiver_with().on_batch()
