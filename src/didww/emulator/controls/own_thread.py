"""A thread that runs functions one after the other; a child process has one of its own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OwnThread"]


class OwnThread:
    """Runs functions in a thread, in the order in which they were submitted.

    Args:
        name: Name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._closed = False
        self._start()

    def submit(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function later.

        Raises:
            RuntimeError: The thread was closed.
        """
        if self._process != os.getpid() and not self._closed:  # after a fork, the thread is that of the parent
            self._start()
        self._executor.submit(function, *args)

    def close(self, *, wait: bool) -> None:
        """End it, after what was submitted, or without."""
        self._closed = True
        if self._process == os.getpid():
            self._executor.shutdown(wait=wait, cancel_futures=not wait)

    def _start(self) -> None:
        self._process = os.getpid()
        self._executor = ThreadPoolExecutor(1, self._name)
