"""A service with a clock of its own and a service that fails as it is told: what calls are run against."""

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
    "null": lambda made: None,
    "empty": lambda made: [],
    "list": lambda made: [made],
    "type": lambda made: {**made, "type": "dids"},
    "untyped": lambda made: {name: value for name, value in made.items() if name != "type"},
    "no id": lambda made: {**made, "id": ""},
    "no reference": lambda made: {**made, "attributes": {**made["attributes"], "external_reference_id": None}},
    "other": lambda made: {**made, "id": "id-other", "attributes": {"external_reference_id": "of somebody else"}},
}
"""What may come in place of the record that was created."""


class AttemptResult(NamedTuple):
    """What becomes of one attempt.

    Attributes:
        seconds: How long it takes.
        how: answered, lost (carried out, no response), late (carried out later, no response), unsent, interrupted (carried
            out, and Ctrl-C while the response is awaited), one of `ODD` (carried out, and answered with something else),
            or a status.
        retry_after: Seconds that a response asks to wait, or the text that it says instead.
    """

    seconds: float = 0.1
    how: str | int = "answered"
    retry_after: int | str | None = None


class Ended:
    """A call that was started, and has come to its end at once."""

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
    """A clock, and a service that keeps what is posted to it."""

    def __init__(self, *results: AttemptResult, now: float = 1000.0) -> None:
        self.results = list(results)
        self.now = now
        self.sent: list[tuple[float, Request]] = []
        self.slept: list[float] = []
        self.told: list[Any] = []
        self.records: list[dict[str, Any]] = []
        self.coming: list[tuple[float, dict[str, Any]]] = []

    def run(self, call: Call[Any]) -> Any:
        """Run `call` to its next page or its end, without waiting for real."""
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

    def walk(self, call: Any, cursor: Any) -> Iterator[Any]:
        """The records of an iteration."""
        while isinstance(page := self.run(call), Page):
            for place, record in page.records:
                cursor.advance(page.number, place, record)
                yield record

    def carry_out(self, effect: Any) -> Any:
        """The outcome of one effect."""
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
            self.told.append(effect.event)
            return None
        if isinstance(effect, Start):  # one after the other, each from where the clock stands
            return Ended(self, effect.call)
        if isinstance(effect, Join):
            return cast("Ended", effect.started).join()
        assert isinstance(effect, Send)
        return self.exchange(effect.request, effect.deadline)

    def exchange(self, request: Request, deadline: float) -> Response:
        """What the transport would do."""
        self.sent.append((self.now, request))
        result = self.results.pop(0) if self.results else AttemptResult()
        if self.now + result.seconds >= deadline:
            begun, self.now = self.now, deadline
            sent = result.how != "unsent"
            if sent and result.how in ("answered", "lost", "late"):
                self.coming.append((begun + result.seconds, self._made(request)))
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
            answer = self.serve(request)
            data = ODD[str(result.how)](self.records[-1]) if request.method == "POST" else None
            return self._answer(201, data) if request.method == "POST" else answer
        if result.how == "late":
            self.coming.append((self.now + 1.0, self._made(request)))
            raise ApiConnectionError("lost", request_sent=True)
        if isinstance(result.how, int):
            headers = {} if result.retry_after is None else {"retry-after": str(result.retry_after)}
            return Response(result.how, headers, b"")
        return self.serve(request)

    def serve(self, request: Request) -> Response:
        """Carry a request out."""
        self.arrive()
        if request.method == "POST":
            made = self._made(request)
            if made:
                self.records.append(made)
            return self._answer(201, made)
        query = parse_qs(urlsplit(request.url).query)
        wanted = {name[7:-1]: values[0] for name, values in query.items() if name.startswith("filter[")}
        found = [
            one for one in self.records if all(one["attributes"].get(name) == value for name, value in wanted.items())
        ]
        return self._answer(200, found[::-1])

    def arrive(self) -> None:
        """What was on its way and is due, is there now."""
        due = [made for at, made in self.coming if at <= self.now and made]
        self.coming = [one for one in self.coming if one[0] > self.now]
        self.records += due

    def settle(self) -> list[dict[str, Any]]:
        """All records, once everything that is on its way has come."""
        self.now += 10_000
        self.arrive()
        return self.records

    def _made(self, request: Request) -> dict[str, Any]:
        if request.method != "POST" or not isinstance(request.body, bytes):
            return {}
        data = json.loads(request.body)["data"]
        created = START + timedelta(seconds=self.now)
        attributes = {**data["attributes"], "created_at": created.isoformat(), "status": "pending"}
        linked = data.get("relationships", {})
        return {"type": data["type"], "id": f"id-{len(self.sent)}", "attributes": attributes, "relationships": linked}

    def _answer(self, status: int, data: Any) -> Response:
        date = format_datetime(START + timedelta(seconds=int(self.now)), usegmt=True)
        return Response(status, {"date": date}, json.dumps({"data": data}).encode())
