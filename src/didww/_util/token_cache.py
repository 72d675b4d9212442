"""Tokens of the clients that share a provider, and who gets a new one while the others wait.

A cache does no I/O and reads no clock. Its methods return at once, so that threads, tasks of asyncio and tasks of trio
can share it.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from didww.exceptions import DidwwError

__all__ = ["Claim", "Flight", "Lease", "Token", "TokenCache"]

RENEW_BEFORE: Final = 60.0
"""Seconds before its expiry in which a token is renewed."""
RENEW_SHARE: Final = 0.2
"""The same as a share of its life, for tokens of a short life."""


REFUSAL_PAUSE: Final = 5.0
"""Seconds in which a token is not replaced that replaces a refused one, and was only refused itself."""


class Token:
    """A token and its times, by the monotonic clock. Compared by identity.

    Attributes:
        value: The token.
        since: When it was requested.
        expires_at: When it expires.
        renew_at: When to get the next one.
        accepted: Whether a service has accepted it.
        replaces_refused: Whether the service had refused the token before it.
    """

    __slots__ = ("accepted", "expires_at", "renew_at", "replaces_refused", "since", "value")

    def __init__(self, value: str, *, since: float, life: float) -> None:
        self.value = value
        self.since = since
        self.accepted = self.replaces_refused = False
        self.expires_at = since + life
        self.renew_at = self.expires_at - min(RENEW_BEFORE, RENEW_SHARE * life)

    def __repr__(self) -> str:
        return "Token('***')"


class Flight:
    """A token on its way, for which calls wait.

    Attributes:
        thread: The thread of the call that gets it.
        error: The error of the token service, for all calls that waited; None if another call is to try.
    """

    __slots__ = ("_landed", "_lock", "_wakes", "error", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self._lock = threading.RLock()  # garbage collection can cancel a call in the middle of another one's
        self._wakes: list[Callable[[], object]] = []
        self._landed = False
        self.error: DidwwError | None = None

    def listen(self, wake: Callable[[], object]) -> None:
        """Call `wake` when the flight has ended; immediately if it has."""
        with self._lock:
            if not self._landed:
                self._wakes.append(wake)
                return
        wake()

    def forget(self, wake: Callable[[], object]) -> None:
        """Do not call `wake` anymore."""
        with self._lock:
            if wake in self._wakes:
                self._wakes.remove(wake)

    def land(self, error: DidwwError | None = None) -> None:
        """End the flight and wake all calls that wait."""
        with self._lock:
            if self._landed:
                return
            self.error, self._landed = error, True
            wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()


class Claim(NamedTuple):
    """What a call that needs a token is to do.

    Attributes:
        token: A valid token to use; None if there is none.
        flight: The flight to wait for; None if the call need not wait, or is to get the token itself.
        leads: Whether the call is to get a new token.
    """

    token: Token | None
    flight: Flight | None
    leads: bool


class _Entry:
    """The token of one key.

    Attributes:
        token: The latest token.
        flight: The next one on its way.
        pause_until: When to try again after a failed renewal.
        scope_reported: Whether a scope that differs from the requested one was reported.
    """

    __slots__ = ("flight", "pause_until", "scope_reported", "token")

    def __init__(self) -> None:
        self.token: Token | None = None
        self.flight: Flight | None = None
        self.pause_until = 0.0
        self.scope_reported = False


class TokenCache:
    """The tokens of one provider, by URL, audience, scope and version."""

    __slots__ = ("__weakref__", "_entries", "_lock", "new_flight")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # garbage collection can cancel a call in the middle of another one's
        self.new_flight: Callable[[], Flight] = Flight
        self._entries: dict[Hashable, _Entry] = {}
        _caches.add(self)

    def entry(self, key: Hashable) -> _Entry:
        """Return the entry of `key`."""
        with self._lock:
            return self._entries.setdefault(key, _Entry())

    @property
    def lock(self) -> threading.RLock:
        """Held while an entry is read and changed."""
        return self._lock

    def after_fork(self) -> None:
        """Forget flights: the threads that they belong to do not exist in the new process."""
        self._lock = threading.RLock()
        for entry in self._entries.values():
            entry.flight = None


class Lease:
    """The part of one call in getting a token. Release it in a `finally` block."""

    __slots__ = ("_cache", "_entry", "_flight", "_refused")

    def __init__(self, cache: TokenCache, key: Hashable) -> None:
        self._cache = cache
        self._entry = cache.entry(key)
        self._flight: Flight | None = None
        self._refused = False

    def claim(self, now: float, refused: Token | None = None) -> Claim:
        """Return what the call is to do. The service has refused the token `refused`.

        The claim has this token again if another one would be refused, too.
        """
        with self._cache.lock:
            entry = self._entry
            if refused is not None and entry.token is refused:
                if refused.replaces_refused and not refused.accepted and now < refused.since + REFUSAL_PAUSE:
                    return Claim(refused, None, leads=False)
                entry.token = None
                self._refused = True
            token = entry.token if entry.token is not None and now < entry.token.expires_at else None
            if token is not None and (now < max(token.renew_at, entry.pause_until) or entry.flight is not None):
                return Claim(token, None, leads=False)
            if entry.flight is not None:
                return Claim(None, entry.flight, leads=False)
            # Known to this lease first, so that an interruption in between leaves no flight that never ends.
            self._flight = entry.flight = self._cache.new_flight()
            return Claim(token, None, leads=True)

    def store(self, token: Token) -> None:
        """Store a new token and let the waiting calls have it."""
        token.replaces_refused = self._refused
        self._end(token=token)

    def fail(self, error: DidwwError | None) -> None:
        """Let the waiting calls raise copies of `error`, or one of them try again if it is None."""
        self._end(error=error)

    def postpone(self, until: float) -> None:
        """Keep the old token, and try again at `until`."""
        self._end(pause_until=until)

    def release(self) -> None:
        """End a flight that has not ended, because the call was canceled, so that another call takes over."""
        if self._flight is not None:
            self._end()

    def first_report(self) -> bool:
        """Return True at the first call for this entry only."""
        with self._cache.lock:
            first = not self._entry.scope_reported
            self._entry.scope_reported = True
            return first

    def _end(self, *, token: Token | None = None, error: DidwwError | None = None, pause_until: float = 0.0) -> None:
        flight = self._flight
        with self._cache.lock:
            if self._entry.flight is flight:
                self._entry.flight = None
                self._entry.token = token or self._entry.token
                self._entry.pause_until = pause_until
        if flight is not None:
            flight.land(error)
        self._flight = None


_caches: Final[WeakSet[TokenCache]] = WeakSet()


def _after_fork() -> None:
    for cache in _caches:
        cache.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
