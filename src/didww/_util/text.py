"""Make untrusted text safe for messages, logs and terminals, and limit the number of log lines."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Sparing", "printable", "shown"]

_SECONDS: Final = 60.0


def printable(text: str) -> str:
    r"""Return `text` with control and bidirectional characters escaped, so that it stays one line and is not reordered.

    Example:
        >>> print(printable("not valid\r\nINFO paid"))
        not valid\r\nINFO paid
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object, most: int = 80) -> str:
    """Return the repr of `value` for a message, truncated to `most` characters.

    Example:
        >>> shown("5060"), shown(10**5000)
        ("'5060'", 'a huge int')
    """
    try:
        text = repr(value)
    except ValueError:  # Python refuses to convert integers with thousands of digits
        return f"a huge {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most]}..."


class Sparing:
    """Limits log lines per minute about events that anyone can cause, and counts the suppressed ones.

    Args:
        most: Maximum number of lines per minute.
        clock: Clock in seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = Lock()
        self._since = -_SECONDS
        self._written = self._suppressed = 0

    def take(self) -> int | None:
        """Return the number of lines suppressed before this one, or None if this one must be suppressed too."""
        with self._lock:
            now = self._clock()
            if now - self._since >= _SECONDS:
                self._since, self._written = now, 0
            if self._written >= self._most:
                self._suppressed += 1
                return None
            self._written += 1
            suppressed, self._suppressed = self._suppressed, 0
            return suppressed
