"""Waiting for what the service does in the background: bad moments on the way, and every end that it can come to."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from didww import AsyncDidwwClient, DidwwClient
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    AuthenticationError,
    InvalidValueError,
    NotFoundError,
    ServerError,
    UnexpectedResponseError,
    WaitError,
)
from support.scripted_transport import AsyncScripted, Scripted, answer

ID = "8d1a3c5e-0000-4000-8000-000000000001"
BASE = "https://api.example.com/v3"


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("didww._drivers.sync.time.monotonic", lambda: clock.now)
    monkeypatch.setattr("didww._drivers.sync.time.sleep", clock.sleep)
    return clock


def record(type: str, status: str, **attributes: Any) -> Any:
    return answer(document={"data": {"type": type, "id": ID, "attributes": {"status": status, **attributes}}})


def order(status: str, **attributes: Any) -> Any:
    return record("orders", status, **attributes)


def client_of(*script: Any, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    options = {"max_retries": 0, "rate_limit": None, **options}
    return DidwwClient("key", base_url=BASE, transport=transport, **options), transport


BAD_MOMENTS = {
    "too many requests": answer(429),
    "busy": answer(503),
    "broken": ApiConnectionError("reset"),
    "nobody there": ApiConnectionError("refused", request_sent=False),
    "late": ApiTimeoutError("late"),
    "a page": answer(body=b"<html></html>"),
}


@pytest.mark.parametrize("moment", BAD_MOMENTS)
def test_a_bad_moment_does_not_end_a_wait(moment: str, clock: Clock) -> None:
    """Once the record was found; whatever it was, the next look counts."""
    bad = BAD_MOMENTS[moment]
    client, transport = client_of(order("pending"), bad, bad, order("pending"), bad, order("completed"))
    assert client.orders().wait(ID).data.status == "completed"
    assert len(transport.requests) == 6


@pytest.mark.parametrize("moment", BAD_MOMENTS)
def test_a_wait_that_cannot_begin_says_so_at_once(moment: str, clock: Clock) -> None:
    """A first look that fails is an error: it may be the address that is wrong."""
    client, transport = client_of(BAD_MOMENTS[moment])
    with pytest.raises((ServerError, ApiConnectionError, UnexpectedResponseError, Exception)):
        client.orders().wait(ID)
    assert len(transport.requests) == 1
    assert clock.slept == []


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (404, NotFoundError)])
def test_what_will_not_pass_ends_a_wait(status: int, error: type[Exception], clock: Clock) -> None:
    """A key that was withdrawn, a record that was removed."""
    client, transport = client_of(order("pending"), answer(status))
    with pytest.raises(error):
        client.orders().wait(ID)
    assert len(transport.requests) == 2


def test_looks_become_rarer(clock: Clock) -> None:
    """From half a second to five; a service that asks for more time gets it; the end is not overslept."""
    client, transport = client_of(
        order("pending"), order("pending"), answer(429, retry_after="9"), *[order("pending")] * 200
    )
    with pytest.raises(ApiTimeoutError, match=rf"Order {ID} is still pending after 60 s.*wait again") as caught:
        client.orders().wait(ID, timeout=60)
    assert clock.slept[:3] == [0.5, 0.75, 9.0]
    assert max(clock.slept[3:]) == 5.0
    assert clock.now == 160.0
    assert caught.value.elapsed == 60
    assert caught.value.phase == "waiting for the record"
    assert 12 < len(transport.requests) < 25


def test_the_last_failure_is_told(clock: Clock) -> None:
    """A wait that ends in the middle of a breakdown says what was last."""
    client, _ = client_of(order("pending"), answer(503))
    with pytest.raises(ApiTimeoutError, match=r"still pending after 5 s.*The last look failed: HTTP 503"):
        client.orders().wait(ID, timeout=5)


def test_updates_are_told_once_each(clock: Clock) -> None:
    """When it is first found, and whenever something of it changed."""
    seen: list[tuple[str, str]] = []
    steps = [order("pending"), order("pending"), order("pending", amount="1.00"), answer(503), order("completed")]
    client, _ = client_of(*steps)
    client.orders().wait(ID, on_update=lambda one: seen.append((str(one.status), str(one.to_dict().get("amount")))))
    assert [status for status, _ in seen] == ["pending", "pending", "completed"]


def test_updates_are_told_to_coroutine_functions() -> None:
    """By an asynchronous client."""

    async def main() -> list[str]:
        told: list[str] = []

        async def update(one: Any) -> None:
            await asyncio.sleep(0)
            told.append(str(one.status))

        transport = AsyncScripted(order("pending"), order("completed"))
        async with AsyncDidwwClient("key", base_url=BASE, transport=transport, rate_limit=None) as other:
            await other.orders().wait(ID, on_update=update)
        return told

    assert asyncio.run(main()) == ["pending", "completed"]


ENDS: dict[str, tuple[str, Any, str, tuple[str, ...]]] = {
    "order": ("orders", order("canceled"), r"is canceled; it will not become completed", ()),
    "address": (
        "address_verifications",
        record(
            "address_verifications",
            "rejected",
            reject_reasons=["Address does not exist", "Unreadable"],
            reject_comment="Page 2",
        ),
        r"is rejected: Address does not exist; Unreadable; Page 2; it will not become approved",
        ("Address does not exist", "Unreadable", "Page 2"),
    ),
    "emergency": (
        "emergency_verifications",
        record("emergency_verifications", "rejected", reject_reasons=None, reject_comment="No such street"),
        r"is rejected: No such street",
        ("No such street",),
    ),
    "service": ("emergency_calling_services", record("emergency_calling_services", "canceled"), "is canceled", ()),
    "stalled service": (
        "emergency_calling_services",
        record("emergency_calling_services", "changes_required"),
        r"is changes_required; it goes on only after somebody has acted",
        (),
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_bad_end_says_why(case: str, clock: Clock) -> None:
    """The error has the record as it was last and the reasons; it survives pickling."""
    accessor, last, message, reasons = ENDS[case]
    client, _ = client_of(record(accessor, "pending"), last)
    with pytest.raises(WaitError, match=message) as caught:
        getattr(client, accessor)().wait(ID)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert error.reasons == reasons
        assert error.resource.id == ID


def test_services_are_waited_for(clock: Clock) -> None:
    """Until active; another state can be asked for, also from where it stalls."""
    kind = "emergency_calling_services"
    client, _ = client_of(record(kind, "new"), record(kind, "in_process"), record(kind, "active"))
    assert client.emergency_calling_services().wait(ID).data.status == "active"
    client, _ = client_of(record(kind, "active"), record(kind, "changes_required"), record(kind, "canceled"))
    assert client.emergency_calling_services().wait(ID, until="canceled").data.status == "canceled"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"until": "complete"}, "until"),
        ({"until": 7}, "until"),
        ({"on_update": "x"}, "on_update"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": None}, "timeout"),
    ],
)
def test_wrong_arguments_are_refused(options: Any, field: str) -> None:
    """By name, before anything is sent."""
    client, transport = client_of(order("pending"))
    with pytest.raises(InvalidValueError, match=field) as caught:
        client.orders().wait(ID, **options)
    assert caught.value.field == field
    assert transport.requests == []
