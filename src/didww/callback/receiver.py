"""A receiver: from a raw request to your handlers and to the response, the same behind every framework.

What is done for an event is a generator of steps, run by one small driver for plain code and one for event loops.
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
    """What tells requests of DIDWW from others: `CallbackVerifier`, `CallEventVerifier`.

    Attributes:
        max_bytes: The largest body that is read.
        methods: HTTP methods that are taken.
    """

    max_bytes: int
    methods: ClassVar[tuple[str, ...]]

    @property
    def event_type(self) -> type[E_co]:
        """The class of all its events."""
        ...

    def verify(self, *, method: str, url: str, headers: Headers, body: bytes) -> Sequence[E_co]:
        """The events of a request."""
        ...


class _Step(NamedTuple):
    """Something to be done outside: a call of the store, or of the handler.

    Attributes:
        call: What to call.
        argument: With what.
    """

    call: Callable[[Any], object]
    argument: object


class _Claiming:
    """A claim that is made in one thread, and may be given up in another meanwhile: then nobody holds it.

    Args:
        store: Where it is made.
    """

    def __init__(self, store: SeenStore) -> None:
        self._store = store
        self._lock = Lock()
        self._made = self._given_up = False

    def __call__(self, key: str) -> str:
        claim = self._store.claim(key)
        with self._lock:
            self._made = claim == "mine"
            unwanted = self._made and self._given_up
        if unwanted:
            self._store.release(key)
        return claim

    def give_up(self, key: str) -> None:
        """Release what was claimed; if it was not yet, whoever claims it will."""
        with self._lock:
            self._given_up = True
            made = self._made
        if made:
            self._store.release(key)


class _Once:
    """A call that is made once, by whichever thread comes first: a second release would end somebody else's claim.

    Args:
        call: What to call.
    """

    def __init__(self, call: Callable[[str], None]) -> None:
        self._call = call
        self._free = Lock()

    def __call__(self, key: str) -> None:
        if self._free.acquire(blocking=False):
            self._call(key)


_Steps: TypeAlias = Generator[_Step, Any, bool]


class CallbackReceiver:
    """Verifies requests, drops what came before, and hands each event to your handler for its class.

    The response is 200 when everything was handled, and 500 when a handler raised, so that DIDWW sends it again;
    what was handled is not handled again then. Events without a handler are logged and get a 200 response. Of requests
    that are rejected, ten a minute are logged, and the number of the others.

    Args:
        verifier: Tells DIDWW from others: a `CallbackVerifier` for callbacks of the API, a `CallEventVerifier` for Call
            Events and CDR Streaming.
        store: Tracks duplicates. Defaults to memory; several processes need a store that they share.

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
                "Make one: CallbackVerifier(secrets=[...], public_url=...).",
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
        """A decorator: the function handles events of these classes.

        The handler of the nearest class is called: one for `Callback` gets what has none of its own. A handler may be
        `async`. It has 60 seconds, or DIDWW sends the callback again; put longer work into a queue.

        Raises:
            InvalidValueError: There is a handler for that class already, it is no class of this verifier's events, or
                the function does not take one argument.
        """
        if not kinds:
            raise InvalidValueError("on takes the classes of events to handle, e.g. on(OrderCallback).", field="kinds")
        for kind in kinds:
            if not _is_kind(kind):
                raise InvalidValueError(f"on takes classes such as OrderCallback, not {kind!r:.80}.", field="kinds")
            event_type = self._verifier.event_type
            if not issubclass(kind, event_type) and not issubclass(event_type, kind):
                raise InvalidValueError(
                    f"{kind.__name__} never arrives here: {type(self._verifier).__name__} returns "
                    f"{event_type.__name__} and its subclasses.",
                    field="kinds",
                )
            if kind in self._handlers:
                raise InvalidValueError(f"There is a handler for {kind.__name__} already.", field="kinds")

        def register(handler: Callable[[Any], R]) -> Callable[[Any], R]:
            if not _takes_one(handler):
                raise InvalidValueError(
                    f"A handler takes the event as its one argument; {handler!r:.80} does not.", field="handler"
                )
            self._handlers.update(dict.fromkeys(kinds, handler))
            return handler

        return register

    def handle(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse:
        """The response to a request, after its handlers have run. Whatever a stranger sends, there is one.

        Handlers that are `async` run in an event loop made for each; where one runs already, use `handle_async`.

        Args:
            method: HTTP method.
            url: The address as it arrived, neither decoded nor encoded anew; its path and query will do with
                `public_url`.
            headers: All headers.
            body: The bytes of the body.
        """
        events = self._events(method, url, headers, body)
        if isinstance(events, CallbackResponse):
            return events
        return _response_for([_drive(self._handled(handler, event)) for handler, event in self._told(events)])

    async def handle_async(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse:
        """Like `handle`, on an event loop; handlers that are not `async` run in a thread."""
        import anyio.to_thread

        events = self._events(method, url, headers, body)
        if isinstance(events, CallbackResponse):
            return events
        outcomes: list[bool] = []
        for handler, event in self._told(events):
            steps = self._handled(handler, event)
            if _is_async(handler):
                outcomes.append(await _drive_async(steps, in_thread=self._store.blocking))
            else:
                # All of it in one thread: once begun, it is done and remembered, whoever cancels the request.
                outcomes.append(await anyio.to_thread.run_sync(_drive, steps))
        return _response_for(outcomes)

    def asgi(self, *, read_timeout: float = 10.0) -> AsgiApp:
        """This receiver as an ASGI application, to be served or mounted.

        Args:
            read_timeout: Seconds in which the body has to be there; the response is 408 if it is not.
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
        from didww._util.asgi_server import served

        return served(self.asgi())

    def wsgi(self) -> WsgiApp:
        """This receiver as a WSGI application, to be served or mounted; how long a body may take, its server says."""
        from didww.callback.wsgi import wsgi_app

        return wsgi_app(self.handle, max_bytes=self._verifier.max_bytes, rejections=self._rejections)

    def _events(self, method: str, url: str, headers: Headers, body: bytes) -> Sequence[Event] | CallbackResponse:
        """The events of a request, or the response to a request that is none of DIDWW's."""
        if method.upper() not in self._verifier.methods:
            return CallbackResponse(405, "method not allowed")
        pairs = pairs_of(headers)
        try:
            return self._verifier.verify(method=method, url=url, headers=pairs, body=body)
        except CallbackRejectedError as error:
            why = printable(f"{error}{read_before(normalize_headers(pairs), body)}")
            self._rejections.log(f"A request was rejected ({error.reason}): {why}")
            return CallbackResponse(error.status, error.reason)

    def _told(self, events: Sequence[Event]) -> Iterator[tuple[Callable[[Any], object], Event]]:
        """The events that somebody wants, with their handlers."""
        for event in events:
            handler = next((self._handlers[cls] for cls in type(event).__mro__ if cls in self._handlers), None)
            if handler is not None:
                yield handler, event
                continue
            # A class without a type is one for what nobody knows.
            log.log(logging.INFO if event._type_name else logging.WARNING, "No handler for %s.", _shown(event))

    def _handled(self, handler: Callable[[Any], object], event: Event) -> _Steps:
        """Whether an event was handled, now or before."""
        store, key = self._store, event.key
        claiming = _Claiming(store)
        try:
            claim = yield _Step(claiming, key)
        except Exception:
            log.exception("Whether %s was handled before is not known; it may come again.", _shown(event))
            return False
        except BaseException:  # stopped while another thread asks
            claiming.give_up(key)
            raise
        if claim != "mine":
            log.info("%s came again; it %s.", _shown(event), "was handled" if claim == "done" else "is being handled")
            return cast("bool", claim == "done")
        outcome = False
        try:
            yield _Step(handler, event)
            outcome = True
        except Exception:
            log.exception("The handler of %s failed; it may come again.", _shown(event))
        except BaseException:  # stopped in the middle: nobody is left to take a step
            store.release(key)
            raise
        note = _Once(store.done if outcome else store.release)
        try:
            yield _Step(note, key)
        except Exception:
            log.exception("What became of %s could not be remembered.", _shown(event))
        except BaseException:  # stopped, perhaps before another thread began with it
            note(key)
            raise
        return outcome


def _is_kind(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Event)


def _takes_one(handler: Callable[..., object]) -> bool:
    try:
        inspect.signature(handler).bind(None)
    except TypeError:
        return False
    except ValueError:  # it does not tell
        pass
    return True


def _is_async(call: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004 its code


def _response_for(outcomes: list[bool]) -> CallbackResponse:
    failed = outcomes.count(False)
    return CallbackResponse(500, f"{failed} of {len(outcomes)} not handled") if failed else CallbackResponse(200, "ok")


def _shown(event: Event) -> str:
    """An event for the log: its type, id and status, and no more of it."""
    told = event.to_dict()
    parts = [str(told[name]) for name in ("type", "id", "status") if told.get(name)]
    return printable(" ".join(part[:80] for part in parts)) or "an event"


def _drive(steps: _Steps) -> bool:
    """Take the steps one after the other, here."""
    try:
        step = next(steps)
        while True:
            try:
                result = step.call(step.argument)
                if inspect.isawaitable(result):
                    result = _run(result)
            except BaseException as error:  # noqa: BLE001 it goes on in the generator
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return cast("bool", end.value)


def _run(waiting: Awaitable[object]) -> object:
    import asyncio

    async def awaited() -> object:
        return await waiting

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(awaited())
    if inspect.iscoroutine(waiting):
        waiting.close()
    raise InvalidValueError(
        "A handler is async and an event loop runs in this thread: call handle_async, or serve receiver.asgi().",
        field="handler",
    )


async def _drive_async(steps: _Steps, *, in_thread: bool) -> bool:
    """Take the steps of an async handler one after the other; those of the store in a thread if they may take long."""
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
            except BaseException as error:  # noqa: BLE001 it goes on in the generator
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return cast("bool", end.value)
