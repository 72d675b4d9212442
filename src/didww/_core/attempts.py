"""One exchange with the service: turns, attempts, pauses between, all within one deadline, and everybody told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from didww._core.effects import Acquire, Call, Now, Request, Response, Send, Sleep, SlowDown, Tell
from didww._core.events import Failed, RequestStarted, ResponseReceived, RetryScheduled
from didww._core.response import retry_after_of
from didww._core.retry import MAX_RETRY_AFTER, UNSENT, kind_of, pause, repeats
from didww._core.trace import CallTrace, with_trace
from didww.exceptions import ApiConnectionError, ApiTimeoutError, DidwwClientError, UnexpectedResponseError

if TYPE_CHECKING:
    from didww.configuration import Configuration
    from didww.rate_limit.local import Permit

__all__ = ["Exchanged", "exchange", "slow_down", "take_turn", "within"]


class Exchanged(Struct, frozen=True):
    """An answer, and how it was come by.

    Attributes:
        response: The answer.
        attempts: How often the request was sent.
        uncertain: Whether an earlier attempt may have been carried out.
    """

    response: Response
    attempts: int
    uncertain: bool


def exchange(
    configuration: Configuration, request: Request, *, creating: bool, course: CallTrace | None = None
) -> Call[Exchanged]:
    """Exchange `request` for a response, which may be an error; retry it by the table in `retry`.

    Args:
        configuration: The client's settings.
        request: What to send.
        creating: Whether sending it twice would do it twice.
        course: Kept up to date, for a caller who wants to know how far the call came whatever ends it.

    Raises:
        ApiConnectionError: No answer came, after all attempts that the table allows; `attempts` counts them.
        ApiTimeoutError: The time ran out.
        UnexpectedResponseError: The answer was damaged.
    """

    def attempts(course: CallTrace) -> Call[Exchanged]:
        return _attempts(configuration, request, creating=creating, course=course)

    return with_trace(configuration, course or CallTrace(request), attempts)


def _attempts(configuration: Configuration, request: Request, *, creating: bool, course: CallTrace) -> Call[Exchanged]:
    start = cast("float", (yield Now()))
    deadline = start + configuration.timeout
    attempt, uncertain = 1, False
    while True:
        yield from take_turn(configuration, request, start, deadline, attempt, uncertain=uncertain)
        course.attempts, course.status = attempt, None
        sent_at = cast("float", (yield Now()))
        yield Tell(RequestStarted(request, attempt), configuration.observers)
        response: Response | None = None
        failure: ApiConnectionError | UnexpectedResponseError | None = None
        course.in_doubt = True
        try:
            response = cast("Response", (yield Send(request, deadline)))
        except (ApiConnectionError, UnexpectedResponseError) as error:
            failure = error
        except DidwwClientError:  # the client is closed, or its proxy is unusable
            course.in_doubt = False
            raise
        now = cast("float", (yield Now()))
        if response is not None:
            course.answered(response.status, response.headers)
            course.in_doubt = not 400 <= response.status < 500
            configuration.server_clock.hear(response.headers)
            yield Tell(ResponseReceived(request, attempt, response, now - sent_at), configuration.observers)
            kind: str | int = response.status
            if response.status < 500 and response.status != 429:
                configuration.budget.earn()
                return Exchanged(response, attempt, uncertain)
            asked = retry_after_of(response.headers)
        else:
            assert failure is not None  # noqa: S101 one of the two
            course.in_doubt = not isinstance(failure, ApiConnectionError) or failure.request_sent
            yield Tell(Failed(request, attempt, failure, now - sent_at), configuration.observers)
            kind = kind_of(failure)
            asked = None
        if kind == 429:
            yield from slow_down(configuration, asked)
        wait = pause(attempt, asked, configuration.jitter)
        again = (
            attempt <= configuration.max_retries
            and not isinstance(failure, ApiTimeoutError)
            and repeats(kind, creating=creating)
            and (asked is None or asked <= MAX_RETRY_AFTER)
            and now + wait < deadline
            and configuration.budget.spend()
        )
        if not again:
            if response is not None:
                return Exchanged(response, attempt, uncertain)
            if isinstance(failure, ApiConnectionError):
                failure.request_sent = failure.request_sent or uncertain
            raise _told(cast("Any", failure), attempt, now - start)
        uncertain = uncertain or kind not in (UNSENT, 429)
        yield Tell(RetryScheduled(request, attempt, kind, wait), configuration.observers)
        yield Sleep(wait)
        attempt += 1


def take_turn(
    configuration: Configuration,
    request: Request,
    start: float,
    deadline: float,
    attempt: int,
    *,
    uncertain: bool = False,
) -> Call[None]:
    """Wait until the limiter lets a request go; `uncertain` if an earlier attempt may have been carried out."""
    limiter = configuration.limiter
    while limiter is not None:
        now = cast("float", (yield Now()))
        turn = cast("Permit", (yield Acquire(limiter, deadline - now)))
        if now + turn.seconds > deadline:
            raise ApiTimeoutError(
                f"{request.method} {request.shown} did not get its turn before its timeout ran out: the rate limit "
                "lets no more requests go. Raise `timeout=`, or make fewer requests at once.",
                request_sent=uncertain,
                attempts=attempt - 1,
                elapsed=now - start,
                phase="waiting for a permit",
            )
        if turn.seconds:
            yield Sleep(turn.seconds)
        if turn.taken:
            return


def within(configuration: Configuration, end: float, what: str, phase: str) -> Call[Configuration]:
    """Return `configuration` with the time that is left until `end` as its timeout.

    Args:
        configuration: The client's settings.
        end: When the call's timeout runs out.
        what: What was still to be sent, for the error.
        phase: What the call was at, for the error.

    Raises:
        ApiTimeoutError: No time is left.
    """
    left = end - cast("float", (yield Now()))
    if left <= 0:
        raise ApiTimeoutError(
            f"{what} was not sent before the call's timeout ran out. Raise `timeout=`.",
            request_sent=False,
            phase=phase,
        )
    return configuration.replaced(timeout=left)


def slow_down(configuration: Configuration, asked: float | None) -> Call[None]:
    """Have the limiter pause after a 429 that asked for so long, or did not say."""
    if configuration.limiter is not None:
        yield SlowDown(configuration.limiter, 1.0 if asked is None else min(asked, MAX_RETRY_AFTER))


def _told(failure: Any, attempts: int, elapsed: float) -> Any:
    """`failure`, with what is known of the call as a whole."""
    if isinstance(failure, ApiConnectionError):
        failure.tell(attempts, elapsed)
    return failure
