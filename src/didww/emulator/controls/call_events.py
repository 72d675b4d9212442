"""Call Events and CDR Streaming: where an account's events and call records are sent, and what came of it.

As in the service, both are set up for inbound and outbound calls separately, are protected by a password or headers
and are not signed. Events are sent at once, one object a request, and not again. Call records are sent in batches when
the call has ended, and again after 3 seconds until they are accepted.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping  # noqa: TC003 the control API reads the annotations
from typing import TYPE_CHECKING, Any, Final, Literal, get_args
from urllib.parse import urlsplit

import msgspec

from didww._util.masking import mask_url
from didww.emulator.controls.account_control import AccountControl
from didww.emulator.controls.call_sender import CallDelivery, CallSender
from didww.emulator.controls.sending import host_of
from didww.emulator.controls.stored_streams import Direction, Kind, Stream, get_stream, set_stream
from didww.emulator.engine.store import DISK_FULL_RETRY_DELAY, is_disk_full

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.engine.engine import Engine

__all__ = ["CallDelivery", "CallEvents", "CallStream"]

_MAX_WAIT: Final = 600.0
_FRAMING: Final = frozenset(
    {"content-length", "transfer-encoding", "content-encoding", "content-type", "host", "connection", "expect"}
)


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


class CallEvents(AccountControl):
    """Call Events and CDR Streaming: `emulator.call_events`.

    Args:
        engine: The engine.
        default_key: The default account.
        get_hosts: Returns the hosts besides loopback addresses that may be called: those of callbacks.
    """

    def __init__(self, engine: Engine, default_key: str, get_hosts: Callable[[], frozenset[str]]) -> None:
        super().__init__(engine, default_key)
        self._sender = CallSender(engine, get_hosts)
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
        _check_url(url)
        stream = Stream(url, bool(gzip), username, password, _check_headers(headers or {}, username, password))
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            for one in directions:
                set_stream(runtime.store, session.owner, one, kind, stream if url else None)
        return self.show(api_key=api_key)

    def show(self, *, api_key: str | None = None) -> list[CallStream]:
        """Return where events and call records are sent, without secrets.

        Args:
            api_key: Key of the account. Defaults to the emulator's own.
        """
        shown: list[CallStream] = []
        with self._engine.locked() as runtime:
            owner = self._session(api_key).owner
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
        if kind is not None and kind not in get_args(Kind):
            raise ValueError(f"kind must be 'events' or 'cdrs', got {kind!r:.40}.")
        return [one for one in self._sender.deliveries() if kind in (None, one.kind)]

    def settle(self, timeout: float = 60.0) -> list[CallDelivery]:
        """Wait until nothing is due; return the last 500 requests, newest first.

        Args:
            timeout: Real seconds to wait, up to 600.

        Raises:
            TimeoutError: Something is still due, or the emulator was closed.
        """
        end = time.monotonic() + (min(timeout, _MAX_WAIT) if timeout >= 0 else 0.0)
        while not self._closed:
            try:
                if self._sender.is_idle():
                    return self.deliveries()
                self._sender.send_due()
            except sqlite3.ProgrammingError:  # closed meanwhile
                break
            if time.monotonic() > end:
                raise TimeoutError(f"Events or call records are still due after {timeout:g} s.")
            time.sleep(0.005)
        raise TimeoutError("The emulator was closed.")

    # For the emulator

    def reset(self) -> None:
        """Forget the requests."""
        self._sender.forget()

    def close(self) -> None:
        """Stop sending."""
        self._closed = True
        self._sender.close()

    def work(self) -> float:
        """Send what is due; return the clock seconds until the next, infinity if there is none."""
        try:
            self._sender.send_due()
            return self._sender.next_due()
        except sqlite3.OperationalError as error:
            if not is_disk_full(error):
                raise
            return DISK_FULL_RETRY_DELAY


def _directions(direction: str) -> tuple[Direction, ...]:
    known: tuple[Direction, ...] = get_args(Direction)
    if direction == "both":
        return known
    if direction not in known:
        raise ValueError(f"direction must be 'inbound', 'outbound' or 'both', got {direction!r:.40}.")
    return tuple(one for one in known if one == direction)


def _check_url(url: Any) -> None:
    if not isinstance(url, str) or (url and (not url.lower().startswith(("http://", "https://")) or not host_of(url))):
        raise ValueError("url must be an address such as http://127.0.0.1:8000/calls, or empty.")
    if "@" in urlsplit(url).netloc:
        raise ValueError("url must not have a password. Pass username and password.")


def _check_headers(headers: Mapping[Any, Any], username: Any, password: Any) -> dict[str, str]:
    """Return the headers; names and values that cannot be sent are an error that does not show them."""
    if not all(isinstance(text, str) for text in (username, password, *headers, *headers.values())):
        raise ValueError("headers, username and password must be text.")
    if ":" in username or _has_control(username + password):
        raise ValueError("username must have no colon, and neither it nor password control characters.")
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError("headers must have names of letters, digits and hyphens.")
        if name.lower() in _FRAMING:
            raise ValueError(f"headers must not have {name}, which depends on the body or the connection.")
        if not value.isascii() or _has_control(value):
            raise ValueError(f"headers: the value of {name} must be ASCII without control characters.")
    return dict(headers)


def _has_control(text: str) -> bool:
    return any(ord(char) < 32 or ord(char) == 127 for char in text)
