"""Exit codes of the `didww` command, and the one of each error."""

from __future__ import annotations

from typing import Final

from didww.exceptions import (
    ApiConnectionError,
    BulkError,
    DidwwApiError,
    DidwwError,
    InvalidValueError,
    NotExactlyOneError,
    NotFoundError,
    ServerError,
    UnexpectedResponseError,
)

__all__ = [
    "DESCRIPTIONS",
    "FAILED",
    "INTERRUPTED",
    "NOT_ANSWERED",
    "NOT_FOUND",
    "NO_RESPONSE",
    "OUTCOME_UNKNOWN",
    "PARTLY_DONE",
    "REFUSED",
    "STILL_PENDING",
    "USAGE",
    "code_for",
]

FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
NOT_FOUND: Final = 4
NO_RESPONSE: Final = 5
OUTCOME_UNKNOWN: Final = 6
PARTLY_DONE: Final = 7
STILL_PENDING: Final = 8
NOT_ANSWERED: Final = 9
INTERRUPTED: Final = 130

DESCRIPTIONS: Final[dict[int, str]] = {
    0: "Success.",
    FAILED: "Any other failure; also if you answer a question with no.",
    USAGE: "Wrong usage: an unknown option, a value that is not allowed, a change that was not confirmed.",
    REFUSED: "Refused, by the service or before it was asked: wrong API key, permission, invalid value, balance, rate "
    "limit, a reference that belongs to another purchase, a profile that can only read.",
    NOT_FOUND: "There is no such record, or several match where one is needed.",
    NO_RESPONSE: "No response to a read, or no connection at all. Nothing was changed.",
    OUTCOME_UNKNOWN: "The outcome is unknown: the request may have been processed. Check before you repeat it.",
    PARTLY_DONE: "Some of it was done: a command failed for some records, or after its first step.",
    STILL_PENDING: "A wait ended before the service was done; nothing failed.",
    NOT_ANSWERED: "A call that `didww emulator ring` placed was not answered; nothing failed.",
    INTERRUPTED: "Interrupted by Ctrl-C.",
}

# The first class that fits decides.
_CODES: Final[tuple[tuple[type[DidwwError], int], ...]] = (
    (BulkError, PARTLY_DONE),
    (NotFoundError, NOT_FOUND),
    (NotExactlyOneError, NOT_FOUND),
    (InvalidValueError, USAGE),
    (ServerError, NO_RESPONSE),
    (DidwwApiError, REFUSED),
    (ApiConnectionError, NO_RESPONSE),
    (UnexpectedResponseError, NO_RESPONSE),
)


def code_for(error: DidwwError, method: str = "GET") -> int:
    """Return the exit code for an error.

    Args:
        error: The error.
        method: Method of the request that failed: without a response, the outcome of a write is unknown.
    """
    if error.outcome_unknown or (method not in ("", "GET", "HEAD") and _no_answer(error)):
        return OUTCOME_UNKNOWN
    return next((code for cls, code in _CODES if isinstance(error, cls)), FAILED)


def _no_answer(error: DidwwError) -> bool:
    if isinstance(error, ApiConnectionError):
        return error.request_sent
    return isinstance(error, (ServerError, UnexpectedResponseError))
