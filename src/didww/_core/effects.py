"""What the pure core asks the world for, and what it gets back.

A call is a generator that yields these effects and receives their outcomes; the two drivers (`didww._drivers.sync`,
`didww._drivers.asynchronous`) carry them out and do nothing else. There is no I/O, no clock and no thread here.
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
    "Call",
    "Close",
    "Effect",
    "FileClose",
    "FileMeasure",
    "FileOpen",
    "FileRestart",
    "FileWrite",
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
    "callback",
    "clock",
]

T = TypeVar("T")


class Stream(Protocol):
    """A body that is made while it is sent; each iteration makes it anew, and all have the same length."""

    def __len__(self) -> int:
        """Number of bytes."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, in pieces."""
        ...

    def sent(self, size: int) -> object:
        """Note how many bytes are on their way; an asynchronous driver awaits what can be awaited."""
        ...


class Request(Struct, frozen=True):
    """An HTTP request, ready to go: absolute URL with its query, headers, body.

    Its repr shows neither query nor headers nor body, which may hold secrets.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | Stream | None = None

    @property
    def redacted_url(self) -> str:
        """The address without its query, which may hold secrets."""
        return without_query(self.url)

    def __repr__(self) -> str:
        return f"Request({self.method} {self.redacted_url})"


class Response(Struct, frozen=True):
    """An HTTP response with its whole body; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


class Opened(Protocol):
    """An HTTP response whose body is still on the wire; the transport's own object."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, names in lower case."""
        ...


class Send(Struct, frozen=True):
    """Send `request`; outcome: a `Response`.

    `deadline` is a moment of the clock that `Now` tells; `ApiConnectionError` (or `ApiTimeoutError`) is thrown in
    when no whole response arrived by then.
    """

    request: Request
    deadline: float


class Open(Struct, frozen=True):
    """Send `request`, leave the body on the wire; outcome: an `Opened`."""

    request: Request
    deadline: float


class Read(Struct, frozen=True):
    """The next bytes of the body; outcome: bytes, empty at its end."""

    opened: Opened


class Close(Struct, frozen=True):
    """Done with `opened`, whether or not it was read to its end; outcome: None."""

    opened: Opened


class Source(Protocol):
    """A file to be sent."""

    @property
    def awaited(self) -> bool:
        """Whether it is to be read by an event loop: `receive` instead of `measure`."""
        ...

    async def receive(self) -> int | None:
        """As `measure`."""
        ...

    def measure(self) -> int | None:
        """Number of its bytes; None if it is not known yet, and is to be asked again."""
        ...


class FileMeasure(Struct, frozen=True):
    """Find out how large `source` is; outcome: number of bytes, or None when it has to be asked again."""

    source: Source


class FileOpen(Struct, frozen=True):
    """Open a new file beside `path` to write, with a temporary name of its own; outcome: the file."""

    path: str


class FileWrite(Struct, frozen=True):
    """Write `data`; outcome: None."""

    file: IO[bytes]
    data: bytes


class FileRestart(Struct, frozen=True):
    """Empty `file`, to write it anew; outcome: None."""

    file: IO[bytes]


class FileClose(Struct, frozen=True):
    """Close `file`; if `rename_to` is given, make sure it is on disk and give it that name, else remove it."""

    file: IO[bytes]
    rename_to: str | None = None


class Now(Struct, frozen=True):
    """The time in seconds on a clock that never goes back; outcome: float."""


class Sleep(Struct, frozen=True):
    """Let `seconds` pass; outcome: None."""

    seconds: float


class Acquire(Struct, frozen=True):
    """Ask `limiter` for a permit within `timeout` seconds; outcome: a `Permit`."""

    limiter: Limiter
    timeout: float


class SlowDown(Struct, frozen=True):
    """Have `limiter` hand out no permit for `seconds`; outcome: None."""

    limiter: Limiter
    seconds: float


class Notify(Struct, frozen=True):
    """Log `event`, and call each of the `observers` that are for its type; outcome: None."""

    event: Any
    observers: tuple[tuple[type, Callable[[Any], object]], ...]


def callback(function: Callable[[Any], object], argument: object) -> Notify:
    """Return the effect that calls a function of the caller's own."""
    return Notify(argument, ((object, function),))


class Started(Protocol):
    """A call that goes on beside the one that started it; the driver's own object."""


class Start(Struct, frozen=True):
    """Begin `call` beside this one; outcome: a `Started`.

    What was not joined when this call ends is cancelled.
    """

    call: Call[Any]


class Join(Struct, frozen=True):
    """Wait for a call that was started; outcome: its result, or the error that it raises."""

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
    | Start
    | Join
)
Call: TypeAlias = Generator[Effect, Any, T]


def clock() -> Call[float]:
    """Return the time in seconds on a clock that never goes back."""
    return cast("float", (yield Now()))
