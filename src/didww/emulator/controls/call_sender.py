"""Sends events and call records when they are due; a receiver that hangs delays only its own stream."""

from __future__ import annotations

import gzip
import logging
import math
import sqlite3
import threading
from base64 import b64encode
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from didww._util.masking import mask_url
from didww.emulator.controls.clock import stamp
from didww.emulator.controls.sending import Attempt, host_of, is_allowed, send_request
from didww.emulator.controls.stored_streams import Direction, Kind, Stream, get_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.store import Store

__all__ = ["CallDelivery", "CallSender"]

log = logging.getLogger("didww.emulator")

MAX_BATCH: Final = 1000
PAUSE: Final = 3.0
"""Seconds until call records are sent again."""
MAX_SHOWN: Final = 500
_MAX_AT_ONCE: Final = 200
_USER_AGENT: Final = "CDR-streamer"
_CONTENT_TYPES: Final[dict[str, str]] = {"events": "application/vnd.api+json", "cdrs": "text/plain"}
_STATES_OF_FAILURE: Final = {"events": "failed", "cdrs": "waiting"}

_Key: TypeAlias = tuple[int, Direction, Kind]
_Rows: TypeAlias = list[tuple[int, str]]


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


class CallSender:
    """Sends what is due, each stream in a thread of its own while it has something to send.

    Args:
        engine: The engine.
        get_hosts: Returns the hosts besides loopback addresses that may be called.
    """

    def __init__(self, engine: Engine, get_hosts: Callable[[], frozenset[str]]) -> None:
        self._engine = engine
        self._get_hosts = get_hosts
        self._lock = threading.Lock()
        self._busy: set[_Key] = set()
        self._log: deque[CallDelivery] = deque(maxlen=MAX_SHOWN)
        self._count = 0
        self._closed = False

    def deliveries(self) -> list[CallDelivery]:
        """Return the last requests, newest first."""
        with self._lock:
            return list(reversed(self._log))

    def forget(self) -> None:
        """Forget the requests."""
        with self._lock:
            self._log.clear()

    def close(self) -> None:
        """Stop sending; requests in progress are not waited for."""
        self._closed = True

    def is_idle(self) -> bool:
        """Return whether nothing is due, and nothing is being sent."""
        with self._engine.locked() as runtime:
            due = _due(runtime.store, stamp(runtime.clock.now()))
        with self._lock:
            return not due and not self._busy

    def send_due(self) -> None:
        """Start to send what is due."""
        with self._engine.locked() as runtime:
            due = _due(runtime.store, stamp(runtime.clock.now()))
        for key in due:
            with self._lock:
                if key in self._busy or self._closed or len(self._busy) >= _MAX_AT_ONCE:
                    continue
                self._busy.add(key)
            # A daemon: the end of the program does not wait for a receiver that hangs.
            threading.Thread(target=self._run, args=(key,), name="didww-emulator-call-stream", daemon=True).start()

    def next_due(self) -> float:
        """Return the clock seconds until something else is due, infinity if there is nothing."""
        with self._lock:
            busy = set(self._busy)
        with self._engine.locked() as runtime:
            rows = runtime.store.connection.execute(
                "SELECT owner, direction, kind, min(next_at) FROM streamed GROUP BY owner, direction, kind"
            ).fetchall()
            times = [datetime.fromisoformat(at) for *key, at in rows if tuple(key) not in busy]
            return max(0.0, (min(times) - runtime.clock.now()).total_seconds()) if times else math.inf

    def _run(self, key: _Key) -> None:
        """Send what a stream has due; then let the worker look for more."""
        try:
            while not self._closed and self._send_next(key):
                pass
        except sqlite3.ProgrammingError:  # the emulator was closed
            pass
        except Exception:  # later requests must still be sent
            log.exception("emulator: call events or records could not be sent")
        finally:
            with self._lock:
                self._busy.discard(key)
            if not self._closed:
                self._engine.wake()

    def _send_next(self, key: _Key) -> bool:
        """Send the next event, or a batch of records, of a stream; return False if nothing is due."""
        owner, direction, kind = key
        with self._engine.locked() as runtime:
            now = stamp(runtime.clock.now())
            stream = get_stream(runtime.store, owner, direction, kind)
            rows: _Rows = runtime.store.connection.execute(
                "SELECT id, body FROM streamed WHERE owner = ? AND direction = ? AND kind = ? AND next_at <= ?"
                " ORDER BY next_at, id LIMIT ?",
                (*key, now, MAX_BATCH if kind == "cdrs" else 1),
            ).fetchall()
            if kind == "events" or stream is None:  # not sent again, whatever comes of it
                _delete(runtime.store, rows)
        if not rows or stream is None:
            return False
        attempt, refused = self._attempt(stream, kind, rows, now)
        if kind == "cdrs":
            with self._engine.locked() as runtime:
                if attempt.error is None or refused:
                    runtime.run_in_transaction(lambda: _delete(runtime.store, rows))
                else:
                    again = stamp(runtime.clock.now() + timedelta(seconds=PAUSE))
                    runtime.run_in_transaction(lambda: _postpone(runtime.store, rows, again))
        state: Any = "delivered" if attempt.error is None else "refused" if refused else _STATES_OF_FAILURE[kind]
        types = sorted({str(msgspec.json.decode(body)["type"]) for _, body in rows})
        url = mask_url(stream.url)
        with self._lock:
            self._count += 1
            self._log.append(
                CallDelivery(
                    self._count, now, direction, kind, url, types, len(rows), state, attempt.status, attempt.error
                )
            )
        return True

    def _attempt(self, stream: Stream, kind: Kind, rows: _Rows, now: str) -> tuple[Attempt, bool]:
        """Send a request, and return what came of it, and whether it must not be sent."""
        host = host_of(stream.url)
        if not is_allowed(host, self._get_hosts()):
            error = (
                f"{host} is not a loopback address; allow it with --callback-host or emulator.callbacks.allow({host!r})"
            )
            return Attempt(now, None, error, 0.0), True
        headers, content = _request(stream, kind, [body for _, body in rows])
        try:
            return send_request("POST", stream.url, headers, content, at=now, highest=299), False
        except Exception as error:  # what cannot be sent now waits like what was not accepted
            log.exception("emulator: call events or records could not be sent")
            return Attempt(now, None, f"cannot be sent: {type(error).__name__}: {error}", 0.0), False


def _request(stream: Stream, kind: Kind, bodies: list[str]) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a request: one object, or one a line."""
    content = "\n".join(bodies).encode() + (b"\n" if kind == "cdrs" else b"")
    headers = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Content-Type": _CONTENT_TYPES[kind]}
    if stream.username or stream.password:
        credentials = b64encode(f"{stream.username}:{stream.password}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    if stream.gzip:
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, 1)
    own = {name.lower() for name in stream.headers}
    return {name: value for name, value in headers.items() if name.lower() not in own} | stream.headers, content


def _due(store: Store, now: str) -> list[_Key]:
    """Return the streams that have something due, the longest due first."""
    return store.connection.execute(
        "SELECT owner, direction, kind FROM streamed WHERE next_at <= ? GROUP BY owner, direction, kind"
        " ORDER BY min(next_at)",
        (now,),
    ).fetchall()


def _delete(store: Store, rows: _Rows) -> None:
    store.connection.executemany("DELETE FROM streamed WHERE id = ?", [(id,) for id, _ in rows])


def _postpone(store: Store, rows: _Rows, until: str) -> None:
    store.connection.executemany("UPDATE streamed SET next_at = ? WHERE id = ?", [(until, id) for id, _ in rows])
