"""The engine of the emulator: turns requests into responses over a store, without sockets or threads.

It finds the service and the resource; `authentication` and `operations` do the rest. It never raises: internal errors
are logged and become 500 responses.
"""

from __future__ import annotations

import logging
import math
import random
import sqlite3
import threading
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from didww._core.effects import Response
from didww._schema.registry import all_classes, class_of
from didww._util.fork import hold_at_forks
from didww.emulator.behaviors.available_dids import AvailableDids, DidGroups
from didww.emulator.behaviors.base import Behavior
from didww.emulator.controls.clock import Clock, ClockState
from didww.emulator.engine import overrides, prepared
from didww.emulator.engine.accounts import FIRST_BALANCE, Accounts
from didww.emulator.engine.authentication import Authenticator, NoBodyError
from didww.emulator.engine.errors import HttpError, error_body, no_such_path, not_offered
from didww.emulator.engine.operations import MEDIA_TYPE, Operation
from didww.emulator.engine.schema import table_of
from didww.emulator.engine.services import API, TOKEN_PATH, service_of
from didww.emulator.engine.session import AccountSession, Runtime, new_id, run_due
from didww.emulator.engine.store import DISK_FULL_RETRY_DELAY, is_disk_full
from didww.emulator.engine.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from didww._core.effects import Request
    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.services import Service
    from didww.emulator.engine.store import Record

__all__ = ["Engine"]

log = logging.getLogger("didww.emulator")


class _Balances(Behavior):
    """The initial balance of an account."""

    def account_rows(self, session: AccountSession) -> Iterable[Record]:  # noqa: ARG002
        """Return the balance record."""
        return ({"balance": FIRST_BALANCE, "credit": "0.00", "total_balance": FIRST_BALANCE},)


# Built-in behaviors; a behavior registered for the same type replaces them.
_OWN: dict[str, Behavior] = {
    "did_groups": DidGroups(),
    "available_dids": AvailableDids(),
    "balances": _Balances(),
}


class Engine:
    """The emulated DIDWW API.

    Args:
        path: File to keep the state in. Defaults to memory.
        seed: Seed of ids, prices and stock.
        api_key: The only key to accept. Defaults to any key, each with its own account.
        clock: The clock. Defaults to real time.

    Raises:
        ValueError: `path` holds the state of another seed, or of another version of the emulator.

    Example:
        >>> from didww._core.effects import Request
        >>> engine = Engine()
        >>> engine.handle(Request("GET", "http://127.0.0.1/v3/countries", {"Api-Key": "any"})).status
        200
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        seed: int = 0,
        api_key: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        from didww.emulator.behaviors import BEHAVIORS

        self.clock = clock or Clock()
        self._lock = threading.Lock()
        hold_at_forks(self._lock)
        self._closed = False
        self._in_file = path is not None
        self._store = store = prepared.new_store(path, seed, self._lock)
        # Each opening of a file has its own random sequence, so that ids never repeat.
        opened = int(store.get_meta("opened") or 0) + 1
        store.set_meta("opened", str(opened))
        rng = random.Random(f"{seed}/{opened}")  # noqa: S311 nothing secret
        self._runtime = Runtime(
            store,
            self.clock,
            prepared.catalog_of(seed),
            rng,
            {**_OWN, **BEHAVIORS},
        )
        self.seed = seed
        # A separate generator: reads do not change later ids.
        self._request_rng = random.Random(f"{seed}/{opened}/requests")  # noqa: S311 nothing secret
        self.accounts = Accounts(store, api_key)
        self._tokens = Tokens(store)
        self._authenticator = Authenticator(self.accounts, self._tokens, self.clock.now)
        self._wake: Callable[[], None] | None = None
        if clock is not None:
            self._keep_clock()
        elif kept := store.get_meta("clock"):
            self.clock.restore(msgspec.json.decode(kept, type=ClockState))
        self.clock.watch(self._clock_being_set)

    def close(self) -> None:
        """Close the store; later requests get 500 responses."""
        with self._lock:
            self._closed = True
        self._store.close()

    @contextmanager
    def locked(self) -> Generator[Runtime]:
        """Yield the runtime while no request is being handled."""
        with self._lock:
            yield self._runtime

    def replace(self, source: sqlite3.Connection, rng: object, clock: ClockState) -> None:
        """Replace the contents of the store, the random state and the clock."""
        with self._lock:
            self._store.replace(source)
            self.accounts.forget()
            self._tokens.keep()
            self._runtime.rng.setstate(rng)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            self.clock.restore(clock)
            self._keep_clock()
            self._runtime.load()
            run_due(self._runtime)
        self.wake()

    def tick(self) -> float:
        """Run due events; return the clock seconds until the next, infinity if none is scheduled."""
        with self._lock:
            if self._closed:
                return math.inf
            try:
                run_due(self._runtime)
            except sqlite3.OperationalError as error:
                if not is_disk_full(error):
                    raise
                return DISK_FULL_RETRY_DELAY
            due = self._runtime.next_due
            return (datetime.fromisoformat(due) - self.clock.now()).total_seconds() if due else math.inf

    def on_work(self, wake: Callable[[], None]) -> None:
        """Register `wake` to be called when there is background work: callbacks, or a changed clock."""
        self._wake = wake

    def wake(self) -> None:
        """Announce background work."""
        if self._wake is not None:
            self._wake()

    def _keep_clock(self) -> None:
        self._store.set_meta("clock", msgspec.json.encode(self.clock.state()).decode())

    @contextmanager
    def _clock_being_set(self) -> Generator[None]:
        """Hold the lock until the new time is stored, so that nothing runs at a time that could be lost."""
        with self._lock:
            before = self.clock.state()
            yield
            if self._closed:
                return
            try:
                self._keep_clock()
            except sqlite3.Error:
                self.clock.restore(before)
                raise
            run_due(self._runtime)
        if self._runtime.callbacks_queued:
            self.wake()

    def session(self, api_key: str, base: str = "http://127.0.0.1/v3") -> AccountSession:
        """Return the session of the account of a key, for seeding and inspection.

        It does not take the engine's lock: do not use it while other threads handle requests.
        """
        return AccountSession(self._runtime, self.accounts.owner(api_key), base)

    def handle(self, request: Request, *, hold: bool = False) -> Response:
        """Return the response to `request`; never raises.

        Args:
            request: A request to the API.
            hold: Whether the records it creates stay pending until decided manually.
        """
        with self._lock:
            self._runtime.hold = hold
            try:
                response = self._handle_full_disk(request)
            except HttpError as error:
                response = Response(error.status, error.headers, error_body(error.errors))
            except NoBodyError:
                response = Response(401, {"content-type": "text/plain"}, b"")
            except Exception:
                log.exception("emulator: %s failed", request.method)
                response = Response(500, {}, error_body([_FAULT]))
            request_id = new_id(self._request_rng)
        if self._runtime.callbacks_queued:
            self.wake()
        if not isinstance(response, Response):  # long work runs outside the lock
            try:
                response = response()
            except Exception:
                log.exception("emulator: %s failed", request.method)
                response = Response(500, {}, error_body([_FAULT]))
        headers = {"content-type": MEDIA_TYPE, "x-request-id": request_id, **response.headers}
        return msgspec.structs.replace(response, headers=headers)

    def account_of(self, request: Request) -> tuple[str, str]:
        """Return the beginning of the hash of a request's key, empty if none is known, and its API version."""
        return self._authenticator.account_of(request.headers)

    # On a full disk

    def _handle_full_disk(self, request: Request) -> Response | Callable[[], Response]:
        if not self._in_file:
            return self._respond(request)
        rng = self._runtime.rng.getstate()
        try:
            return self._respond(request)
        except sqlite3.OperationalError as error:
            if not is_disk_full(error):
                raise
            message = f"Cannot write the state file ({error}). Nothing was changed. Free disk space and retry."
            if request.method != "GET":
                raise HttpError(507, "Insufficient Storage", message, code="507") from None
            log.warning("emulator: %s Reads still work.", message)
            return self._handle_read_only(request, rng)

    def _handle_read_only(self, request: Request, rng: tuple[Any, ...]) -> Response | Callable[[], Response]:
        """Return the response to a read: due events run for it and are rolled back after it.

        The random state is restored each time, so that the results are always the same.
        """
        self._runtime.rng.setstate(rng)
        try:
            with self._store.trial():
                return self._respond(request)
        finally:
            self.accounts.forget()
            self._runtime.rng.setstate(rng)
            self._runtime.load()

    # Routing

    def _respond(self, request: Request) -> Response | Callable[[], Response]:
        if not request.method.isascii():
            raise not_offered(ascii(request.method), "any path", ())
        base, path, query = _split_url(request.url)
        if path == TOKEN_PATH:
            return self._authenticator.grant(request, new_id(self._request_rng))
        service = service_of(path)
        if service is None:
            raise no_such_path(path or "/", f" The API begins at {base}{API.prefix}.")
        base, below = f"{base}{service.prefix}", path[len(service.prefix) :]
        if service is not API:
            return self._respond_prices(request, service, base, below, query)
        parts = [unquote(part) for part in below.strip("/").split("/")]
        table = _table(parts[0])
        if len(parts) > 1 and parts[-1].endswith(overrides.NO_BODY):
            identity = self._authenticator.check_download(request)
        else:
            without_key = table is not None and table.type in overrides.NO_KEY
            identity = self._authenticator.check_api(request, without_key=without_key)
        runtime = self._runtime
        run_due(runtime)
        path = "/" + "/".join(parts)
        if table is None:
            raise no_such_path(path)
        if not table.view(identity.version).exists:
            raise no_such_path(path, f" It exists {table.cls._versions.in_words()}.")
        session = AccountSession(runtime, identity.owner, base, version=identity.version)
        behavior = runtime.behavior(table.type)
        if len(parts) > 1 and behavior.overrides("serve"):
            served = runtime.run_in_transaction(lambda: behavior.serve(session, request, "/".join(parts[1:])))
            if served is not None:
                return served
        return Response(*Operation(session, table, request, path=path, query=query).run(parts[1:]))

    def _respond_prices(
        self, request: Request, service: Service, base: str, path: str, query: str
    ) -> Response | Callable[[], Response]:
        identity = self._authenticator.check_prices(request, service)
        from didww.emulator.behaviors.prices import serve

        run_due(self._runtime)
        session = AccountSession(self._runtime, identity.owner, base, version=identity.version)
        return serve(session, service.name, request, path, query)


def _table(path: str) -> Table | None:
    """Return the table of the type with this path; None if there is none."""
    # Only a singleton has a path other than its type (balance, of balances). The guess avoids importing every class.
    for type in (path, f"{path}s"):
        cls = class_of(type)
        if cls is not None and cls._path == path:
            break
    else:
        cls = (
            next((candidate for candidate in all_classes() if candidate._path == path), None)
            if path.isidentifier()
            else None
        )
    if cls is None or not (cls._operations or cls._extra_operations):
        return None
    return table_of(cls._type_name)


_FAULT = {
    "title": "Internal Server Error",
    "detail": "Internal Server Error",
    "code": "500",
    "status": "500",
}


def _split_url(url: str) -> tuple[str, str, str]:
    """Return the origin of `url`, its path and its query."""
    # A Python caller can pass a lone surrogate, which no response could carry.
    url = url.encode("utf-8", "replace").decode()
    try:
        split = urlsplit(url)
    except ValueError:
        raise no_such_path("such address") from None
    return f"{split.scheme}://{split.netloc}", split.path, split.query
