"""The messages in a stream (RFC 3261, section 18.3), with bounds."""

from __future__ import annotations

import re
from typing import Final

from didww.emulator.sip.messages import MAX_MESSAGE

__all__ = ["Framer", "FramingError"]

MAX_HEADERS: Final = 32_768
_LENGTH: Final = re.compile(rb"(?:^|\r\n)(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*(?=\r\n)", re.IGNORECASE)
_PING: Final = b"\r\n\r\n"


class FramingError(ValueError):
    """A stream that has no messages, or too long ones."""


class Framer:
    """Splits a stream into messages.

    Attributes:
        pings: How many keep-alives (RFC 5626, section 4.4.1) have come and were not answered.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.pings = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete with `data`.

        Raises:
            FramingError: The headers or the body are too long, or a message has no Content-Length.
        """
        self._buffer += data
        messages: list[bytes] = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> bytes | None:
        while self._buffer.startswith(b"\r\n"):
            if self._buffer.startswith(_PING):
                self.pings += 1
                del self._buffer[:4]
            elif len(self._buffer) < 4 and _PING.startswith(self._buffer):
                return None  # half a keep-alive, or an empty line before a message
            else:
                del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEADERS)
        if end < 0:
            if len(self._buffer) >= MAX_HEADERS:
                raise FramingError(f"the headers of a message are longer than {MAX_HEADERS} bytes")
            return None
        found = _LENGTH.search(self._buffer, 0, end + 2)
        if found is None:
            raise FramingError("a message has no Content-Length")
        total = end + 4 + int(found[1])
        if total > MAX_MESSAGE:
            raise FramingError(f"a message of {total} bytes is longer than {MAX_MESSAGE}")
        if len(self._buffer) < total:
            return None
        message = bytes(self._buffer[:total])
        del self._buffer[:total]
        return message
