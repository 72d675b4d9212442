"""The in-process emulator: clients without a socket, and controls for seeding and inspecting state."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import msgspec

from didww.emulator.controls.balance import Balance
from didww.emulator.controls.call_events import CallEvents
from didww.emulator.controls.callbacks import DEFAULT_SECRET, Callbacks
from didww.emulator.controls.calls import Calls
from didww.emulator.controls.clock import Clock, http_date, stamp
from didww.emulator.controls.faults import Faults, apply_fault, get_disturbance, get_fault_response
from didww.emulator.controls.journal import Journal
from didww.emulator.controls.messages import Messages
from didww.emulator.controls.prices import Prices
from didww.emulator.controls.sender_ids import SenderIds
from didww.emulator.controls.sip import Sip
from didww.emulator.controls.state import State
from didww.emulator.controls.stock import Stock
from didww.emulator.controls.transitions import Transitions
from didww.emulator.engine.accounts import Features, Versions
from didww.emulator.engine.engine import Engine
from didww.emulator.engine.rate_limit import RateLimit, too_many_requests
from didww.emulator.engine.services import path_of
from didww.emulator.http.headers import add_validators
from didww.emulator.worker import Worker
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from didww._core.effects import Request, Response
    from didww.async_client import AsyncDidwwClient
    from didww.client import DidwwClient
    from didww.transport.inprocess import Disturbance

__all__ = ["Emulator"]

BASE_URL = "http://emulator.example.com/v3"
KEY = "local-key"


class Emulator:
    """An emulator of the DIDWW API in this process, of versions 2026-04-16 and 2026-11-19 at once.

    Args:
        path: File to keep the state in. Defaults to memory.
        seed: Seed of ids, prices, stock and calls; the same seed gives the same catalog.
        api_key: The only key to accept. Defaults to any key, each with its own account of 10,000 USD.
        clock: The clock. Defaults to real time.
        callback_secret: Signing secret of callbacks.
        rate_limit: Requests per second and account before a 429 response. Defaults to no limit.
        callback_hosts: Hosts besides loopback addresses that may receive callbacks; `"*"` allows any.
        sip_hosts: Hosts besides loopback addresses that may be called over SIP; `"*"` allows any.

    Attributes:
        clock: `advance("30 days")`, `freeze()`, `run()`; advancing runs due events.
        transitions: When and how orders, exports and verifications complete; manual approval and rejection.
        faults: Fault injection rules.
        journal: Recorded requests and responses, `assert_called`.
        callbacks: Deliveries, replay, invalid signatures.
        state: Reset, snapshots, seed data.
        balance: Account balances and VAT.
        features: Features enabled for an account, such as emergency calling.
        versions: Default API version of an account.
        stock: Numbers available to buy.
        prices: Price plans of an account.
        calls: Inbound and outbound calls.
        call_events: Call Events and CDR Streaming.
        messages: Inbound and outbound text messages.
        sender_ids: Sender ID verifications.
        sip: Registrations of phones, and which hosts are called.
        engine: The engine that handles requests.

    Example:
        >>> emulator = Emulator()
        >>> emulator.client().countries().one(filter={"iso": "GB"}).name
        'United Kingdom'
        >>> emulator.journal.assert_called("GET", "/countries", query={"filter[iso]": "GB"})[0].status
        200
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        seed: int = 0,
        api_key: str | None = None,
        clock: Clock | None = None,
        callback_secret: str = DEFAULT_SECRET,
        rate_limit: int | None = None,
        callback_hosts: Iterable[str] = (),
        sip_hosts: Iterable[str] = (),
    ) -> None:
        if api_key is not None and not api_key.strip():
            raise InvalidValueError(
                "api_key must be a key, or None to accept any key, got an empty string.", field="api_key"
            )
        self.engine = Engine(path=path, seed=seed, api_key=api_key, clock=clock)
        self.clock = self.engine.clock
        self.key = api_key or KEY
        self.transitions = Transitions(self.engine)
        self.faults = Faults(self.engine, seed)
        self.journal = Journal()
        self.callbacks = Callbacks(self.engine, callback_secret, self.faults.for_callback, callback_hosts)
        self.balance = Balance(self.engine, self.key)
        self.features = Features(self.engine, self.key)
        self.versions = Versions(self.engine, self.key)
        self.stock = Stock(self.engine, self.key)
        self.prices = Prices(self.engine, self.key)
        self.sip = Sip(self.engine, sip_hosts)
        self.calls = Calls(self.engine, self.key, self.sip)
        self.call_events = CallEvents(self.engine, self.key, lambda: self.callbacks.hosts)
        self.messages = Messages(self.engine, self.key)
        self.sender_ids = SenderIds(self.engine, self.key)
        self.state = State(self.engine, self._forget, self.key)
        # Several workers, so that a slow receiver does not delay the others.
        self._workers = workers = (
            Worker("didww-emulator-events", self.engine.tick),
            Worker("didww-emulator-callbacks", self.callbacks.work),
            Worker("didww-emulator-call-events", self.call_events.work),
        )

        def wake() -> None:
            for worker in workers:
                worker.wake()

        self.engine.on_work(wake)
        self._rate_limit = RateLimit(rate_limit)

    def client(self, api_key: str | None = None, **options: Any) -> DidwwClient:
        """Return a client of this emulator, of either API version.

        Args:
            api_key: Key of the account, which is created on first use.
            options: Further arguments of `DidwwClient`, such as `api_version`; `rate_limit` defaults to None here.
        """
        from didww.client import DidwwClient
        from didww.transport.inprocess import InProcessTransport

        key = self._client_options(api_key, options)
        return DidwwClient(key, base_url=BASE_URL, transport=InProcessTransport(self.exchange), **options)

    def async_client(self, api_key: str | None = None, **options: Any) -> AsyncDidwwClient:
        """Return an asynchronous client of this emulator, of either API version.

        Args:
            api_key: Key of the account, which is created on first use.
            options: Further arguments of `AsyncDidwwClient`, such as `api_version`; `rate_limit` defaults to None here.
        """
        from didww.async_client import AsyncDidwwClient
        from didww.transport.inprocess import AsyncInProcessTransport

        key = self._client_options(api_key, options)
        return AsyncDidwwClient(key, base_url=BASE_URL, transport=AsyncInProcessTransport(self.exchange), **options)

    def _client_options(self, api_key: str | None, options: dict[str, Any]) -> str | None:
        """Set the defaults of a client of this emulator, and return its key: None with other credentials."""
        options.setdefault("rate_limit", None)
        options.setdefault("allow_insecure", True)  # nothing leaves the process
        return api_key if api_key or "credentials" in options else self.key

    def exchange(self, request: Request) -> tuple[Response, Disturbance | None]:
        """Return the response to a request, and the network disturbance to apply to it."""
        started = time.perf_counter()
        key, version = self.engine.account_of(request)
        fault, disturbance = None, None
        if self._rate_limit.exceeded(key):
            response = too_many_requests(path_of(request.url), version)
        elif (fault := self.faults.for_request(request)) is None:
            response = _handled(self.engine.handle, request, started)
        else:
            handle = partial(self.engine.handle, hold=fault.hold)
            response = get_fault_response(fault, path_of(request.url), version) or apply_fault(
                fault, _handled(handle, request, started)
            )
            disturbance = get_disturbance(fault)
        now = self.clock.now()
        response = msgspec.structs.replace(response, headers={"date": http_date(now), **response.headers})
        self.journal.record(
            request,
            response,
            at=stamp(now),
            key=key,
            version=version,
            ms=round((time.perf_counter() - started) * 1000, 2),
            fault=None if fault is None else fault.id,
        )
        return response, disturbance

    def serve_always(self) -> None:
        """Run due events in the background, also without requests."""
        self.engine.wake()

    def close(self) -> None:
        """Hang up the calls, store their records, and close the store."""
        self.calls._hang_up_all()
        self.sip.close()
        self.calls._close()
        self.callbacks.close()
        self.call_events.close()
        for worker in self._workers:
            worker.close()
        self.engine.close()
        self.state.close()

    def __repr__(self) -> str:
        return f"Emulator(key={self.key!r}, clock={stamp(self.clock.now())!r})"

    def _forget(self) -> None:
        self.faults.reset()
        self.journal.clear()
        self.callbacks.reset()
        self.call_events.reset()
        self.calls._forget()
        self._rate_limit.reset()
        self.sip._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _handled(handle: Callable[[Request], Response], request: Request, started: float) -> Response:
    # The transports drop the body of a HEAD response.
    get_request = msgspec.structs.replace(request, method="GET") if request.method == "HEAD" else request
    return add_validators(request, handle(get_request), time.perf_counter() - started)
