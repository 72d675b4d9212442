"""Waiting for background work of the service: temporary errors and every outcome."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
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
from support.scripted_transport import AsyncScripted, Scripted, json_response

ID = "8d1a3c5e-0000-4000-8000-000000000001"
BASE = "https://api.example.com/v3"


SLEEP = time.sleep
MONOTONIC = time.monotonic


class Clock:
    """Time that passes only by sleeping. Threads left over from other tests keep the real time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.thread = threading.get_ident()

    def monotonic(self) -> float:
        return self.now if threading.get_ident() == self.thread else MONOTONIC()

    def sleep(self, seconds: float) -> None:
        if threading.get_ident() != self.thread:
            SLEEP(seconds)
            return
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("didww._drivers.sync.time.monotonic", clock.monotonic)
    monkeypatch.setattr("didww._drivers.sync.time.sleep", clock.sleep)
    return clock


def record(type: str, status: str, **attributes: Any) -> Any:
    return json_response(document={"data": {"type": type, "id": ID, "attributes": {"status": status, **attributes}}})


def order(status: str, **attributes: Any) -> Any:
    return record("orders", status, **attributes)


def client_of(*script: Any, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    options = {"max_retries": 0, "rate_limit": None, **options}
    return DidwwClient("key", base_url=BASE, transport=transport, **options), transport


BAD_MOMENTS = {
    "too many requests": json_response(429),
    "busy": json_response(503),
    "broken": ApiConnectionError("reset"),
    "nobody there": ApiConnectionError("refused", request_sent=False),
    "late": ApiTimeoutError("late"),
    "a page": json_response(body=b"<html></html>"),
}


@pytest.mark.parametrize("moment", BAD_MOMENTS)
def test_temporary_error_does_not_end_a_wait(moment: str, clock: Clock) -> None:
    """Once the record was found, any transient error is followed by another poll."""
    bad = BAD_MOMENTS[moment]
    client, transport = client_of(order("pending"), bad, bad, order("pending"), bad, order("completed"))
    assert client.orders().wait(ID).data.status == "completed"
    assert len(transport.requests) == 6
    assert clock.slept == [0.5 * 1.5**step for step in range(5)]


@pytest.mark.parametrize("moment", BAD_MOMENTS)
def test_failed_first_poll_raises_immediately(moment: str, clock: Clock) -> None:
    """The URL may be wrong."""
    client, transport = client_of(BAD_MOMENTS[moment])
    with pytest.raises((ServerError, ApiConnectionError, UnexpectedResponseError, Exception)):
        client.orders().wait(ID)
    assert len(transport.requests) == 1
    assert clock.slept == []


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (404, NotFoundError)])
def test_permanent_error_ends_a_wait(status: int, error: type[Exception], clock: Clock) -> None:
    """Examples are a revoked key and a deleted record."""
    client, transport = client_of(order("pending"), json_response(status))
    with pytest.raises(error):
        client.orders().wait(ID)
    assert len(transport.requests) == 2


def test_polling_interval_grows(clock: Clock) -> None:
    """It grows from half a second to five, respects Retry-After, and does not sleep past the end."""
    client, transport = client_of(
        order("pending"), order("pending"), json_response(429, retry_after="9"), *[order("pending")] * 200
    )
    with pytest.raises(ApiTimeoutError, match=rf"Order {ID} is still pending after 60 s.*wait again") as caught:
        client.orders().wait(ID, timeout=60)
    assert clock.slept[:3] == [0.5, 0.75, 9.0]
    assert max(clock.slept[3:]) == 5.0
    assert clock.now == 160.0
    assert caught.value.elapsed == 60
    assert caught.value.phase == "waiting for the record"
    assert 12 < len(transport.requests) < 25


def test_last_poll_is_at_the_end_of_the_wait(clock: Clock) -> None:
    """The whole timeout is used. The last request may take a second longer; without failures, none is mentioned."""
    client, transport = client_of(order("pending"))
    with pytest.raises(ApiTimeoutError, match=rf"wait again with the id '{ID}'\.$"):
        client.orders().wait(ID, timeout=2)
    assert clock.slept == [0.5, 0.75, 0.75]
    assert len(transport.requests) == 4
    assert transport.deadline == clock.now + 1.0


def test_timeout_error_has_the_last_failure(clock: Clock) -> None:
    """A wait that ends during an outage says what failed last."""
    client, _ = client_of(order("pending"), json_response(503))
    with pytest.raises(ApiTimeoutError, match=r"still pending after 5 s.*The last request failed: HTTP 503"):
        client.orders().wait(ID, timeout=5)


def test_each_update_is_reported_once(clock: Clock) -> None:
    """Updates are the first poll and every later change."""
    seen: list[tuple[str, str]] = []
    steps = [
        order("pending"),
        order("pending"),
        order("pending", amount="1.00"),
        json_response(503),
        order("completed"),
    ]
    client, _ = client_of(*steps)
    client.orders().wait(ID, on_update=lambda one: seen.append((str(one.status), str(one.to_dict().get("amount")))))
    assert [status for status, _ in seen] == ["pending", "pending", "completed"]


def test_updates_are_reported_to_async_functions() -> None:
    """The asynchronous client awaits them."""

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
    "order": ("orders", order("canceled"), r"is canceled; it cannot become completed", ()),
    "address": (
        "address_verifications",
        record(
            "address_verifications",
            "rejected",
            reject_reasons=["Address does not exist", "Unreadable"],
            reject_comment="Page 2",
        ),
        r"is rejected: Address does not exist; Unreadable; Page 2; it cannot become approved",
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
        r"is changes_required; it needs action to continue",
        (),
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_wait_error_has_the_reason(case: str, clock: Clock) -> None:
    """It has the last record and the reasons, and can be pickled."""
    accessor, last, message, reasons = ENDS[case]
    client, _ = client_of(record(accessor, "pending"), last)
    with pytest.raises(WaitError, match=message) as caught:
        getattr(client, accessor)().wait(ID)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert error.reasons == reasons
        assert error.resource.id == ID


def test_waiting_for_emergency_services(clock: Clock) -> None:
    """It ends when they are active; another status can be requested, also after it is blocked."""
    kind = "emergency_calling_services"
    client, _ = client_of(record(kind, "new"), record(kind, "in_process"), record(kind, "active"))
    assert client.emergency_calling_services().wait(ID).data.status == "active"
    client, _ = client_of(record(kind, "active"), record(kind, "changes_required"), record(kind, "canceled"))
    assert client.emergency_calling_services().wait(ID, until="canceled").data.status == "canceled"


def test_wait_for_a_condition_ends_with_the_record(clock: Clock) -> None:
    """A function decides; a final status that it does not accept ends the wait, too."""
    client, _ = client_of(order("pending"), order("canceled"))
    with pytest.raises(WaitError, match="is canceled; it cannot become what until= expects"):
        client.orders().wait(ID, until=lambda one: one.status == "completed")
    client, _ = client_of(order("pending"), order("canceled"))
    assert client.orders().wait(ID, until=lambda one: one.status == "canceled").data.status == "canceled"
    client, _ = client_of(order("canceled"))
    with pytest.raises(WaitError, match="is canceled; it cannot become pending"):
        client.orders().wait(ID, until="pending")


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
def test_invalid_arguments_are_rejected(options: Any, field: str) -> None:
    """The error names the argument before anything is sent."""
    client, transport = client_of(order("pending"))
    with pytest.raises(InvalidValueError, match=field) as caught:
        client.orders().wait(ID, **options)
    assert caught.value.field == field
    assert transport.requests == []


def test_invalid_id_names_the_call() -> None:
    """As in any other operation."""
    client, transport = client_of(order("pending"))
    with pytest.raises(InvalidValueError, match=r"orders\(\)\.wait"):
        client.orders().wait("")
    assert transport.requests == []
