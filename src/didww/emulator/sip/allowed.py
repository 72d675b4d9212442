"""Which hosts calls may go to, and how many calls there may be."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Allowed", "Bounds", "check_host", "is_loopback"]


_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,20}\.?", re.ASCII)


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address, or a name that always is one (RFC 6761)."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(host: str) -> str:
    """Return a host that is to be allowed, in lower case.

    Raises:
        ValueError: It is no host name, address or `*`.
    """
    name = host.strip().lower().strip("[]")
    if name != "*" and not (_NAME.fullmatch(name) or _is_address(name)):
        raise ValueError(f"host must be a host name or an IP address, without a port, or *; got {host[:80]!r}.")
    return name


class Allowed:
    """The hosts that may be called: loopback addresses, and those allowed by name.

    A name that is not allowed is not even looked up. An allowed name may have any address.

    Args:
        hosts: Names and addresses; `*` allows any.
    """

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self.hosts = {check_host(host) for host in hosts}

    def why_not(self, host: str) -> str | None:
        """Return why a host must not be called; None if it may."""
        name = host.lower().rstrip(".").strip("[]")
        if is_loopback(name) or name in self.hosts or "*" in self.hosts:
            return None
        return (
            f"{host[:80] or 'The host'} is no loopback address and was not allowed; allow it with --sip-host or "
            f"emulator.sip.allow({name[:80]!r})"
        )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Bounds:
    """How many calls there may be at once, and start in a second.

    Args:
        calls: Calls at once.
        per_second: Calls that start in a second.
        time: The clock.
    """

    def __init__(self, calls: int = 500, per_second: int = 100, time: Callable[[], float] = time.monotonic) -> None:
        self.calls = calls
        self.per_second = per_second
        self.in_progress = 0
        self._time = time
        self._lock = threading.Lock()
        self._started: deque[float] = deque()

    def begin(self) -> None:
        """Count a call that starts.

        Raises:
            ValueError: There are too many.
        """
        with self._lock:
            now = self._time()
            while self._started and self._started[0] <= now - 1:
                self._started.popleft()
            if self.in_progress >= self.calls:
                raise ValueError(
                    f"There are {self.in_progress} calls, the most at once. Wait until some have ended, or raise the "
                    f"limit with emulator.sip.limit(calls=...)."
                )
            if len(self._started) >= self.per_second:
                raise ValueError(
                    f"{len(self._started)} calls have started within a second, the most. Call more slowly, or raise "
                    f"the limit with emulator.sip.limit(per_second=...)."
                )
            self._started.append(now)
            self.in_progress += 1

    def end(self) -> None:
        """Count a call that has ended."""
        with self._lock:
            self.in_progress = max(0, self.in_progress - 1)
