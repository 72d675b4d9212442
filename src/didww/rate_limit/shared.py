"""Rate limiters shared by several processes (`SqliteLimiter`) or hosts (`RedisLimiter`).

Permits are granted by pyrate-limiter's GCRA. It stores only the time of the next permit, so permits are evenly spaced,
and a pause is a permit taken at its end. A caller without a permit asks again. Waiting callers are not stored, so no
one waits for a process that died.
"""

from __future__ import annotations

import codecs
import contextlib
import math
import os
import random
import sqlite3
import time
from abc import ABC, abstractmethod
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from pyrate_limiter import GCRA, Rate, RateItem, RedisStateStore, StateBucket, StateStore

from didww._util.fork import in_sqlite
from didww.exceptions import DidwwClientError, InvalidValueError
from didww.rate_limit.local import DEFAULT_RATE, MARGIN, Permit, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyrate_limiter import Decision, StateAlgorithm

__all__ = ["RedisClient", "RedisLimiter", "SqliteLimiter"]

PATIENCE: Final = 5.0
"""Seconds to wait for another process that has locked the file."""
REDIS_PATIENCE: Final = 2.0
"""Redis timeout in seconds, for clients created here."""
MAX_SLOW_DOWN: Final = 60.0
"""Seconds. A stored time further ahead comes from a clock that was set back since, or from before a reboot."""


class _SharedLimiter(ABC):
    """Base class, independent of the store."""

    blocking = True

    def __init__(self, rate: float) -> None:
        self.rate = RateLimiter(rate).rate  # validates the rate
        self._gap = MARGIN / self.rate
        # In milliseconds: 1000 permits in 1000 gaps, evenly. The library counts whole milliseconds; the margin covers
        # the rounding.
        self._rates = [Rate(1000, math.ceil(1_000_000 * self._gap), burst=1)]
        self._longest = math.ceil(1000 * (MAX_SLOW_DOWN + 2 * self._gap)) + 2
        self._retry_times: list[float] = []  # when callers of this process without a permit will ask again

    def acquire(self, timeout: float) -> Permit:
        """Return a permit for now, or how long to wait before asking again.

        Raises:
            DidwwClientError: The file or Redis cannot be used.
        """
        if timeout < 0:
            return Permit(0.0, granted=False)
        wait = self._take(0.0, timeout)
        if wait <= 0:
            return Permit(0.0, granted=True)
        if wait > timeout:
            return Permit(wait, granted=False)
        # Five callers ask per gap, however many wait: few enough to be cheap, enough to leave no permit unused.
        now = time.monotonic()
        self._retry_times = [at for at in self._retry_times if at > now]
        wait += random.uniform(0, (len(self._retry_times) + 1) * self._gap / 5)  # noqa: S311 not security-relevant
        self._retry_times.append(now + wait)
        return Permit(min(wait, timeout), granted=False)

    def slow_down(self, seconds: float) -> None:
        """Pause new permits in all processes for `seconds`, at most a minute.

        Raises:
            DidwwClientError: The file or Redis cannot be used.
        """
        if seconds > 0:
            self._take(min(seconds, MAX_SLOW_DOWN), PATIENCE)

    @abstractmethod
    def _take(self, ahead: float, timeout: float) -> float:
        """Take the permit `ahead` seconds from now; return 0 if taken, else the seconds until it is available."""

    def _put(self, store: StateStore, now: int, ahead: float) -> float:
        # A bucket keeps the decision of its last call, so each call needs its own bucket.
        bucket = StateBucket(self._rates, GCRA(), store)
        item = RateItem("", now + math.ceil(1000 * ahead))
        decision = cast("Decision", bucket.put_decision(item))
        if (decision.retry_after_ms or 0) > self._longest:
            bucket.flush()
            decision = cast("Decision", bucket.put_decision(item))
        return 0.0 if decision.allowed else cast("int", decision.retry_after_ms) / 1000


class SqliteLimiter(_SharedLimiter):
    """Rate limiter for all processes of one host that use the same SQLite file.

    The file is opened for each call, so that threads, processes and forked children are safe.

    Args:
        path: A dedicated file on a local disk; created when needed.
        rate: Requests per second of all processes together.

    Raises:
        InvalidValueError: `rate` is not above 0.
    """

    def __init__(self, path: str | os.PathLike[str], rate: float = DEFAULT_RATE) -> None:
        super().__init__(rate)
        self.path = Path(path).absolute()

    def _take(self, ahead: float, timeout: float) -> float:
        end = time.monotonic() + min(timeout, PATIENCE)
        while True:
            try:
                with _transaction(self.path) as connection:
                    # All processes of a host share the monotonic clock, and it is never set.
                    return self._put(_Row(connection), time.monotonic_ns() // 1_000_000, ahead)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    problem = (
                        f"cannot be used ({error}). Use a dedicated file in a writable folder. If the file is "
                        "damaged, delete it; nothing is lost."
                    )
                    raise DidwwClientError(f"The rate limiter's file {self.path} {problem}") from error
            if time.monotonic() >= end:
                break
            time.sleep(random.uniform(0.001, 0.005))  # noqa: S311 not security-relevant
        if timeout < PATIENCE:
            return self._gap
        raise DidwwClientError(
            f"The rate limiter's file {self.path} has been locked for {PATIENCE:g} seconds. Stop the program that "
            "locks it, or use a dedicated file on a local disk."
        )

    def __repr__(self) -> str:
        return f"SqliteLimiter({str(self.path)!r}, {self.rate:g})"


@contextlib.contextmanager
def _transaction(path: Path) -> Generator[sqlite3.Connection]:
    """Open the file in an exclusive transaction, or raise if it is locked. Uncommitted changes are rolled back."""
    with in_sqlite, contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        # The state matters for about a second; it need not survive a power failure.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.commit()


class _Row(StateStore):
    """State in a single table row, within the transaction of `connection`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("CREATE TABLE IF NOT EXISTS limiter (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT)")

    def check(self, algorithm: StateAlgorithm, rates: list[Rate], now: int, weight: int) -> Decision:
        state, decision = algorithm.step(rates, self.read(algorithm, rates), now, weight)
        if decision.allowed:
            text = " ".join(str(value) for value in state)
            self._connection.execute("INSERT OR REPLACE INTO limiter VALUES (1, ?)", (text,))
        return decision

    def read(self, algorithm: StateAlgorithm, rates: list[Rate]) -> tuple[float, ...]:
        row = self._connection.execute("SELECT state FROM limiter").fetchone()
        return algorithm.initial(rates) if row is None else algorithm.decode(row[0].split())

    def reset(self) -> None:
        self._connection.execute("DELETE FROM limiter")


class RedisClient(Protocol):
    """The methods used of `redis.Redis`, independent of its type stubs."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command and return the reply of Redis."""
        ...

    def register_script(self, script: Any) -> Any:
        """Return a function that runs a script in Redis."""
        ...


class RedisLimiter(_SharedLimiter):
    """Rate limiter for all processes and hosts that use the same key in the same Redis; needs `didww-sdk[redis]`.

    It uses the clock of the Redis server, so the hosts' clocks need not agree.

    Args:
        client_or_url: A URL like `redis://host:6379/0`, for which each process opens its own connections; or your own
            `redis.Redis`, which is used unchanged, with its timeouts, retries and fork behavior.
        rate: Requests per second of all processes together.
        name: The key in Redis. Use a different name for each API key.

    Raises:
        InvalidValueError: `rate` is not above 0, or `client_or_url` is neither a synchronous client nor a URL.
        DidwwClientError: The redis package is not installed.
    """

    def __init__(
        self, client_or_url: str | RedisClient, rate: float = DEFAULT_RATE, name: str = "didww:limiter"
    ) -> None:
        super().__init__(rate)
        self.name = name
        self._client_or_url = client_or_url
        # One per process: a lock of the parent may have been held when the child was forked. `_connected` takes none.
        self._stores: dict[int, tuple[RedisClient, RedisStateStore]] = {}
        self._connected()

    def _connected(self) -> tuple[RedisClient, RedisStateStore]:
        connected = self._stores.get(os.getpid())
        if connected is None:
            client = _client(self._client_or_url)
            store = RedisStateStore(cast("Any", client), self.name, ttl_ms=self._longest)
            connected = self._stores.setdefault(os.getpid(), (client, store))
        return connected

    def _take(self, ahead: float, timeout: float) -> float:
        from redis.exceptions import RedisError

        del timeout  # the Redis client has its own timeouts
        client, store = self._connected()
        try:
            # A caller that read the time later may get here first. The stored time never goes back, so none is early.
            seconds, microseconds = client.execute_command("TIME")
            return self._put(store, seconds * 1000 + microseconds // 1000, ahead)
        except (RedisError, OSError) as error:
            # The error is not chained: the caller's client may put secrets into it.
            reason = type(error).__name__ + _unless_secret(client, f": {error}")
        raise DidwwClientError(
            f"The rate limiter's Redis at {_address(client)} cannot be used ({reason}). Check its address and "
            "password, and that it is running; or give each process its own share of the rate, e.g. rate_limit=5."
        )

    def __repr__(self) -> str:
        return f"RedisLimiter({_address(self._connected()[0])!r}, {self.rate:g}, {self.name!r})"


def _client(client_or_url: str | RedisClient) -> RedisClient:
    """Return a synchronous Redis client."""
    # A connection would import this codec; a child that is forked during an import would wait for it forever.
    codecs.lookup("idna")

    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as error:
        raise DidwwClientError('RedisLimiter needs the redis package: pip install "didww-sdk[redis]".') from error
    if isinstance(client_or_url, str):
        # Without redis' own backoff: the calls have theirs.
        timeouts = {"socket_timeout": REDIS_PATIENCE, "socket_connect_timeout": REDIS_PATIENCE}
        with contextlib.suppress(ValueError):
            client = cast("Any", Redis).from_url(client_or_url, retry=Retry(NoBackoff(), 1), **timeouts)
            return cast("RedisClient", client)
    elif hasattr(client_or_url, "register_script") and not iscoroutinefunction(client_or_url.execute_command):
        return client_or_url
    # The URL may contain a password, so it is not shown.
    raise InvalidValueError(
        "client_or_url must be a URL like redis://host:6379/0 (rediss://, unix://) or a synchronous redis.Redis, even "
        f"for AsyncDidwwClient, got {type(client_or_url).__name__}.",
        field="client_or_url",
    )


def _options(client: RedisClient) -> dict[str, Any]:
    pool = getattr(client, "connection_pool", None)
    return cast("dict[str, Any]", getattr(pool, "connection_kwargs", {}))


def _address(client: RedisClient) -> str:
    options = _options(client)
    return str(options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}")


def _unless_secret(client: RedisClient, text: str) -> str:
    password = _options(client).get("password")
    return "" if password and str(password) in text else text
