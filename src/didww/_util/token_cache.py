"""Tokens of the clients that share a provider, and which call gets a new one while the others wait.

A cache does no I/O and reads no clock. Its methods return at once, so that threads, tasks of asyncio and tasks of trio
can share it.
"""

from __future__ import annotations

import copy
import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn
from weakref import WeakSet

from didww.exceptions import DidwwClientError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from didww.exceptions import DidwwError

__all__ = ["CacheAccess", "Claim", "PendingToken", "Token", "TokenCache"]

RENEW_BEFORE: Final = 60.0
"""Seconds before its expiry in which a token is renewed."""
RENEW_SHARE: Final = 0.2
"""The same as a share of its life, for tokens of a short life."""
REFUSAL_PAUSE: Final = 5.0
"""Seconds in which a token is not replaced that replaces a refused one, and was only refused itself."""
TAKEOVER_AFTER: Final = 60.0
"""Seconds after which another call gets the token, even if the first one has more time: it may have been abandoned."""


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

    def __reduce__(self) -> NoReturn:
        raise DidwwClientError("A token cannot be copied or pickled.")


class PendingToken:
    """A token that one call is getting, and other calls wait for.

    Attributes:
        thread: The thread of the call that gets it.
        deadline: When that call has ended, or is no longer waited for.
        finished: Whether that call has ended, or another one has taken over.
        error: The error of the token service, for all calls that waited; None if another call is to try.
    """

    __slots__ = ("_lock", "_wakes", "deadline", "error", "finished", "thread")

    def __init__(self, deadline: float) -> None:
        self.thread = threading.get_ident()
        self.deadline = deadline
        self.finished = False
        self.error: DidwwError | None = None
        self._lock = threading.RLock()  # garbage collection can cancel a call in the middle of another one's
        self._wakes: list[Callable[[], object]] = []

    def listen(self, wake: Callable[[], object]) -> None:
        """Call `wake` when the token is no longer pending; immediately if it is not."""
        with self._lock:
            if not self.finished:
                self._wakes.append(wake)
                return
        wake()

    def forget(self, wake: Callable[[], object]) -> None:
        """Do not call `wake` anymore."""
        with self._lock:
            if wake in self._wakes:
                self._wakes.remove(wake)

    def finish(self, error: DidwwError | None = None) -> None:
        """End the wait of all calls. Another call of this method completes one that was interrupted."""
        with self._lock:
            if not self.finished:
                self.error, self.finished = error, True
        while self._wakes:
            with self._lock:
                wake = self._wakes[0] if self._wakes else None
            if wake is not None:
                wake()
                self.forget(wake)  # only now, so that an interruption in between loses none


_own: Final[ContextVar[tuple[PendingToken, ...]]] = ContextVar("didww.pending_tokens", default=())
"""The tokens that the code in this context is getting. Hooks and signal handlers run in the context of their call."""


class Claim(NamedTuple):
    """What a call that needs a token is to do.

    Attributes:
        token: A valid token to use; None if there is none.
        pending: The token to wait for; None if the call need not wait, or is to get the token itself.
        mints: Whether the call is to get a new token.
        error: The error to raise: the token service has refused the same request a moment ago.
    """

    token: Token | None = None
    pending: PendingToken | None = None
    mints: bool = False
    error: DidwwError | None = None


class _Entry:
    """The token of one key.

    Attributes:
        token: The latest token.
        pending: The next one.
        pause_until: When to try again after a failed renewal.
        error: The latest error of the token service, to raise until `error_until`.
        error_until: When to ask the token service again.
        refused: Whether a service has refused the latest token.
        scope_reported: Whether a scope that differs from the requested one was reported.
    """

    __slots__ = ("error", "error_until", "pause_until", "pending", "refused", "scope_reported", "token")

    def __init__(self) -> None:
        self.token: Token | None = None
        self.pending: PendingToken | None = None
        self.error: DidwwError | None = None
        self.error_until = self.pause_until = 0.0
        self.refused = self.scope_reported = False


class TokenCache:
    """The tokens of one provider, by URL, audience, scope and version."""

    __slots__ = ("__weakref__", "_entries", "_lock")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # garbage collection can cancel a call in the middle of another one's
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
        """Forget pending tokens: the threads that get them do not exist in the new process."""
        self._lock = threading.RLock()
        for entry in self._entries.values():
            entry.pending = None


class CacheAccess:
    """The access of one call to the token of one key. Close it in a `finally` block."""

    __slots__ = ("_cache", "_entry", "_pending")

    def __init__(self, cache: TokenCache, key: Hashable) -> None:
        self._cache = cache
        self._entry = cache.entry(key)
        self._pending: PendingToken | None = None

    def claim(self, now: float, deadline: float, refused: Token | None = None) -> Claim:
        """Return what the call is to do.

        Args:
            now: The time.
            deadline: When the call ends.
            refused: The token that the service has refused. The claim has this token again if another one would be
                refused, too.
        """
        overdue: PendingToken | None = None
        with self._cache.lock:
            entry = self._entry
            if refused is not None and entry.token is refused:
                if refused.replaces_refused and not refused.accepted and now < refused.since + REFUSAL_PAUSE:
                    return Claim(refused)
                entry.token, entry.refused = None, True
            token = entry.token if entry.token is not None and now < entry.token.expires_at else None
            pending = entry.pending
            if pending is not None and now >= pending.deadline:
                overdue, pending = pending, None
            if token is not None and (now < max(token.renew_at, entry.pause_until) or pending is not None):
                return Claim(token)
            if token is None and entry.error is not None and now < entry.error_until:
                return Claim(error=_copy_for(entry.error, entry.error_until - now))
            if pending is not None and pending not in _own.get():
                return Claim(pending=pending)
            # A call inside of the one that gets the token, such as one of a hook, gets another token for itself.
            if pending is None:
                started = PendingToken(min(deadline, now + TAKEOVER_AFTER))
                _own.set((*(own for own in _own.get() if not own.finished), started))
                # Known to this object first, so that an interruption in between leaves nothing pending.
                self._pending = started
                entry.pending = started
        if overdue is not None:
            overdue.finish()
        return Claim(token, mints=True)

    def store(self, token: Token) -> None:
        """Store a new token and let the waiting calls have it."""
        self._end(token=token)

    def fail(self, error: DidwwError | None, until: float = 0.0) -> None:
        """Let the waiting calls raise copies of `error`, or one of them try again if it is None.

        Until the time `until`, calls without a token raise copies, too.
        """
        self._end(error=error, error_until=until)

    def postpone(self, until: float) -> None:
        """Keep the old token, and try again at `until`."""
        self._end(pause_until=until)

    def close(self) -> None:
        """End what has not ended, because the call was canceled, so that another call takes over."""
        if self._pending is not None:
            self._end()

    def first_report(self) -> bool:
        """Return True at the first call for this entry only."""
        with self._cache.lock:
            first = not self._entry.scope_reported
            self._entry.scope_reported = True
            return first

    def _end(
        self,
        *,
        token: Token | None = None,
        error: DidwwError | None = None,
        error_until: float = 0.0,
        pause_until: float = 0.0,
    ) -> None:
        pending, entry = self._pending, self._entry
        with self._cache.lock:
            current = pending is not None and entry.pending is pending
            if token is not None and (current or entry.token is None):
                token.replaces_refused, entry.refused = entry.refused, False
                entry.token, entry.error = token, None
            if current:
                if error_until:
                    entry.error, entry.error_until = error, error_until
                entry.pause_until = pause_until
                entry.pending = None
        if pending is not None:
            pending.finish(error)
        self._pending = None


def _copy_for(error: DidwwError, remaining: float) -> DidwwError:
    """Return a copy of a remembered error with the remaining delay: raising an error changes it."""
    copied = copy.copy(error)
    if isinstance(copied, RateLimitError):
        copied.retry_after = remaining
    return copied


_caches: Final[WeakSet[TokenCache]] = WeakSet()


def _after_fork() -> None:
    for cache in _caches:
        cache.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
