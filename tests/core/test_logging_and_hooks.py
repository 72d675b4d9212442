"""Logs and hooks of both clients, without secrets."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from didww import ApiConnectionError, AsyncDidwwClient, DidwwClient, RateLimitError, ServerError
from didww._core.retry import table
from didww.exceptions import InvalidValueError
from didww.rate_limit.local import Permit, RateLimiter
from support.scripted_transport import AsyncScripted, Scripted, json_response

KEY = "example-secret-key"
BASE = "https://api.example.com/v3"
BALANCE = {"data": {"type": "balances", "id": "1", "attributes": {}}}


def find(kind: str, *script: Any, **options: Any) -> list[Any]:
    """Find the balance with a client of this kind; answers what its hooks were told."""
    told: list[Any] = []
    options = {"rate_limit": None, "max_retries": 1, **options}
    if kind == "sync":
        hooks = dict.fromkeys(("on_request", "on_response", "on_retry"), told.append)
        client = DidwwClient(KEY, base_url=BASE, transport=Scripted(*script), **hooks, **options)
        client._configuration.jitter = lambda: 0.0
        client.balance().find()
        return told

    async def later(event: Any) -> None:
        await asyncio.sleep(0)
        told.append(event)

    async def main() -> None:
        hooks = dict.fromkeys(("on_request", "on_response", "on_retry"), later)
        client = AsyncDidwwClient(KEY, base_url=BASE, transport=AsyncScripted(*script), **hooks, **options)
        client._configuration.jitter = lambda: 0.0
        await client.balance().find()

    asyncio.run(main())
    return told


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_each_attempt_is_logged_and_sent_to_hooks(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The sequence is request, response, retry, request, response; the log has one line each, without the query."""
    caplog.set_level(logging.DEBUG, "didww")
    told = find(kind, json_response(503), json_response(document=BALANCE))
    assert [type(event).__name__ for event in told] == [
        "RequestStarted",
        "ResponseReceived",
        "RetryScheduled",
        "RequestStarted",
        "ResponseReceived",
    ]
    assert [event.attempt for event in told] == [1, 1, 1, 2, 2]
    lines = [record.getMessage() for record in caplog.records if record.name == "didww"]
    assert lines[0] == f"GET {BASE}/balance: attempt 1"
    assert re.fullmatch(rf"GET {BASE}/balance: 503 in \d\.\d{{3}} s \(attempt 1, request id req-1\)", lines[1])
    assert lines[2] == f"GET {BASE}/balance: retrying in 0.00 s (503)"
    assert KEY not in caplog.text
    assert KEY not in repr(told)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_failures_are_logged_and_sent_to_hooks(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """A line has the error's class; the error is raised after the last attempt with their number."""
    caplog.set_level(logging.INFO, "didww")
    with pytest.raises(ApiConnectionError, match=r"refused \(2 attempts, 0\.\d s\)") as caught:
        find(kind, ApiConnectionError("refused", request_sent=False))
    assert (caught.value.attempts, caught.value.elapsed is not None) == (2, True)
    assert "ApiConnectionError after" in caplog.text
    with pytest.raises(ServerError, match="2 attempts"):
        find(kind, json_response(503))


def test_documented_retry_table_matches_the_code() -> None:
    """docs/explanation/retries.md contains what `table()` prints."""
    page = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "retries.md"
    assert table() in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "20", True, [], object()])
def test_invalid_rate_is_rejected(rate: Any) -> None:
    """`InvalidValueError` names the argument."""
    with pytest.raises(InvalidValueError, match="rate_limit"):
        DidwwClient(KEY, base_url=BASE, rate_limit=rate)


@pytest.mark.parametrize("retries", [-1, 101, 1.5, "2", None, True])
def test_invalid_max_retries_is_rejected(retries: Any) -> None:
    """This applies to the constructor and `with_options`."""
    with pytest.raises(InvalidValueError, match="max_retries"):
        DidwwClient(KEY, base_url=BASE, max_retries=retries)
    with pytest.raises(InvalidValueError, match="max_retries"):
        DidwwClient(KEY, base_url=BASE).with_options(max_retries=retries)


def test_none_as_timeout_is_rejected() -> None:
    """The error suggests the constant that disables the deadline."""
    for call in (lambda t: DidwwClient(KEY, timeout=t), lambda t: DidwwClient(KEY).with_options(timeout=t)):
        with pytest.raises(InvalidValueError, match="NO_TIMEOUT"):
            call(None)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("blocking", [True, False])
def test_custom_limiter_is_used(blocking: bool) -> None:
    """Both clients use it, a blocking one in a thread; a denied permit is requested again, and 429 slows it down."""

    class Mine:
        def __init__(self) -> None:
            self.blocking = blocking
            self.turns = [Permit(0.01, granted=False), Permit(0.0, granted=True), Permit(0.0, granted=True)]
            self.slowed: list[float] = []

        def acquire(self, timeout: float) -> Permit:
            assert 0 < timeout <= 60
            return self.turns.pop(0)

        def slow_down(self, seconds: float) -> None:
            self.slowed.append(seconds)

    for kind in ("sync", "async"):
        mine = Mine()
        find(kind, json_response(429, retry_after="0"), json_response(document=BALANCE), rate_limit=mine)
        assert (mine.turns, mine.slowed) == ([], [0.0])


@pytest.mark.parametrize(
    ("headers", "seconds"), [({}, 1.0), ({"retry_after": "5"}, 5.0), ({"retry_after": "200"}, 60.0)]
)
def test_limiter_pauses_after_too_many_requests(headers: dict[str, str], seconds: float) -> None:
    """As long as the service says, a minute at most, or a second if it does not say how long."""
    slowed: list[float] = []

    class Mine:
        blocking = False

        def acquire(self, _: float) -> Permit:
            return Permit(0.0, granted=True)

        def slow_down(self, seconds: float) -> None:
            slowed.append(seconds)

    with pytest.raises(RateLimitError):
        find("sync", json_response(429, **headers), rate_limit=Mine(), max_retries=0)
    assert slowed == [seconds]


def test_log_has_the_duration_of_a_failed_attempt(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the time of this attempt."""
    now = [100.0]
    monkeypatch.setattr("didww._drivers.sync.time.monotonic", lambda: now[0])

    def fail(_: Any) -> Any:
        now[0] += 1.5
        raise ApiConnectionError("reset")

    with pytest.raises(ApiConnectionError):
        find("sync", fail, max_retries=0)
    assert "ApiConnectionError after 1.500 s (attempt 1)" in caplog.text


def test_threads_get_permits_within_the_rate() -> None:
    """For 32 threads at 200 a second, no tenth of a second has more than allowed."""
    import threading
    import time

    transport = Scripted(json_response(document=BALANCE))
    at: list[float] = []
    client = DidwwClient(
        KEY,
        base_url=BASE,
        transport=transport,
        rate_limit=RateLimiter(200),
        on_request=lambda _: at.append(time.monotonic()),
    )

    def ten() -> None:
        for _ in range(5):
            client.balance().find()

    threads = [threading.Thread(target=ten) for _ in range(32)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(at) == 160
    assert time.monotonic() - begun >= 159 / 200 - 0.01
