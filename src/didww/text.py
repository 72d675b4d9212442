"""Text of others, made safe to show: in messages, in the log, on a terminal."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""Return `text` with control and bidirectional characters as escapes, so that it stays one line and reads true.

    Example:
        >>> print(printable("not valid\r\nINFO paid"))
        not valid\r\nINFO paid
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
