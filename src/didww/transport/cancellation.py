"""Interrupting an exchange from another thread: its socket is shut down, so that whoever reads from it wakes up.

Calls that were started beside another one run in threads of their own; when nobody wants their outcome any more, they
are to end at once. The sockets note themselves here while such a thread uses them, and nothing else does.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["CancelToken", "Interrupted", "interruption"]


T = TypeVar("T")


class Interrupted(BaseException):
    """The call is not wanted any more: like a cancellation, no error of the call itself, and nobody sees it."""


class CancelToken:
    """Whether a call was interrupted, and the socket that it waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: Any = None
        self._set = threading.Event()

    def interrupt(self) -> None:
        """Have the call end at its next step; a socket that it waits for is shut down."""
        with self._lock:
            self._set.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def sleep(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            Interrupted: It was, before or meanwhile.
        """
        if self._set.wait(min(seconds, threading.TIMEOUT_MAX)):
            raise Interrupted("interrupted")

    def watch(self, exchange: Callable[..., T], *args: Any) -> T:
        """Return the result of `exchange`, with the socket that it uses noted here.

        Raises:
            Interrupted: It was, before or meanwhile.
        """
        self.sleep(0)
        interruption.set(self)
        try:
            return exchange(*args)
        except Exception:
            self.sleep(0)  # it broke because of that
            raise
        finally:
            interruption.set(None)

    @contextlib.contextmanager
    def using(self, connection: Any) -> Generator[None]:
        """Have `connection` shut down by an interruption in the meantime; afterwards it is others' again."""
        with self._lock:
            if self._set.is_set():
                raise Interrupted("interrupted")
            self._socket = connection
        try:
            yield
        finally:
            with self._lock:
                self._socket = None


interruption: Final[ContextVar[CancelToken | None]] = ContextVar("didww.interruption", default=None)
"""What may interrupt this thread; None for the caller's own threads."""
