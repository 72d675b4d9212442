"""Call Events and CDR Streaming: where an account's events and call records are sent, and what came of it.

As in the service, both are set up for inbound and outbound calls separately, are protected by a password or headers
and are not signed. Events are sent at once, one object a request, and not again. Call records are sent in batches when
the call has ended, and again after 3 seconds until they are accepted.
"""

from __future__ import annotations

import gzip
import math
import sqlite3
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Mapping  # noqa: TC003 the control API reads the annotations
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import msgspec

from didww._util.masking import mask_url
from didww.emulator.controls.call_streams import Direction, Kind
from didww.emulator.controls.clock import stamp
from didww.emulator.controls.sending import host_of, is_allowed, send_request
from didww.emulator.engine.store import DISK_FULL_RETRY_DELAY, is_disk_full

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.store import Store

__all__ = ["CallDelivery", "CallEvents", "CallStream", "get_stream"]

MAX_BATCH: Final = 1000
PAUSE: Final = 3.0
"""Seconds until call records are sent again."""
MAX_SHOWN: Final = 500
_MAX_WAIT: Final = 600.0
_USER_AGENT: Final = "CDR-streamer"
_CONTENT_TYPES: Final[dict[str, str]] = {"events": "application/vnd.api+json", "cdrs": "text/plain"}


class CallStream(msgspec.Struct, frozen=True):
    """Where events or call records are sent. Passwords and values of headers are not shown.

    Attributes:
        direction: Of inbound or outbound calls.
        kind: `events` or `cdrs`.
        url: Address that receives them.
        gzip: Whether bodies are compressed.
        username: User name of Basic authentication, or empty.
        headers: Names of further headers.
        queued: How many objects wait to be sent.
        lost: How many call records of the account were lost because too many waited.
    """

    direction: Direction
    kind: Kind
    url: str
    gzip: bool
    username: str
    headers: list[str]
    queued: int
    lost: int


class CallDelivery(msgspec.Struct, frozen=True):
    """A request with events or call records.

    Attributes:
        id: Sequential number.
        at: Time by the emulator's clock.
        direction: Of inbound or outbound calls.
        kind: `events` or `cdrs`.
        url: Where it was sent.
        types: Types of its objects, without repetitions.
        count: Number of its objects.
        state: delivered, failed (events, which are not sent again), waiting (call records), refused (not a loopback
            address).
        status: Status of the response, or None.
        error: Error message, or None.
    """

    id: int
    at: str
    direction: Direction
    kind: Kind
    url: str
    types: list[str]
    count: int
    state: Literal["delivered", "failed", "waiting", "refused"]
    status: int | None
    error: str | None


class _Stream(msgspec.Struct, frozen=True):
    """A stored stream, with its secrets."""

    url: str
    gzip: bool = False
    username: str = ""
    password: str = ""
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"_Stream({mask_url(self.url)!r}, ...)"


class CallEvents:
    """Call Events and CDR Streaming: `emulator.call_events`.

    Args:
        engine: The engine.
        default_key: The default account.
        get_hosts: Returns the hosts besides loopback addresses that may be called: those of callbacks.
    """

    def __init__(self, engine: Engine, default_key: str, get_hosts: Callable[[], frozenset[str]]) -> None:
        self._engine = engine
        self._default_key = default_key
        self._get_hosts = get_hosts
        self._sending = threading.Lock()
        self._log: deque[CallDelivery] = deque(maxlen=MAX_SHOWN)
        self._count = 0
        self._closed = False

    def set(
        self,
        kind: Literal["events", "cdrs"],
        url: str,
        *,
        direction: Literal["inbound", "outbound", "both"] = "both",
        gzip: bool = False,
        username: str = "",
        password: str = "",
        headers: Mapping[str, str] | None = None,
        api_key: str | None = None,
    ) -> list[CallStream]:
        """Send events or call records to a URL from now on; an empty URL ends it.

        Args:
            kind: `events` for Call Events, `cdrs` for CDR Streaming.
            url: The URL, http or https.
            direction: Of which calls.
            gzip: Whether to compress bodies.
            username: User name of Basic authentication.
            password: Its password.
            headers: Further headers, such as `{"X-Auth-Token": "..."}`.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: An argument is invalid.
        """
        directions = _directions(direction)
        if kind not in get_args(Kind):
            raise ValueError(f"kind must be 'events' or 'cdrs', got {kind!r:.40}.")
        if url and (not url.lower().startswith(("http://", "https://")) or not host_of(url)):
            raise ValueError("url must be an address such as http://127.0.0.1:8000/calls, or empty.")
        stream = _Stream(url, bool(gzip), username, password, _check_headers(headers or {}, username, password))
        with self._engine.locked() as runtime:
            session = self._engine.session(api_key or self._default_key)
            for one in directions:
                stored = msgspec.json.encode(stream).decode() if url else ""
                runtime.store.set_meta(_meta(session.owner, one, kind), stored)
                if not url:
                    runtime.store.connection.execute(
                        "DELETE FROM streamed WHERE owner = ? AND direction = ? AND kind = ?",
                        (session.owner, one, kind),
                    )
        return self.show(api_key=api_key)

    def show(self, *, api_key: str | None = None) -> list[CallStream]:
        """Return where events and call records are sent, without secrets.

        Args:
            api_key: Key of the account. Defaults to the emulator's own.
        """
        shown: list[CallStream] = []
        with self._engine.locked() as runtime:
            owner = self._engine.session(api_key or self._default_key).owner
            for direction in get_args(Direction):
                for kind in get_args(Kind):
                    stream = get_stream(runtime.store, owner, direction, kind)
                    if stream is None:
                        continue
                    queued = runtime.store.connection.execute(
                        "SELECT count(*) FROM streamed WHERE owner = ? AND direction = ? AND kind = ?",
                        (owner, direction, kind),
                    ).fetchone()[0]
                    lost = int(runtime.store.get_meta(f"streamed_lost/{owner}") or 0) if kind == "cdrs" else 0
                    shown.append(
                        CallStream(
                            direction,
                            kind,
                            mask_url(stream.url),
                            stream.gzip,
                            stream.username,
                            sorted(stream.headers),
                            queued,
                            lost,
                        )
                    )
        return shown

    def deliveries(self, *, kind: Literal["events", "cdrs"] | None = None) -> list[CallDelivery]:
        """Return the last 500 requests, newest first.

        Args:
            kind: Only those with events, or with call records.
        """
        return [one for one in reversed(list(self._log)) if kind in (None, one.kind)]

    def settle(self, timeout: float = 10.0) -> list[CallDelivery]:
        """Wait until nothing is due; return the last 500 requests, newest first.

        Args:
            timeout: Real seconds to wait, up to 600.

        Raises:
            TimeoutError: Something is still due, or the emulator was closed.
        """
        end = time.monotonic() + min(timeout, _MAX_WAIT)
        while not self._closed:
            try:
                with self._engine.locked() as runtime:
                    due = _next_due(runtime.store, stamp(runtime.clock.now()))
            except sqlite3.ProgrammingError:  # closed meanwhile
                break
            if due is None and not self._sending.locked():
                return self.deliveries()
            if time.monotonic() > end:
                raise TimeoutError(f"Events or call records are still due after {timeout:g} s.")
            if not self.send_due():
                time.sleep(0.01)
        raise TimeoutError("The emulator was closed.")

    # For the emulator

    def reset(self) -> None:
        """Forget the requests."""
        self._log.clear()

    def close(self) -> None:
        """Stop sending."""
        self._closed = True

    def work(self) -> float:
        """Send what is due; return the clock seconds until the next, infinity if there is none."""
        try:
            self.send_due()
        except sqlite3.OperationalError as error:
            if not is_disk_full(error):
                raise
            return DISK_FULL_RETRY_DELAY
        with self._engine.locked() as runtime:
            first = runtime.store.connection.execute("SELECT min(next_at) FROM streamed").fetchone()[0]
            if first is None:
                return math.inf
            return max(0.0, (datetime.fromisoformat(first) - runtime.clock.now()).total_seconds())

    def send_due(self) -> bool:
        """Send all that is due; return False if another thread is doing so."""
        if not self._sending.acquire(blocking=False):
            return False
        try:
            while not self._closed:
                with self._engine.locked() as runtime:
                    now = stamp(runtime.clock.now())
                    due = _next_due(runtime.store, now)
                    if due is None:
                        return True
                    owner, direction, kind = due
                    stream = get_stream(runtime.store, owner, direction, kind)
                    rows = runtime.store.connection.execute(
                        "SELECT id, body FROM streamed WHERE owner = ? AND direction = ? AND kind = ? AND next_at <= ?"
                        " ORDER BY id LIMIT ?",
                        (owner, direction, kind, now, MAX_BATCH if kind == "cdrs" else 1),
                    ).fetchall()
                    if kind == "events" or stream is None:  # not sent again, whatever comes of it
                        _delete(runtime.store, rows)
                if stream is not None:
                    self._send(stream, direction, kind, rows, now)
            return True
        finally:
            self._sending.release()

    def _send(self, stream: _Stream, direction: Direction, kind: Kind, rows: list[tuple[int, str]], now: str) -> None:
        host = host_of(stream.url)
        if is_allowed(host, self._get_hosts()):
            headers, content = _request(stream, kind, [body for _, body in rows])
            attempt = send_request("POST", stream.url, headers, content, at=now, highest=299)
            status, error = attempt.status, attempt.error
            refused = False
        else:
            status, refused = None, True
            error = (
                f"{host} is not a loopback address; allow it with --callback-host or emulator.callbacks.allow({host!r})"
            )
        if kind == "cdrs":
            with self._engine.locked() as runtime:
                if error is None or refused:
                    runtime.run_in_transaction(lambda: _delete(runtime.store, rows))
                else:
                    again = stamp(runtime.clock.now() + timedelta(seconds=PAUSE))
                    runtime.run_in_transaction(lambda: _postpone(runtime.store, rows, again))
        state: Any = "delivered" if error is None else "refused" if refused else _STATES_OF_FAILURE[kind]
        types = sorted({str(msgspec.json.decode(body)["type"]) for _, body in rows})
        self._count += 1
        url = mask_url(stream.url)
        self._log.append(CallDelivery(self._count, now, direction, kind, url, types, len(rows), state, status, error))


_STATES_OF_FAILURE: Final = {"events": "failed", "cdrs": "waiting"}


def get_stream(store: Store, owner: int, direction: Direction, kind: Kind) -> _Stream | None:
    """Return a stream of an account; None if it has none."""
    stored = store.get_meta(_meta(owner, direction, kind))
    return msgspec.json.decode(stored, type=_Stream) if stored else None


def _meta(owner: int, direction: str, kind: str) -> str:
    return f"call_events/{owner}/{direction}/{kind}"


def _directions(direction: str) -> tuple[Direction, ...]:
    known: tuple[Direction, ...] = get_args(Direction)
    if direction == "both":
        return known
    if direction not in known:
        raise ValueError(f"direction must be 'inbound', 'outbound' or 'both', got {direction!r:.40}.")
    return tuple(one for one in known if one == direction)


def _check_headers(headers: Mapping[Any, Any], username: Any, password: Any) -> dict[str, str]:
    """Return the headers; names and values that cannot be sent are an error that does not show them."""
    if not all(isinstance(text, str) for text in (username, password, *headers, *headers.values())):
        raise ValueError("headers, username and password must be text.")
    if ":" in username or _has_control(username + password):
        raise ValueError("username must have no colon, and neither it nor password control characters.")
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError("headers must have names of letters, digits and hyphens.")
        if not value.isascii() or _has_control(value):
            raise ValueError(f"headers: the value of {name} must be ASCII without control characters.")
    return dict(headers)


def _has_control(text: str) -> bool:
    return any(ord(char) < 32 or ord(char) == 127 for char in text)


def _request(stream: _Stream, kind: Kind, bodies: list[str]) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a request: one object, or one a line."""
    headers = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Content-Type": _CONTENT_TYPES[kind], **stream.headers}
    if stream.username or stream.password:
        credentials = b64encode(f"{stream.username}:{stream.password}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    content = "\n".join(bodies).encode() + (b"\n" if kind == "cdrs" else b"")
    if stream.gzip:
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, 1)
    return headers, content


def _next_due(store: Store, now: str) -> tuple[int, Direction, Kind] | None:
    row: tuple[int, Direction, Kind] | None = store.connection.execute(
        "SELECT owner, direction, kind FROM streamed WHERE next_at <= ? ORDER BY next_at, id LIMIT 1", (now,)
    ).fetchone()
    return row


def _delete(store: Store, rows: list[tuple[int, str]]) -> None:
    store.connection.executemany("DELETE FROM streamed WHERE id = ?", [(id,) for id, _ in rows])


def _postpone(store: Store, rows: list[tuple[int, str]], until: str) -> None:
    store.connection.executemany("UPDATE streamed SET next_at = ? WHERE id = ?", [(until, id) for id, _ in rows])
