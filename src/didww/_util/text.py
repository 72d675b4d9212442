"""What is shown in messages, in the log, on a terminal: text of others made safe, and not too many lines for them."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Sparing", "printable", "shown"]

_SECONDS: Final = 60.0


def printable(text: str) -> str:
    r"""Return `text` with control and bidirectional characters as escapes, so that it stays one line and reads true.

    Example:
        >>> print(printable("not valid\r\nINFO paid"))
        not valid\r\nINFO paid
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object, most: int = 80) -> str:
    """Return `value` as a message shows it: by its repr, at most so many characters of it.

    Example:
        >>> shown("5060"), shown(10**5000)
        ("'5060'", 'a huge int')
    """
    try:
        text = repr(value)
    except ValueError:  # integers of thousands of digits have no text in Python
        return f"a huge {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most]}..."


class Sparing:
    """So many lines of the log a minute about what strangers can cause at will; the others are counted.

    Args:
        most: How many a minute.
        clock: Tells the time in seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = Lock()
        self._since = -_SECONDS
        self._written = self._left_out = 0

    def take(self) -> int | None:
        """Return how many lines were left out before this one; None if it is to be left out, too."""
        with self._lock:
            now = self._clock()
            if now - self._since >= _SECONDS:
                self._since, self._written = now, 0
            if self._written >= self._most:
                self._left_out += 1
                return None
            self._written += 1
            before, self._left_out = self._left_out, 0
            return before
