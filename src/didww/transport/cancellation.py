"""Cancel an exchange from another thread by shutting down its socket, which wakes up a blocked read.

Calls that run concurrently have their own threads. When their result is no longer needed, they must end immediately.
Sockets register here while such a thread uses them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from didww._core.effects import Completion

__all__ = ["CancelToken", "InterruptedCallError", "interruption"]


T = TypeVar("T")


class InterruptedCallError(BaseException):
    """The call was canceled. Never reaches the user."""


class CancelToken:
    """Cancellation state of a call, and the socket or the other call that it waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: Any = None
        self._wake: Callable[[], object] | None = None
        self._set = threading.Event()

    def interrupt(self) -> None:
        """Cancel the call at its next step, and shut down the socket that it waits for."""
        with self._lock:
            self._set.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
            if self._wake is not None:
                self._wake()

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`.

        Raises:
            InterruptedCallError: The call was canceled before or during the sleep.
        """
        if self._set.wait(min(seconds, threading.TIMEOUT_MAX)):
            raise InterruptedCallError("interrupted")

    def wait(self, completion: Completion, seconds: float) -> None:
        """Wait for `completion`, at most `seconds`.

        Raises:
            InterruptedCallError: The call was canceled before or during the wait.
        """
        ended = threading.Event()
        with self._lock:
            self._wake = ended.set
        try:
            self.sleep(0)
            completion.listen(ended.set)
            ended.wait(min(seconds, threading.TIMEOUT_MAX))
        finally:
            with self._lock:
                self._wake = None
            completion.forget(ended.set)
        self.sleep(0)

    def watch(self, exchange: Callable[..., T], *args: Any) -> T:
        """Run `exchange` so that `interrupt` can shut down its socket, and return its result.

        Raises:
            InterruptedCallError: The call was canceled before or during the exchange.
        """
        self.sleep(0)
        interruption.set(self)
        try:
            return exchange(*args)
        except Exception:
            self.sleep(0)  # raises InterruptedCallError if the cancellation caused this error
            raise
        finally:
            interruption.set(None)

    @contextlib.contextmanager
    def using(self, connection: Any) -> Generator[None]:
        """Let `interrupt` shut down `connection` during the `with` block."""
        with self._lock:
            if self._set.is_set():
                raise InterruptedCallError("interrupted")
            self._socket = connection
        try:
            yield
        finally:
            with self._lock:
                self._socket = None


interruption: Final[ContextVar[CancelToken | None]] = ContextVar("didww.interruption", default=None)
"""Token that can cancel this thread; None in the caller's own threads."""
