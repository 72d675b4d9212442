"""Rate limiters that several processes (`SqliteLimiter`) or hosts (`RedisLimiter`) share.

Turns are handed out by pyrate-limiter's GCRA: what is stored is a single moment, before which nobody's turn comes. So
they are evenly spread, and a pause is a turn taken at its end. Who gets none asks again; nothing is kept of those who
wait, so that nobody waits for a process that died.
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
"""Seconds that another process may keep the file to itself."""
REDIS_PATIENCE: Final = 2.0
"""Seconds that Redis may take to respond, if the client is ours."""
MAX_SLOW_DOWN: Final = 60.0
"""Seconds; what is stored for longer was stored by a clock that has been set back since, or before a restart."""


class _SharedLimiter(ABC):
    """What is the same for all stores."""

    blocking = True

    def __init__(self, rate: float) -> None:
        self.rate = RateLimiter(rate).rate  # with its checks
        self._gap = MARGIN / self.rate
        # In milliseconds: 1000 turns in 1000 gaps, evenly. The library counts whole ones; the margin makes up for that.
        self._rates = [Rate(1000, math.ceil(1_000_000 * self._gap), burst=1)]
        self._longest = math.ceil(1000 * (MAX_SLOW_DOWN + 2 * self._gap)) + 2
        self._asking: list[float] = []  # when those of this process who got no turn will ask again

    def acquire(self, timeout: float) -> Permit:
        """A turn for now, or how long to wait before asking again.

        Raises:
            DidwwClientError: What the turns are kept in cannot be used.
        """
        if timeout < 0:
            return Permit(0.0, granted=False)
        wait = self._take(0.0, timeout)
        if wait <= 0:
            return Permit(0.0, granted=True)
        if wait > timeout:
            return Permit(wait, granted=False)
        # Five ask in a gap, however many wait: few enough to cost little, enough to leave no turn unused.
        now = time.monotonic()
        self._asking = [at for at in self._asking if at > now]
        wait += random.uniform(0, (len(self._asking) + 1) * self._gap / 5)  # noqa: S311 nothing secret
        self._asking.append(now + wait)
        return Permit(min(wait, timeout), granted=False)

    def slow_down(self, seconds: float) -> None:
        """Nobody's turn for so long, in all processes; at most a minute.

        Raises:
            DidwwClientError: What the turns are kept in cannot be used.
        """
        if seconds > 0:
            self._take(min(seconds, MAX_SLOW_DOWN), PATIENCE)

    @abstractmethod
    def _take(self, ahead: float, timeout: float) -> float:
        """Take the turn in `ahead` seconds from now; return for how many seconds it is not to be had, 0 if taken."""

    def _put(self, store: StateStore, now: int, ahead: float) -> float:
        # A bucket keeps the outcome of its last question; so each question has its own.
        bucket = StateBucket(self._rates, GCRA(), store)
        item = RateItem("", now + math.ceil(1000 * ahead))
        decision = cast("Decision", bucket.put_decision(item))
        if (decision.retry_after_ms or 0) > self._longest:
            bucket.flush()
            decision = cast("Decision", bucket.put_decision(item))
        return 0.0 if decision.allowed else cast("int", decision.retry_after_ms) / 1000


class SqliteLimiter(_SharedLimiter):
    """A limiter for all processes of one host that name the same file.

    Each question opens the file anew, so that threads, processes and forked children need no care.

    Args:
        path: A file for this alone, on a disk of this host; it is made when it is needed.
        rate: Requests in a second, of all processes together.

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
                    # The monotonic clock is one for all processes of a host, and is never set.
                    return self._put(_Row(connection), time.monotonic_ns() // 1_000_000, ahead)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    problem = (
                        f"cannot be used ({error}). It has to be a file of its own in a folder that this process may "
                        "write to; if it is damaged, delete it: nothing is lost."
                    )
                    raise DidwwClientError(f"The rate limiter's file {self.path} {problem}") from error
            if time.monotonic() >= end:
                break
            time.sleep(random.uniform(0.001, 0.005))  # noqa: S311 nothing secret
        if timeout < PATIENCE:
            return self._gap
        raise DidwwClientError(
            f"The rate limiter's file {self.path} has been locked for {PATIENCE:g} seconds. Stop the program that "
            "holds it, or give the limiter a file of its own on a disk of this host."
        )

    def __repr__(self) -> str:
        return f"SqliteLimiter({str(self.path)!r}, {self.rate:g})"


@contextlib.contextmanager
def _transaction(path: Path) -> Generator[sqlite3.Connection]:
    """The file, to ourselves, or an error at once; what is not committed when the connection is closed is undone."""
    with in_sqlite, contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        # What is kept is worth a second; it need not survive a loss of power.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.commit()


class _Row(StateStore):
    """The state in the one row of a table, within the transaction of `connection`."""

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
    """What is needed of a `redis.Redis`, whichever stubs there are for it."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command and return the reply of Redis."""
        ...

    def register_script(self, script: Any) -> Any:
        """A function that runs a script in Redis."""
        ...


class RedisLimiter(_SharedLimiter):
    """A limiter for all processes of all hosts that name the same key of the same Redis; needs `didww-sdk[redis]`.

    The time is that of the Redis server, so the clocks of the hosts need not agree.

    Args:
        client_or_url: An address like `redis://host:6379/0`, where each process makes connections of its own, or a
            `redis.Redis` of yours, used as it is: its timeouts, its retries, and what it makes of a fork.
        rate: Requests in a second, of all processes together.
        name: The key in Redis; a name of its own for each API key.

    Raises:
        InvalidValueError: `rate` is not above 0, or `client_or_url` is neither a synchronous client nor an address.
        DidwwClientError: The package redis is not installed.
    """

    def __init__(
        self, client_or_url: str | RedisClient, rate: float = DEFAULT_RATE, name: str = "didww:limiter"
    ) -> None:
        super().__init__(rate)
        self.name = name
        self._client_or_url = client_or_url
        # One for each process: the locks of a parent's may have been held when the child was forked. `_connected` needs
        # none.
        self._stores: dict[int, tuple[RedisClient, RedisStateStore]] = {}
        self._connected()

    def _connected(self) -> tuple[RedisClient, RedisStateStore]:
        found = self._stores.get(os.getpid())
        if found is None:
            client = _client(self._client_or_url)
            store = RedisStateStore(cast("Any", client), self.name, ttl_ms=self._longest)
            found = self._stores.setdefault(os.getpid(), (client, store))
        return found

    def _take(self, ahead: float, timeout: float) -> float:
        from redis.exceptions import RedisError

        del timeout  # how long Redis may take is the client's affair
        client, store = self._connected()
        try:
            # Whoever asked for the time later may come first; the stored moment never goes back, so none is too early.
            seconds, microseconds = client.execute_command("TIME")
            return self._put(store, seconds * 1000 + microseconds // 1000, ahead)
        except (RedisError, OSError) as error:
            # The error's own chain is left out: nobody can tell what a client of the caller's puts there.
            reason = type(error).__name__ + _unless_secret(client, f": {error}")
        raise DidwwClientError(
            f"The rate limiter's Redis at {_address(client)} cannot be used ({reason}). Check its address, its "
            "password and that it runs; or limit each process by itself, with its share of the rate: rate_limit=5."
        )

    def __repr__(self) -> str:
        return f"RedisLimiter({_address(self._connected()[0])!r}, {self.rate:g}, {self.name!r})"


def _client(client_or_url: str | RedisClient) -> RedisClient:
    """A synchronous client."""
    # What a connection would import: a child that is forked in the middle of an import waits for it without end.
    codecs.lookup("idna")

    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as error:
        raise DidwwClientError('RedisLimiter needs one more package: pip install "didww-sdk[redis]".') from error
    if isinstance(client_or_url, str):
        # Without the pauses that redis makes: the calls have theirs.
        patience = {"socket_timeout": REDIS_PATIENCE, "socket_connect_timeout": REDIS_PATIENCE}
        with contextlib.suppress(ValueError):
            made = cast("Any", Redis).from_url(client_or_url, retry=Retry(NoBackoff(), 1), **patience)
            return cast("RedisClient", made)
    elif hasattr(client_or_url, "register_script") and not iscoroutinefunction(client_or_url.execute_command):
        return client_or_url
    # The address may hold a password: it is not shown.
    raise InvalidValueError(
        "RedisLimiter takes an address like redis://host:6379/0 (rediss://, unix://), or a redis.Redis: the "
        "synchronous client, for an asynchronous client of this package too.",
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
