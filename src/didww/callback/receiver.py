"""Verify raw requests, call your handlers and build the response, with any web framework."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, overload

from didww._util.text import printable
from didww.callback.handling import Handler, describe, drive, drive_async, is_async, steps
from didww.callback.incoming import Rejections, normalize_headers, pairs_of, read_before
from didww.callback.response import CallbackResponse
from didww.callback.stores import MemoryStore
from didww.callback.typed import Event
from didww.exceptions import CallbackRejectedError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from didww.callback.asgi import AsgiApp
    from didww.callback.incoming import Headers
    from didww.callback.stores import SeenStore
    from didww.callback.wsgi import WsgiApp

__all__ = ["CallbackReceiver", "Verifier"]

log = logging.getLogger("didww.callback")

K = TypeVar("K", bound=Event)
L = TypeVar("L", bound=Event)
M = TypeVar("M", bound=Event)
R = TypeVar("R")
E_co = TypeVar("E_co", bound=Event, covariant=True)


class Verifier(Protocol[E_co]):
    """Verifies that requests come from DIDWW: `CallbackVerifier`, `CallEventVerifier`.

    Attributes:
        max_bytes: Maximum size of a request body.
        methods: Accepted HTTP methods.
    """

    max_bytes: int
    methods: ClassVar[tuple[str, ...]]

    @property
    def event_type(self) -> type[E_co]:
        """Base class of all events that `verify` returns."""
        ...

    def verify(self, *, method: str, url: str, headers: Headers, body: bytes) -> Sequence[E_co]:
        """Return the events of a request."""
        ...


class CallbackReceiver:
    """Verifies requests, ignores duplicates, and calls your handler for each event.

    The response is 200 if all events were handled, and 500 if a handler raised, so that DIDWW retries the request.
    Events that were handled are not handled again on a retry. Events without a handler are logged and get a 200
    response. Rejected requests are logged, at most ten a minute, followed by a count of the rest.

    Args:
        verifier: Verifies that requests come from DIDWW: a `CallbackVerifier` for callbacks of the API, a
            `CallEventVerifier` for Call Events and CDR Streaming.
        store: Tracks handled events. Defaults to memory; several processes need a shared store.

    Example:
        >>> from didww import CallbackVerifier, OrderCallback
        >>> verifier = CallbackVerifier(secrets=["test-callback-secret"], public_url="https://hooks.example.com/didww")
        >>> receiver = CallbackReceiver(verifier)
        >>> @receiver.on(OrderCallback)
        ... def order_is_done(callback: OrderCallback) -> None:
        ...     print(callback.id, callback.status)
        >>> receiver.handle(method="POST", url="/didww", headers={}, body=b"type=orders")
        CallbackResponse(status=401, body='missing')
    """

    def __init__(self, verifier: Verifier[Event], *, store: SeenStore | None = None) -> None:
        if not hasattr(verifier, "verify"):
            raise InvalidValueError(
                f"verifier must be a CallbackVerifier or a CallEventVerifier, got {type(verifier).__name__}. "
                "Create one with CallbackVerifier(secrets=[...], public_url=...).",
                field="verifier",
            )
        self._verifier = verifier
        self._store: SeenStore = MemoryStore() if store is None else store
        self._handlers: dict[type[Event], Handler] = {}
        self._rejections = Rejections()
        self._at_shutdown: list[Callable[[], object]] = []

    @overload
    def on(self, kind: type[K], /) -> Callable[[Callable[[K], R]], Callable[[K], R]]: ...
    @overload
    def on(self, kind: type[K], other: type[L], /) -> Callable[[Callable[[K | L], R]], Callable[[K | L], R]]: ...
    @overload
    def on(
        self, kind: type[K], other: type[L], third: type[M], /
    ) -> Callable[[Callable[[K | L | M], R]], Callable[[K | L | M], R]]: ...
    @overload
    def on(self, *kinds: type[Event]) -> Callable[[Callable[[Any], R]], Callable[[Any], R]]: ...

    def on(self, *kinds: type[Event]) -> Callable[[Callable[[Any], R]], Callable[[Any], R]]:
        """Register the decorated function as the handler for events of these classes.

        The handler of the most specific class is called; a handler for `Callback` gets all events without one of their
        own. A handler may be `async`. It must finish within 60 seconds, or DIDWW retries the callback; queue longer
        work.

        Raises:
            InvalidValueError: A class already has a handler or is not an event class of this verifier, or the function
                does not take exactly one argument.
        """
        return self._registering("on", kinds, batch=False)

    @overload
    def on_batch(self, kind: type[K], /) -> Callable[[Callable[[list[K]], R]], Callable[[list[K]], R]]: ...
    @overload
    def on_batch(
        self, kind: type[K], other: type[L], /
    ) -> Callable[[Callable[[list[K | L]], R]], Callable[[list[K | L]], R]]: ...
    @overload
    def on_batch(self, *kinds: type[Event]) -> Callable[[Callable[[Any], R]], Callable[[Any], R]]: ...

    def on_batch(self, *kinds: type[Event]) -> Callable[[Callable[[Any], R]], Callable[[Any], R]]:
        """Register the decorated function as the handler for all events of these classes in a request.

        It gets them as a list in one call, without those that were handled before: for a single insert into a database,
        for example. If it raises, none of them counts as handled. Otherwise like `on`.

        Raises:
            InvalidValueError: A class already has a handler or is not an event class of this verifier, or the function
                does not take exactly one argument.

        Example:
            >>> from didww import CallEventVerifier, InboundCdr
            >>> receiver = CallbackReceiver(CallEventVerifier(headers={"X-Auth-Token": "test-token"}))
            >>> @receiver.on_batch(InboundCdr)
            ... def ended(records: list[InboundCdr]) -> None:
            ...     print([record.duration for record in records])
            >>> record = b'{"type": "inbound-cdr", "id": "%d", "attributes": {"duration": %d}}'
            >>> body = b"[%s, %s]" % (record % (1, 42), record % (2, 7))
            >>> receiver.handle(method="POST", url="/calls", headers={"X-Auth-Token": "test-token"}, body=body)
            [42, 7]
            CallbackResponse(status=200, body='ok')
        """
        return self._registering("on_batch", kinds, batch=True)

    def _registering(
        self, method: str, kinds: tuple[type[Event], ...], *, batch: bool
    ) -> Callable[[Callable[[Any], R]], Callable[[Any], R]]:
        """Check the classes, and return a decorator that registers their handler."""
        if not kinds:
            raise InvalidValueError(f"{method} needs at least one event class, e.g. on(OrderCallback).", field="kinds")
        for kind in kinds:
            if not _is_kind(kind):
                raise InvalidValueError(
                    f"{method} needs event classes such as OrderCallback, got {kind!r:.80}.", field="kinds"
                )
            event_type = self._verifier.event_type
            if not issubclass(kind, event_type) and not issubclass(event_type, kind):
                raise InvalidValueError(
                    f"{kind.__name__} never arrives here: {type(self._verifier).__name__} returns only "
                    f"{event_type.__name__} and its subclasses.",
                    field="kinds",
                )
            if kind in self._handlers:
                raise InvalidValueError(f"{kind.__name__} already has a handler.", field="kinds")

        def register(handler: Callable[[Any], R]) -> Callable[[Any], R]:
            if not _takes_one_argument(handler):
                what = "a list of events" if batch else "the event"
                raise InvalidValueError(
                    f"A handler must take {what} as its only argument, got {handler!r:.80}.", field="handler"
                )
            self._handlers.update(dict.fromkeys(kinds, Handler(handler, batch)))
            return handler

        return register

    def handle(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse:
        """Verify a request, run its handlers and return the response.

        Invalid requests get a response too; they do not raise. Each `async` handler runs in a new event loop. If a loop
        is already running, use `handle_async`.

        Args:
            method: HTTP method.
            url: Raw request URL, not decoded or re-encoded. With `public_url`, path and query are enough.
            headers: All request headers.
            body: Raw request body.
        """
        events = self._events(method, url, headers, body)
        if isinstance(events, CallbackResponse):
            return events
        outcomes: list[bool] = []
        for handler, handled in self._with_handlers(events):
            outcomes += drive(steps(self._store, handler, handled))
        return _response_for(outcomes)

    async def handle_async(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse:
        """Verify a request, run its handlers and return the response; synchronous handlers run in a thread."""
        import anyio.to_thread

        events = self._events(method, url, headers, body)
        if isinstance(events, CallbackResponse):
            return events
        outcomes: list[bool] = []
        for handler, handled in self._with_handlers(events):
            run = steps(self._store, handler, handled)
            if is_async(handler.call):
                outcomes += await drive_async(run, in_thread=self._store.blocking)
            else:
                # All steps in one thread: once started they finish and are recorded, even if the request is canceled.
                outcomes += await anyio.to_thread.run_sync(drive, run)
        return _response_for(outcomes)

    def asgi(self, *, read_timeout: float = 10.0) -> AsgiApp:
        """Return an ASGI application to serve or mount.

        Args:
            read_timeout: Seconds within which the whole body must arrive; otherwise the response is 408.
        """
        from didww.callback.asgi import AsgiApp

        return AsgiApp(
            self.handle_async,
            max_bytes=self._verifier.max_bytes,
            read_timeout=read_timeout,
            rejections=self._rejections,
            at_shutdown=self._at_shutdown,
        )

    def served(self) -> AbstractContextManager[str]:
        """Serve this receiver on a free loopback port while a `with` block runs, which gets the address.

        For tests and local development. It needs `pip install "didww-sdk[emulator]"`.

        Example:
            >>> from didww import CallbackVerifier
            >>> receiver = CallbackReceiver(CallbackVerifier(secrets=["test-callback-secret"]))
            >>> with receiver.served() as address:
            ...     print(address.rpartition(":")[0])
            http://127.0.0.1
        """
        from didww._server.asgi_server import served

        return served(self.asgi())

    def wsgi(self) -> WsgiApp:
        """Return a WSGI application to serve or mount. The WSGI server limits how long a body may take."""
        from didww.callback.wsgi import wsgi_app

        return wsgi_app(self.handle, max_bytes=self._verifier.max_bytes, rejections=self._rejections)

    def _events(self, method: str, url: str, headers: Headers, body: bytes) -> Sequence[Event] | CallbackResponse:
        """Return the events of a request, or the response that rejects it."""
        if method.upper() not in self._verifier.methods:
            return CallbackResponse(405, "method not allowed")
        pairs = pairs_of(headers)
        try:
            return self._verifier.verify(method=method, url=url, headers=pairs, body=body)
        except CallbackRejectedError as error:
            text = printable(f"{error}{read_before(normalize_headers(pairs), body)}")
            self._rejections.log(f"A request was rejected ({error.reason}): {text}")
            return CallbackResponse(error.status, error.reason)

    def _with_handlers(self, events: Sequence[Event]) -> list[tuple[Handler, list[Event]]]:
        """Return the calls of handlers to make, in order: each handler with its events."""
        calls: list[tuple[Handler, list[Event]]] = []
        batches: dict[int, list[Event]] = {}  # by the identity of the handler, which may be unhashable
        for event in events:
            handler = next((self._handlers[cls] for cls in type(event).__mro__ if cls in self._handlers), None)
            if handler is None:
                # Only the classes for unknown events have no type name.
                log.log(logging.INFO if event._type_name else logging.WARNING, "No handler for %s.", describe(event))
            elif id(handler) in batches:
                batches[id(handler)].append(event)
            else:
                calls.append((handler, [event]))
                if handler.batch:
                    batches[id(handler)] = calls[-1][1]
        return calls


def _is_kind(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Event)


def _takes_one_argument(handler: Callable[..., object]) -> bool:
    try:
        inspect.signature(handler).bind(None)
    except TypeError:
        return False
    except ValueError:  # no signature available
        pass
    return True


def _response_for(outcomes: list[bool]) -> CallbackResponse:
    failed = outcomes.count(False)
    return CallbackResponse(500, f"{failed} of {len(outcomes)} not handled") if failed else CallbackResponse(200, "ok")
