"""The effects that the core yields to its drivers, and their results.

A call is a generator that yields effects and receives their results. The two drivers (`didww._drivers.sync` and
`didww._drivers.asynchronous`) perform them. This module does no I/O, reads no clock and starts no thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast

from msgspec import Struct

from didww._util.urls import without_query

if TYPE_CHECKING:
    from didww.rate_limit.local import Limiter

__all__ = [
    "Acquire",
    "Await",
    "Call",
    "Close",
    "Completion",
    "Effect",
    "FileClose",
    "FileMeasure",
    "FileOpen",
    "FileRestart",
    "FileWrite",
    "Invoke",
    "Join",
    "Notify",
    "Now",
    "Open",
    "Opened",
    "Read",
    "Request",
    "Response",
    "Send",
    "Sleep",
    "SlowDown",
    "Source",
    "Start",
    "Started",
    "Stream",
    "Work",
    "callback",
    "clock",
]

T = TypeVar("T")


class Stream(Protocol):
    """A streaming request body that can be iterated again for a retry, always with the same length."""

    def __len__(self) -> int:
        """Return the number of bytes."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in chunks."""
        ...

    def sent(self, size: int) -> object:
        """Report the number of bytes sent so far. An asynchronous driver awaits an awaitable result."""
        ...


class Request(Struct, frozen=True):
    """An HTTP request: method, absolute URL with its query, headers and body.

    The repr omits the query, headers and body, which may hold secrets.

    Attributes:
        method: The HTTP method.
        url: The absolute URL.
        headers: The headers, with an API key, or with a token once the request is sent.
        body: The body, if any.
        audience: The audience of the token to add when the request is sent. Empty if it needs no token.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | Stream | None = None
    audience: str = ""

    @property
    def redacted_url(self) -> str:
        """The URL without its query, which may hold secrets."""
        return without_query(self.url)

    def __repr__(self) -> str:
        return f"Request({self.method} {self.redacted_url})"


class Response(Struct, frozen=True):
    """An HTTP response with its complete body; header names are lowercase."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


class Opened(Protocol):
    """An HTTP response whose body is not read yet; an object of the transport."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """HTTP headers with lowercase names."""
        ...


class Send(Struct, frozen=True):
    """Send `request`; the result is a `Response`.

    `deadline` is a time of the clock that `Now` reads. The driver throws `ApiConnectionError` or `ApiTimeoutError` into
    the call if no complete response arrives by then.
    """

    request: Request
    deadline: float


class Open(Struct, frozen=True):
    """Send `request` without reading the response body; the result is an `Opened`."""

    request: Request
    deadline: float


class Read(Struct, frozen=True):
    """Read the next bytes of the body; the result is empty at its end."""

    opened: Opened


class Close(Struct, frozen=True):
    """Close `opened`, whether or not its body was read completely; the result is None."""

    opened: Opened


class Source(Protocol):
    """A file to upload."""

    @property
    def awaited(self) -> bool:
        """Whether it is read by an event loop, with `receive` instead of `measure`."""
        ...

    async def receive(self) -> int | None:
        """Do the same as `measure`, asynchronously."""
        ...

    def measure(self) -> int | None:
        """Return the size in bytes, or None if the call has to be repeated."""
        ...


class FileMeasure(Struct, frozen=True):
    """Measure `source`; the result is its size in bytes, or None if the effect has to be repeated."""

    source: Source


class FileOpen(Struct, frozen=True):
    """Open a temporary file next to `path` for writing; the result is the file."""

    path: str


class FileWrite(Struct, frozen=True):
    """Write `data`; the result is None."""

    file: IO[bytes]
    data: bytes


class FileRestart(Struct, frozen=True):
    """Truncate `file` to write it again from the start; the result is None."""

    file: IO[bytes]


class FileClose(Struct, frozen=True):
    """Close `file`, then flush it to disk and rename it to `rename_to`, or delete it if that is None."""

    file: IO[bytes]
    rename_to: str | None = None


class Now(Struct, frozen=True):
    """Read a monotonic clock; the result is its time in seconds."""


class Sleep(Struct, frozen=True):
    """Sleep for `seconds`; the result is None."""

    seconds: float


class Acquire(Struct, frozen=True):
    """Acquire a permit from `limiter` within `timeout` seconds; the result is a `Permit`."""

    limiter: Limiter
    timeout: float


class SlowDown(Struct, frozen=True):
    """Pause `limiter` for `seconds`; the result is None."""

    limiter: Limiter
    seconds: float


class Notify(Struct, frozen=True):
    """Log `event` and call the `observers` of its type; the result is None."""

    event: Any
    observers: tuple[tuple[type, Callable[[Any], object]], ...]


def callback(function: Callable[[Any], object], argument: object) -> Notify:
    """Return the effect that calls a function supplied by the caller."""
    return Notify(argument, ((object, function),))


class Completion(Protocol):
    """The end of something that another call does, in any thread or task."""

    @property
    def thread(self) -> int:
        """The thread of that call. A call that blocks this thread, such as one in its event loop, cannot wait."""
        ...

    def listen(self, wake: Callable[[], object]) -> None:
        """Call `wake` from any thread when it ends; immediately if it has ended."""
        ...

    def forget(self, wake: Callable[[], object]) -> None:
        """Do not call `wake` anymore."""
        ...


class Await(Struct, frozen=True):
    """Wait for `completion`, but at most `timeout` seconds; the result is False if it would never come."""

    completion: Completion
    timeout: float


class Invoke(Struct, frozen=True):
    """Call a function supplied by the caller; the result is a tuple with its own.

    An asynchronous driver awaits an awaitable, at most `timeout` seconds; then the tuple is empty.
    """

    function: Callable[[], Any]
    timeout: float


class Work(Struct, frozen=True):
    """Call a function of this package that may block; the result is its own.

    An asynchronous driver calls it in a thread.
    """

    function: Callable[[], Any]


class Started(Protocol):
    """A call that runs concurrently with the one that started it; an object of the driver."""


class Start(Struct, frozen=True):
    """Start `call` concurrently; the result is a `Started`.

    Calls that are not joined are canceled when this call ends.
    """

    call: Call[Any]


class Join(Struct, frozen=True):
    """Wait for a started call; the result is its return value, or the error that it raises."""

    started: Started


Effect: TypeAlias = (
    Acquire
    | SlowDown
    | Notify
    | Send
    | Open
    | Read
    | Close
    | FileMeasure
    | FileOpen
    | FileWrite
    | FileRestart
    | FileClose
    | Now
    | Sleep
    | Await
    | Invoke
    | Work
    | Start
    | Join
)
Call: TypeAlias = Generator[Effect, Any, T]


def clock() -> Call[float]:
    """Return the time of a monotonic clock in seconds."""
    return cast("float", (yield Now()))
