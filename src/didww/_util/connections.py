"""The connections of a server: how long each may take for its part of an exchange, and how many there may be.

Imported when something is served, since it needs uvicorn.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from didww._util.text import Sparing

if TYPE_CHECKING:
    import socket

__all__ = ["BACKLOG", "Connections", "Server", "connection_limit"]

log = logging.getLogger("didww._util.asgi_server")

MAX_CONNECTIONS: Final = 1000
BACKLOG: Final = 1024
"""Connections that wait in the kernel."""
# Some rounds of the event loop pass before an accepted connection is counted; asyncio tries a failed accept as often.
_ACCEPTED_AT_ONCE: Final = 16
_SECONDS_AFTER_STOP: Final = 1.0
_OUT_OF_FILES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def connection_limit() -> int:
    """Return how many connections a server has room for: half of the files that the process may open, at most 1,000."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, which has no such limit
        return MAX_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, files // 2))


class Connections:
    """All connections of one server, within bounds.

    When there are more than `limit`, the one that has waited longest for its client is closed; if none waits, the new
    one gets a 503 response. So whoever holds connections open without asking for anything, or without reading the
    responses, keeps nobody else out.

    Args:
        limit: How many there may be.
        head_timeout: Seconds that a client has for the head of a request, and to take some of a response.
    """

    def __init__(self, limit: int, head_timeout: float) -> None:
        self.limit = limit
        self.head_timeout = head_timeout
        self._lines = Sparing(1)

    def server(self, app: Any) -> Server:
        """Return a server for an ASGI application with these connections.

        Args:
            app: The application. One with a true attribute `sends_date` has its own header `Date` in each response.
        """
        config = uvicorn.Config(
            app,
            http=type("Connection", (_Connection,), {"group": self}),
            backlog=max(1, min(_ACCEPTED_AT_ONCE, self.limit // 8)),
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            server_header=False,
            date_header=not getattr(app, "sends_date", False),
            proxy_headers=False,  # what a client says of itself is not who it is
        )
        return Server(config, self)

    def admit(self, new: _Connection) -> None:
        """Make room for a new connection."""
        if len(new.connections) <= self.limit:
            return
        self._warn("There are %d connections, as many as this server has room for. Idle ones are closed.", self.limit)
        found = cast("set[object]", new.connections)
        others = [one for one in found if isinstance(one, _Connection) and one is not new]
        idle = [(since, one) for one in others if (since := one.waits_since()) is not None]
        if idle:
            min(idle, key=itemgetter(0))[1].abort()
        else:
            new.transport.write(_BUSY)
            new.transport.close()

    def on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an error of the event loop: one line if no connection can be accepted, as the loop tries again."""
        error = context.get("exception")
        if "socket" in context and isinstance(error, OSError) and error.errno in _OUT_OF_FILES:
            self._warn("No connection can be accepted: %s.", error.strerror)
        else:
            loop.default_exception_handler(context)

    def _warn(self, text: str, value: object) -> None:
        if self._lines.take() is not None:
            log.warning(text, value)


class Server(uvicorn.Server):
    """A server whose connections are within bounds.

    Args:
        config: What it serves.
        connections: Its connections.
    """

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self._bounded = connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        asyncio.get_running_loop().set_exception_handler(self._bounded.on_error)
        await super().startup(sockets=sockets)
        for listener in sockets or ():  # asyncio has set it to what it accepts at once
            listener.listen(BACKLOG)


class _Connection(H11Protocol):
    """One connection.

    Attributes:
        group: The connections that it is one of.
    """

    group: Connections
    _since: float = 0.0  # when it was made, its last request was responded to, or some of the response was taken
    _due: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None
    _left: int = 0

    def waits_since(self) -> float | None:
        """Since when it is the client's turn: to send a request or the rest of it, or to take the response.

        None if it is not.
        """
        if self.transport.get_write_buffer_size():
            self._note_what_is_left()
            return self._since
        if self.transport.is_closing():
            return None
        return self._since if self._between or self.cycle.more_body or self._pipelines else None

    @property
    def _between(self) -> bool:
        return not self.cycle or self.cycle.response_complete  # there is none before the first request

    @property
    def _pipelines(self) -> bool:
        """Whether the client has sent more requests without reading a response to this one."""
        sent_ahead, _ = self.conn.trailing_data
        return bool(sent_ahead)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that all that is not taken is told, down to the last byte
        self._since = self.loop.time()
        self._expect_head()
        self.group.admit(self)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._between:
            self._head_is_here()
        elif self._due is None:
            self._expect_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._since = self.loop.time()
        self._left = self.transport.get_write_buffer_size()
        self._expect_taking()

    def resume_writing(self) -> None:
        self._all_is_taken()
        super().resume_writing()

    def on_response_complete(self) -> None:
        if not self.transport.get_write_buffer_size() and not self._pipelines:
            self._since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and (self._between or self.cycle.more_body):
            super().send_400_response(msg)
        else:  # a response is on its way already, or will be
            self.abort()

    def abort(self) -> None:
        """End it at once; what the application still says goes nowhere."""
        if self.cycle:
            self.cycle.disconnected = True
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        self._all_is_taken()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(_SECONDS_AFTER_STOP, self._end_if_it_waits)

    def _expect_head(self) -> None:
        self._due = self.loop.call_later(self.group.head_timeout, self._hang_up)

    def _head_is_here(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _hang_up(self) -> None:
        if self.transport.get_protocol() is self:  # and not that of a WebSocket
            self.transport.close()

    def _expect_taking(self) -> None:
        self._untaken = self.loop.call_at(self._since + self.group.head_timeout, self._look_for_taking)

    def _all_is_taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _look_for_taking(self) -> None:
        self._note_what_is_left()
        if self.loop.time() < self._since + self.group.head_timeout:
            self._expect_taking()
        else:
            self._end_if_it_waits()

    def _note_what_is_left(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left < self._left:
            self._since = self.loop.time()
        self._left = left

    def _end_if_it_waits(self) -> None:
        if self.waits_since() is not None:
            self.abort()  # to close it would be to wait until the client has taken what is left
