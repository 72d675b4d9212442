"""A fake service with its own clock and scripted failures."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qs, urlsplit

from didww._core.effects import Acquire, Join, Notify, Now, Request, Response, Send, Sleep, SlowDown, Start
from didww._core.pagination import Page
from didww.exceptions import ApiConnectionError, ApiTimeoutError, DidwwError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww._core.effects import Call

BASE = "https://api.example.com/v3"
START = datetime(2026, 3, 15, 12, tzinfo=UTC)


ODD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "null": lambda record: None,
    "empty": lambda record: [],
    "list": lambda record: [record],
    "type": lambda record: {**record, "type": "dids"},
    "untyped": lambda record: {name: value for name, value in record.items() if name != "type"},
    "no id": lambda record: {**record, "id": ""},
    "no reference": lambda record: {**record, "attributes": {**record["attributes"], "external_reference_id": None}},
    "other": lambda record: {**record, "id": "id-other", "attributes": {"external_reference_id": "of somebody else"}},
}
"""Unexpected data in place of the created record."""


class AttemptResult(NamedTuple):
    """The outcome of one attempt.

    Attributes:
        seconds: How long it takes.
        how: responded, lost (processed, no response), late (processed later, no response), unsent, interrupted (processed,
            and Ctrl-C while waiting for the response), one of `ODD` (processed, with an unexpected response),
            or a status.
        retry_after: The Retry-After value of the response, in seconds or as text.
    """

    seconds: float = 0.1
    how: str | int = "responded"
    retry_after: int | str | None = None


class FinishedCall:
    """A call that was started and has finished immediately."""

    def __init__(self, service: FakeService, call: Call[Any]) -> None:
        self.failure: Exception | None = None
        try:
            self.outcome = service.run(call)
        except DidwwError as error:
            self.failure = error

    def join(self) -> Any:
        if self.failure is not None:
            raise self.failure
        return self.outcome


class FakeService:
    """A clock, and a service that stores what is posted to it."""

    def __init__(self, *results: AttemptResult, now: float = 1000.0) -> None:
        self.results = list(results)
        self.now = now
        self.sent: list[tuple[float, Request]] = []
        self.slept: list[float] = []
        self.events: list[Any] = []
        self.records: list[dict[str, Any]] = []
        self.delayed: list[tuple[float, dict[str, Any]]] = []

    def run(self, call: Call[Any]) -> Any:
        """Run `call` to its next page or its end, without really waiting."""
        outcome: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration as stop:
                return stop.value
            if isinstance(effect, Page):
                return effect
            try:
                outcome, failure = self.carry_out(effect), None
            except (DidwwError, KeyboardInterrupt) as error:
                outcome, failure = None, error

    def iterate(self, call: Any, cursor: Any) -> Iterator[Any]:
        """Yield the records of an iteration."""
        while isinstance(page := self.run(call), Page):
            for place, record in page.records:
                cursor.advance(page.number, place, record)
                yield record

    def carry_out(self, effect: Any) -> Any:
        """Perform one effect and return its result."""
        if isinstance(effect, Now):
            return self.now
        if isinstance(effect, Sleep):
            assert effect.seconds >= 0
            self.slept.append(effect.seconds)
            self.now += effect.seconds
            return None
        if isinstance(effect, Acquire):
            return effect.limiter.acquire(effect.timeout)
        if isinstance(effect, SlowDown):
            effect.limiter.slow_down(effect.seconds)
            return None
        if isinstance(effect, Notify):
            self.events.append(effect.event)
            return None
        if isinstance(effect, Start):  # one after the other, each from where the clock stands
            return FinishedCall(self, effect.call)
        if isinstance(effect, Join):
            return cast("FinishedCall", effect.started).join()
        assert isinstance(effect, Send)
        return self.exchange(effect.request, effect.deadline)

    def exchange(self, request: Request, deadline: float) -> Response:
        """Send a request the way a transport would."""
        self.sent.append((self.now, request))
        result = self.results.pop(0) if self.results else AttemptResult()
        if self.now + result.seconds >= deadline:
            begun, self.now = self.now, deadline
            sent = result.how != "unsent"
            if sent and result.how in ("responded", "lost", "late"):
                self.delayed.append((begun + result.seconds, self._record(request)))
            raise ApiTimeoutError("late", request_sent=sent)
        self.now += result.seconds
        if result.how == "unsent":
            raise ApiConnectionError("refused", request_sent=False)
        if result.how == "lost":
            self.serve(request)
            raise ApiConnectionError("lost", request_sent=True)
        if result.how == "interrupted":
            self.serve(request)
            raise KeyboardInterrupt
        if result.how in ODD:
            response = self.serve(request)
            data = ODD[str(result.how)](self.records[-1]) if request.method == "POST" else None
            return self._response(201, data) if request.method == "POST" else response
        if result.how == "late":
            self.delayed.append((self.now + 1.0, self._record(request)))
            raise ApiConnectionError("lost", request_sent=True)
        if isinstance(result.how, int):
            headers = {} if result.retry_after is None else {"retry-after": str(result.retry_after)}
            return Response(result.how, headers, b"")
        return self.serve(request)

    def serve(self, request: Request) -> Response:
        """Process a request."""
        self.arrive()
        if request.method == "POST":
            record = self._record(request)
            if record:
                self.records.append(record)
            return self._response(201, record)
        query = parse_qs(urlsplit(request.url).query)
        wanted = {name[7:-1]: values[0] for name, values in query.items() if name.startswith("filter[")}
        matches = [
            record
            for record in self.records
            if all(record["attributes"].get(name) == value for name, value in wanted.items())
        ]
        return self._response(200, matches[::-1])

    def arrive(self) -> None:
        """Store the delayed records that are due."""
        due = [record for at, record in self.delayed if at <= self.now and record]
        self.delayed = [(at, record) for at, record in self.delayed if at > self.now]
        self.records += due

    def settle(self) -> list[dict[str, Any]]:
        """Return all records after every delayed one has arrived."""
        self.now += 10_000
        self.arrive()
        return self.records

    def _record(self, request: Request) -> dict[str, Any]:
        if request.method != "POST" or not isinstance(request.body, bytes):
            return {}
        data = json.loads(request.body)["data"]
        created = START + timedelta(seconds=self.now)
        attributes = {**data["attributes"], "created_at": created.isoformat(), "status": "pending"}
        linked = data.get("relationships", {})
        return {"type": data["type"], "id": f"id-{len(self.sent)}", "attributes": attributes, "relationships": linked}

    def _response(self, status: int, data: Any) -> Response:
        date = format_datetime(START + timedelta(seconds=int(self.now)), usegmt=True)
        return Response(status, {"date": date}, json.dumps({"data": data}).encode())
