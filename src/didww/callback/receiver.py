"""Verify raw requests, call your handlers and build the response, with any web framework.

Each event is processed by a generator of steps, which a synchronous and an asynchronous driver run.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias, TypeVar, cast, overload

from didww._util.text import printable
from didww.callback.incoming import Rejections, normalize_headers, pairs_of, read_before
from didww.callback.response import CallbackResponse
from didww.callback.stores import MemoryStore
from didww.callback.typed import Event
from didww.exceptions import CallbackRejectedError, InvalidValueError

if TYPE_CHECKING:
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


class _Step(NamedTuple):
    """A call for the driver to make: to the store or to the handler.

    Attributes:
        call: Function to call.
        argument: Its only argument.
    """

    call: Callable[[Any], object]
    argument: object


class _Claiming:
    """A claim made in one thread that another thread may give up at the same time; either way it is released.

    Args:
        store: Where to claim.
    """

    def __init__(self, store: SeenStore) -> None:
        self._store = store
        self._lock = Lock()
        self._claimed = self._given_up = False

    def __call__(self, key: str) -> str:
        claim = self._store.claim(key)
        with self._lock:
            self._claimed = claim == "mine"
            abandoned = self._claimed and self._given_up
        if abandoned:
            self._store.release(key)
        return claim

    def give_up(self, key: str) -> None:
        """Release the claim, now or as soon as the other thread has made it."""
        with self._lock:
            self._given_up = True
            claimed = self._claimed
        if claimed:
            self._store.release(key)


class _Once:
    """A function that runs only once, in the first thread that calls it: a second release could end another claim.

    Args:
        call: Function to call.
    """

    def __init__(self, call: Callable[[str], None]) -> None:
        self._call = call
        self._free = Lock()

    def __call__(self, key: str) -> None:
        if self._free.acquire(blocking=False):
            self._call(key)


_Steps: TypeAlias = Generator[_Step, Any, bool]


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
        self._handlers: dict[type[Event], Callable[[Any], object]] = {}
        self._rejections = Rejections()

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
        if not kinds:
            raise InvalidValueError("on needs at least one event class, e.g. on(OrderCallback).", field="kinds")
        for kind in kinds:
            if not _is_kind(kind):
                raise InvalidValueError(
                    f"on needs event classes such as OrderCallback, got {kind!r:.80}.", field="kinds"
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
                raise InvalidValueError(
                    f"A handler must take the event as its only argument, got {handler!r:.80}.", field="handler"
                )
            self._handlers.update(dict.fromkeys(kinds, handler))
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
        return _response_for([_drive(self._steps(handler, event)) for handler, event in self._with_handlers(events)])

    async def handle_async(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse:
        """Verify a request, run its handlers and return the response; synchronous handlers run in a thread."""
        import anyio.to_thread

        events = self._events(method, url, headers, body)
        if isinstance(events, CallbackResponse):
            return events
        outcomes: list[bool] = []
        for handler, event in self._with_handlers(events):
            steps = self._steps(handler, event)
            if _is_async(handler):
                outcomes.append(await _drive_async(steps, in_thread=self._store.blocking))
            else:
                # All steps in one thread: once started they finish and are recorded, even if the request is canceled.
                outcomes.append(await anyio.to_thread.run_sync(_drive, steps))
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

    def _with_handlers(self, events: Sequence[Event]) -> Iterator[tuple[Callable[[Any], object], Event]]:
        """Return the events that have a handler, each with its handler."""
        for event in events:
            handler = next((self._handlers[cls] for cls in type(event).__mro__ if cls in self._handlers), None)
            if handler is not None:
                yield handler, event
                continue
            # Only the classes for unknown events have no type name.
            log.log(logging.INFO if event._type_name else logging.WARNING, "No handler for %s.", _describe(event))

    def _steps(self, handler: Callable[[Any], object], event: Event) -> _Steps:
        """Process an event; the result is whether it was handled, now or before."""
        store, key = self._store, event.key
        claiming = _Claiming(store)
        try:
            claim = yield _Step(claiming, key)
        except Exception:
            log.exception("Could not check whether %s was handled before; DIDWW may retry it.", _describe(event))
            return False
        except BaseException:  # canceled while another thread is claiming
            claiming.give_up(key)
            raise
        if claim != "mine":
            state = "was already handled" if claim == "done" else "is being handled"
            log.info("Ignored a duplicate of %s: it %s.", _describe(event), state)
            return cast("bool", claim == "done")
        handled = False
        try:
            yield _Step(handler, event)
            handled = True
        except Exception:
            log.exception("The handler for %s failed; DIDWW may retry it.", _describe(event))
        except BaseException:  # canceled: no driver is left to run another step
            store.release(key)
            raise
        record = _Once(store.done if handled else store.release)
        try:
            yield _Step(record, key)
        except Exception:
            log.exception("Could not record the result for %s.", _describe(event))
        except BaseException:  # canceled, perhaps before another thread started to record it
            record(key)
            raise
        return handled


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


def _is_async(call: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004 a callable object


def _response_for(outcomes: list[bool]) -> CallbackResponse:
    failed = outcomes.count(False)
    return CallbackResponse(500, f"{failed} of {len(outcomes)} not handled") if failed else CallbackResponse(200, "ok")


def _describe(event: Event) -> str:
    """Return the type, ID and status of an event for the log."""
    fields = event.to_dict()
    parts = [str(fields[name]) for name in ("type", "id", "status") if fields.get(name)]
    return printable(" ".join(part[:80] for part in parts)) or "an event"


def _drive(steps: _Steps) -> bool:
    """Run the steps in order, in this thread."""
    try:
        step = next(steps)
        while True:
            try:
                result = step.call(step.argument)
                if inspect.isawaitable(result):
                    result = _run(result)
            except BaseException as error:  # noqa: BLE001 passed on to the generator
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return cast("bool", end.value)


def _run(awaitable: Awaitable[object]) -> object:
    import asyncio

    async def main() -> object:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    raise InvalidValueError(
        "An async handler cannot run here: an event loop is already running in this thread. Call handle_async, or "
        "serve receiver.asgi().",
        field="handler",
    )


async def _drive_async(steps: _Steps, *, in_thread: bool) -> bool:
    """Run the steps of an async handler in order; steps of a blocking store run in a thread."""
    import anyio.to_thread

    try:
        step = next(steps)
        while True:
            try:
                if in_thread and not _is_async(step.call):
                    result = await anyio.to_thread.run_sync(step.call, step.argument)
                else:
                    result = step.call(step.argument)
                    if inspect.isawaitable(result):
                        result = await result
            except BaseException as error:  # noqa: BLE001 passed on to the generator
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return cast("bool", end.value)
