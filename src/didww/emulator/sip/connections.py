"""A UDP socket, and a TCP or TLS connection, of SIP messages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from didww.emulator.sip.framing import Framer, FramingError
from didww.emulator.sip.model import Target

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Connection", "DatagramSocket", "error_reason"]

_IDLE: Final = 3700.0  # longer than a registration
_MAX_UNSENT: Final = 1 << 20
_CHUNK: Final = 1 << 16
_PONG: Final = b"\r\n"

Receive: TypeAlias = "Callable[[bytes, Target, DatagramSocket | None], None]"


class DatagramSocket(asyncio.DatagramProtocol):
    """A UDP socket.

    Args:
        receive: Called with each datagram, where it is from, and the socket.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._transport: Any = None
        self.address: tuple[str, int] = ("", 0)

    @classmethod
    async def bound(cls, host: str, port: int, receive: Receive) -> Self:
        """Return a socket on an address.

        Raises:
            OSError: The address is not available.
        """
        loop = asyncio.get_running_loop()
        _, made = await loop.create_datagram_endpoint(lambda: cls(receive), local_addr=(host, port))
        return made

    def connection_made(self, transport: Any) -> None:
        """Keep the socket."""
        self._transport = transport
        self.address = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Pass on a datagram; keep-alives are dropped."""
        if data.strip(b"\r\n\0 "):
            self._receive(data, Target("udp", addr[0], addr[1]), self)

    def error_received(self, exc: Exception) -> None:
        """Ignore it: a request that is lost is repeated, and fails in the end."""

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        """Send a datagram."""
        with contextlib.suppress(OSError):
            self._transport.sendto(data, address)

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()


class Connection:
    """A TCP or TLS connection.

    Args:
        peer: The other side.
        reader: Its stream.
        writer: Its stream.
        receive: Called with each message, and where it is from.
        lost: Called once when the connection has ended, with the reason.
    """

    def __init__(
        self,
        peer: Target,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        receive: Receive,
        lost: Callable[[Connection, str], None],
    ) -> None:
        self.peer = peer
        self.local: tuple[str, int] = writer.get_extra_info("sockname")[:2]
        self._reader = reader
        self._writer = writer
        self._receive = receive
        self._lost = lost
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read messages from now on."""
        self._task = asyncio.ensure_future(self._read())

    def send(self, data: bytes) -> None:
        """Send a message; a far end that does not read loses the connection."""
        if self._writer.transport.get_write_buffer_size() > _MAX_UNSENT:
            self._writer.transport.abort()
            return
        self._writer.write(data)

    def close(self) -> None:
        """Close the connection."""
        self._writer.transport.abort()

    async def _read(self) -> None:
        framer, reason = Framer(), "the far end has closed the connection"
        try:
            while True:
                async with asyncio.timeout(_IDLE):
                    data = await self._reader.read(_CHUNK)
                if not data:
                    break
                for message in framer.feed(data):
                    self._receive(message, self.peer, None)
                if framer.pings:
                    self.send(_PONG * min(framer.pings, 10))
                    framer.pings = 0
        except FramingError as error:
            reason = str(error)
        except TimeoutError:
            reason = "the connection was idle"
        except OSError as error:
            reason = error_reason(error)
        finally:
            self._writer.transport.abort()
            self._lost(self, reason)


def error_reason(error: OSError) -> str:
    """Return why a connection failed, e.g. `Connection refused`."""
    if error.errno and not isinstance(error, ssl.SSLError):  # asyncio's own text repeats the address
        return os.strerror(error.errno)
    return error.strerror or type(error).__name__
