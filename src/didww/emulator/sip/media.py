"""The media of calls: silence to the far ends; what they send is dropped."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from typing import TYPE_CHECKING, Any, Final

from didww.emulator.sip.allowed import is_loopback

if TYPE_CHECKING:
    from didww.emulator.sip.model import Target

__all__ = ["MediaSockets"]

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


class _Silence(asyncio.DatagramProtocol):
    """The media socket of a local address, which all calls share."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def connection_made(self, transport: Any) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Drop what the far ends send."""

    def error_received(self, exc: Exception) -> None:
        """Ignore that a far end does not listen."""

    def start(self, call: str, remote: tuple[str, int], payload_type: int) -> None:
        """Send silence for a call from now on."""
        self._streams[call] = _Stream(remote, payload_type, random.getrandbits(32))
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


class MediaSockets:
    """The media sockets, one for each own address."""

    def __init__(self) -> None:
        self._sockets: dict[str, tuple[_Silence, int]] = {}

    async def address(self, host: str) -> tuple[str, int]:
        """Return the address of the media socket on an own address, which is made when it is first needed.

        Raises:
            OSError: The address is not available.
        """
        if host not in self._sockets:
            loop = asyncio.get_running_loop()
            transport, silence = await loop.create_datagram_endpoint(_Silence, local_addr=(host, 0))
            if host in self._sockets:  # made meanwhile
                silence.close()
            else:
                self._sockets[host] = (silence, transport.get_extra_info("sockname")[1])
        return host, self._sockets[host][1]

    def play(self, call: str, remote: Target | None, payload_type: int) -> None:
        """Send silence for a call to an address from now on; None to stop."""
        for silence, _ in self._sockets.values():
            silence.stop(call)
        if remote is None:
            return
        for host, (silence, _) in self._sockets.items():
            if _kind(host) == _kind(remote.host):
                silence.start(call, (remote.host, remote.port), payload_type)
                return

    def close(self) -> None:
        """Close all sockets."""
        for silence, _ in self._sockets.values():
            silence.close()


def _kind(host: str) -> tuple[bool, bool]:
    """Return what a socket and a far end must have in common."""
    return ":" in host, is_loopback(host)
