"""Limit the number of connections of a server, and the time that a client may take.

Imported only when a server is created, since it needs uvicorn.
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

log = logging.getLogger("didww._server.asgi_server")

MAX_CONNECTIONS: Final = 1000
BACKLOG: Final = 1024
"""Maximum number of connections waiting in the kernel."""
# An accepted connection is counted only a few event loop iterations later; asyncio retries a failed accept as often.
_ACCEPTED_AT_ONCE: Final = 16
_SECONDS_AFTER_STOP: Final = 1.0
_OUT_OF_FILES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def connection_limit() -> int:
    """Return the default connection limit: half of the process's open file limit, at most 1,000."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, which has no such limit
        return MAX_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, files // 2))


class Connections:
    """The connections of one server, up to a limit.

    Above `limit`, the connection that has been waiting longest for its client is closed. If none is waiting, the new
    connection gets a 503 response. So a client that holds connections open without sending requests, or without reading
    responses, cannot lock out others.

    Args:
        limit: Maximum number of connections.
        head_timeout: Seconds within which a client must send the head of a request, or read some of a response.
    """

    def __init__(self, limit: int, head_timeout: float) -> None:
        self.limit = limit
        self.head_timeout = head_timeout
        self._lines = Sparing(1)

    def server(self, app: Any) -> Server:
        """Return a server for an ASGI application with these connections.

        Args:
            app: The application. If its attribute `sends_date` is true, it sets the `Date` header itself.
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
            proxy_headers=False,  # a client could forge these headers
        )
        return Server(config, self)

    def admit(self, new: _Connection) -> None:
        """Make room for a new connection."""
        if len(new.connections) <= self.limit:
            return
        self._warn("The limit of %d connections is reached. Idle connections are closed.", self.limit)
        connections = cast("set[object]", new.connections)
        others = [other for other in connections if isinstance(other, _Connection) and other is not new]
        idle = [(since, other) for other in others if (since := other.waits_since()) is not None]
        if idle:
            min(idle, key=itemgetter(0))[1].abort()
        else:
            new.transport.write(_BUSY)
            new.transport.close()

    def on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an event loop error; log a single line if no connection can be accepted, as the loop retries."""
        error = context.get("exception")
        if "socket" in context and isinstance(error, OSError) and error.errno in _OUT_OF_FILES:
            self._warn("Cannot accept connections: %s.", error.strerror)
        elif isinstance(error, ConnectionError) and "socket" not in context:
            log.debug("A client has hung up: %s", error)  # on Windows, asyncio reports it
        else:
            loop.default_exception_handler(context)

    def _warn(self, text: str, value: object) -> None:
        if self._lines.take() is not None:
            log.warning(text, value)


class Server(uvicorn.Server):
    """A server with a connection limit.

    Args:
        config: The uvicorn configuration.
        connections: Its connections.
    """

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self._limited = connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting connections."""
        asyncio.get_running_loop().set_exception_handler(self._limited.on_error)
        await super().startup(sockets=sockets)
        for listener in sockets or ():  # asyncio has set it to a smaller backlog
            listener.listen(BACKLOG)


class _Connection(H11Protocol):
    """One connection.

    Attributes:
        group: All connections of the server.
    """

    group: Connections
    _since: float = 0.0  # time of connecting, of the last response, or of the last bytes read by the client
    _head_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None
    _unsent: int = 0

    def waits_since(self) -> float | None:
        """Return since when the connection has waited for the client to send a request or read the response.

        Return None if it is not waiting for the client.
        """
        if self.transport.get_write_buffer_size():
            self._note_unsent()
            return self._since
        if self.transport.is_closing():
            return None
        return self._since if self._between or self.cycle.more_body or self._pipelines else None

    @property
    def _between(self) -> bool:
        return not self.cycle or self.cycle.response_complete  # no cycle before the first request

    @property
    def _pipelines(self) -> bool:
        """Whether the client has sent more requests before the response to this one."""
        sent_ahead, _ = self.conn.trailing_data
        return bool(sent_ahead)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that unread data is noticed down to the last byte
        self._since = self.loop.time()
        self._expect_head()
        self.group.admit(self)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._between:
            self._cancel_head_timer()
        elif self._head_timer is None:
            self._expect_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._since = self.loop.time()
        self._unsent = self.transport.get_write_buffer_size()
        self._expect_read()

    def resume_writing(self) -> None:
        self._cancel_read_timer()
        super().resume_writing()

    def on_response_complete(self) -> None:
        if not self.transport.get_write_buffer_size() and not self._pipelines:
            self._since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and (self._between or self.cycle.more_body):
            super().send_400_response(msg)
        else:  # a response has been started, or will be
            self.abort()

    def abort(self) -> None:
        """Close the connection immediately; further output of the application is discarded."""
        if self.cycle:
            self.cycle.disconnected = True
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_head_timer()
        self._cancel_read_timer()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(_SECONDS_AFTER_STOP, self._abort_if_waiting)

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.group.head_timeout, self._hang_up)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _hang_up(self) -> None:
        if self.transport.get_protocol() is self:  # not a WebSocket
            self.transport.close()

    def _expect_read(self) -> None:
        self._read_timer = self.loop.call_at(self._since + self.group.head_timeout, self._check_read)

    def _cancel_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _check_read(self) -> None:
        self._note_unsent()
        if self.loop.time() < self._since + self.group.head_timeout:
            self._expect_read()
        else:
            self._abort_if_waiting()

    def _note_unsent(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._since = self.loop.time()
        self._unsent = unsent

    def _abort_if_waiting(self) -> None:
        if self.waits_since() is not None:
            self.abort()  # close() would wait until the client has read the rest
