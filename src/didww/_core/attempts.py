"""Send the requests of one call and retry them by the rules of `retry`, within a single deadline."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from msgspec import Struct

from didww._core.effects import Acquire, Call, Notify, Request, Response, Send, Sleep, SlowDown, clock
from didww._core.events import RequestFailed, RequestStarted, ResponseReceived, RetryScheduled
from didww._core.retry import MAX_RETRY_AFTER, UNSENT, kind_of, pause, repeats, retry_after_of
from didww._core.trace import CallTrace, with_trace
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    DidwwClientError,
    DidwwError,
    UnexpectedResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.configuration import Configuration
    from didww.rate_limit.local import Permit

__all__ = [
    "Attempt",
    "Exchanged",
    "Failure",
    "acquire_permit",
    "exchange",
    "mark_unknown",
    "send_once",
    "slow_down",
    "with_retries",
    "within",
]

T = TypeVar("T")


class Exchanged(Struct, frozen=True):
    """A response and the attempts that led to it.

    Attributes:
        response: The response.
        attempts: Number of times the request was sent.
        uncertain: Whether the server may have processed an earlier attempt.
    """

    response: Response
    attempts: int
    uncertain: bool


class Attempt(Struct, frozen=True):
    """One attempt of a call.

    Attributes:
        number: The attempt number, starting at 1.
        start: When the call began.
        deadline: When the call times out.
        uncertain: Whether the server may have processed an earlier attempt.
    """

    number: int
    start: float
    deadline: float
    uncertain: bool


class Failure(Struct, Generic[T], frozen=True, kw_only=True):
    """A failed attempt.

    Attributes:
        request: The request that was sent.
        kind: The key of its rule in `retry.RULES`.
        error: The error to raise when there is no retry.
        result: The result to return, instead of an error, when there is no retry.
        retry_after: The delay requested by the service, in seconds.
        progress: Whether new data arrived; such attempts do not count toward `max_retries`.
    """

    request: Request
    kind: str | int
    error: Exception | None = None
    result: T | None = None
    retry_after: float | None = None
    progress: bool = False


def with_retries(
    configuration: Configuration,
    trace: CallTrace,
    perform: Callable[[Attempt], Call[T | Failure[T]]],
    *,
    creating: bool,
) -> Call[T]:
    """Repeat `perform` until it succeeds, or the rules, the deadline or the retry budget allow no more attempts.

    Args:
        configuration: The client's settings.
        trace: The trace to update.
        perform: Runs one attempt and returns its result or a `Failure`.
        creating: Whether the request creates a record, so that a retry could create a duplicate.
    """
    start = yield from clock()
    deadline = start + configuration.timeout
    number, failures, uncertain = 1, 0, False
    while True:
        trace.attempts, trace.status = number, None
        outcome = yield from perform(Attempt(number, start, deadline, uncertain))
        if not isinstance(outcome, Failure):
            configuration.budget.earn()
            return outcome
        failure = cast("Failure[T]", outcome)
        now = yield from clock()
        failures = 0 if failure.progress else failures + 1
        wait = pause(max(failures, 1), failure.retry_after, configuration.jitter)
        retry = (
            0 < configuration.max_retries >= failures
            and not isinstance(failure.error, ApiTimeoutError)
            and repeats(failure.kind, creating=creating)
            and (failure.retry_after is None or failure.retry_after <= MAX_RETRY_AFTER)
            and now + wait < deadline
            and (failures == 0 or configuration.budget.spend())
        )
        if not retry:
            if failure.error is None:
                return cast("T", failure.result)
            if isinstance(failure.error, ApiConnectionError):
                failure.error.request_sent = failure.error.request_sent or uncertain
                failure.error.complete(number, now - start)
            raise failure.error
        uncertain = uncertain or failure.kind not in (UNSENT, 429)
        yield Notify(RetryScheduled(failure.request, number, failure.kind, wait), configuration.observers)
        yield Sleep(wait)
        number += 1


def exchange(
    configuration: Configuration, request: Request, *, creating: bool, trace: CallTrace | None = None
) -> Call[Exchanged]:
    """Send `request` with retries and return the response, which may be an error response.

    Args:
        configuration: The client's settings.
        request: The request to send.
        creating: Whether the request creates a record, so that a retry could create a duplicate.
        trace: The trace to update. Defaults to a new one.

    Raises:
        ApiConnectionError: No attempt got a response; `attempts` counts them.
        ApiTimeoutError: The deadline passed.
        UnexpectedResponseError: The response was truncated or damaged.
    """
    perform = send_once
    if request.audience:
        # Imported only by programs that use tokens.
        from didww._core.tokens import Signer

        perform = Signer().send

    def attempts(trace: CallTrace) -> Call[Exchanged]:
        return with_retries(
            configuration, trace, lambda attempt: perform(configuration, request, trace, attempt), creating=creating
        )

    return with_trace(configuration, trace or CallTrace(request), attempts)


def send_once(
    configuration: Configuration, request: Request, trace: CallTrace, attempt: Attempt
) -> Call[Exchanged | Failure[Exchanged]]:
    """Send a request that has all its headers, and return its response or failure."""
    yield from acquire_permit(configuration, request, attempt)
    sent_at = yield from clock()
    trace.sent_at = sent_at
    yield Notify(RequestStarted(request, attempt.number), configuration.observers)
    trace.in_doubt = True
    try:
        response = cast("Response", (yield Send(request, attempt.deadline)))
    except (ApiConnectionError, UnexpectedResponseError) as error:
        trace.in_doubt = not isinstance(error, ApiConnectionError) or error.request_sent
        seconds = (yield from clock()) - sent_at
        yield Notify(RequestFailed(request, attempt.number, error, seconds), configuration.observers)
        return Failure(request=request, kind=kind_of(error), error=error)
    except DidwwClientError:  # the client is closed, or its proxy cannot be used
        trace.in_doubt = False
        raise
    seconds = (yield from clock()) - sent_at
    trace.respond(response.status, response.headers)
    trace.in_doubt = not 400 <= response.status < 500
    configuration.server_clock.hear(response.headers)
    shown = Response(response.status, response.headers, b"") if trace.confidential else response
    yield Notify(ResponseReceived(request, attempt.number, shown, seconds), configuration.observers)
    exchanged = Exchanged(response, attempt.number, attempt.uncertain)
    if response.status < 500 and response.status != 429:
        return exchanged
    retry_after = retry_after_of(response.headers)
    if response.status == 429 and not trace.confidential:  # the token service has a limit of its own
        yield from slow_down(configuration, retry_after)
    return Failure(request=request, kind=response.status, result=exchanged, retry_after=retry_after)


def acquire_permit(configuration: Configuration, request: Request, attempt: Attempt) -> Call[None]:
    """Wait for a permit of the rate limiter.

    Raises:
        ApiTimeoutError: No permit is available before the deadline.
    """
    limiter = configuration.limiter
    while limiter is not None:
        now = yield from clock()
        permit = cast("Permit", (yield Acquire(limiter, attempt.deadline - now)))
        if now + permit.wait > attempt.deadline:
            raise ApiTimeoutError(
                f"{request.method} {request.redacted_url} timed out waiting for the rate limiter. Raise `timeout=`, or "
                "send fewer requests at once.",
                request_sent=attempt.uncertain,
                attempts=attempt.number - 1,
                elapsed=now - attempt.start,
                phase="waiting for a permit",
            )
        if permit.wait:
            yield Sleep(permit.wait)
        if permit.granted:
            return


def within(configuration: Configuration, end: float, what: str, phase: str) -> Call[Configuration]:
    """Return `configuration` with the time remaining until `end` as its timeout.

    Args:
        configuration: The client's settings.
        end: The deadline of the call.
        what: The request that is still to be sent, for the error message.
        phase: The current phase of the call, for the error.

    Raises:
        ApiTimeoutError: The deadline has passed.
    """
    remaining = end - (yield from clock())
    if remaining <= 0:
        raise ApiTimeoutError(
            f"{what} was not sent before the call's timeout ran out. Raise `timeout=`.",
            request_sent=False,
            phase=phase,
        )
    return configuration.replaced(timeout=remaining)


def slow_down(configuration: Configuration, retry_after: float | None) -> Call[None]:
    """Pause the rate limiter after a 429 response."""
    if configuration.limiter is not None:
        yield SlowDown(configuration.limiter, 1.0 if retry_after is None else min(retry_after, MAX_RETRY_AFTER))


def mark_unknown(error: BaseException, text: str, lookup: dict[str, str] | None = None) -> None:
    """Set `outcome_unknown` and `lookup` on `error`, and append `text` to its message.

    Exceptions of other libraries, such as KeyboardInterrupt, cancellations and errors of hooks, get a note instead.
    """
    with contextlib.suppress(AttributeError):  # an exception of another library may have slots
        unknown = cast("DidwwError", error)
        unknown.outcome_unknown, unknown.lookup = True, lookup
    if isinstance(error, DidwwError):
        error.args = (f"{error} {text}",)
    else:
        error.add_note(text)
