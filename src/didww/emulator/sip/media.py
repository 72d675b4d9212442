"""The media of calls: silence to the far ends; what they send is counted and dropped."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Silence"]

_INTERVAL: Final = 0.02
_SAMPLES: Final = 160
_HEADER: Final = struct.Struct("!BBHII")
_SILENCE: Final = {0: b"\xff" * _SAMPLES, 8: b"\xd5" * _SAMPLES}


class _Stream:
    """The silence that one call sends."""

    def __init__(self, remote: tuple[str, int], payload_type: int, ssrc: int) -> None:
        self.remote = remote
        self._type = payload_type if payload_type in _SILENCE else 0
        self._ssrc = ssrc
        self._sent = 0

    def packet(self) -> bytes:
        """Return the next RTP packet (RFC 3550)."""
        marker = 0x80 if self._sent == 0 else 0
        header = _HEADER.pack(
            0x80, marker | self._type, self._sent & 0xFFFF, (self._sent * _SAMPLES) & 0xFFFFFFFF, self._ssrc
        )
        self._sent += 1
        return header + _SILENCE[self._type]


class Silence(asyncio.DatagramProtocol):
    """The media socket of a local address, which all calls share.

    Args:
        ids: Returns a random number of 32 bits.
    """

    def __init__(self, ids: Callable[[], int]) -> None:
        self._ids = ids
        self._streams: dict[str, _Stream] = {}
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0
        self.received = 0

    def connection_made(self, transport: Any) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002
        """Count what the far ends send."""
        self.received += 1

    def error_received(self, exc: Exception) -> None:
        """Ignore that a far end does not listen."""

    def start(self, call: str, remote: tuple[str, int], payload_type: int) -> None:
        """Send silence for a call from now on."""
        self._streams[call] = _Stream(remote, payload_type, self._ids())
        if self._timer is None:
            self._next = asyncio.get_running_loop().time()
            self._tick()

    def stop(self, call: str) -> None:
        """Send silence for a call no longer."""
        self._streams.pop(call, None)

    def close(self) -> None:
        """Close the socket."""
        self._streams.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def _tick(self) -> None:
        if not self._streams:
            self._timer = None
            return
        for stream in self._streams.values():
            with contextlib.suppress(OSError):
                self._transport.sendto(stream.packet(), stream.remote)
        loop = asyncio.get_running_loop()
        # A late tick is not made up for.
        self._next = max(self._next + _INTERVAL, loop.time())
        self._timer = loop.call_at(self._next, self._tick)
