"""Rules for retries and the delays between attempts. Has no side effects; `attempts` applies the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from didww._util.datetimes import http_date
from didww.exceptions import ApiConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww.exceptions import UnexpectedResponseError

__all__ = [
    "BROKEN",
    "MAX_RETRY_AFTER",
    "RULES",
    "UNSENT",
    "Rule",
    "kind_of",
    "pause",
    "repeats",
    "retry_after_of",
    "table",
]

UNSENT: Final = "unsent"
BROKEN: Final = "broken"
FINAL: Final = "final"
"""A failure without a rule: another attempt would fail in the same way."""

FIRST_PAUSE: Final = 0.5
MAX_PAUSE: Final = 8.0
MAX_RETRY_AFTER: Final = 60.0
"""Longest `Retry-After` to wait for, in seconds; a longer one raises the error instead."""


_MAX_SECONDS = 2.0**31  # the maximum of RFC 9111


class Rule(NamedTuple):
    """Whether one kind of failure is retried.

    Attributes:
        what: Description of the failure.
        repeatable: Whether GET, PATCH, DELETE and a POST that stores nothing are retried.
        creating: Whether a POST that creates a record is retried.
    """

    what: str
    repeatable: bool
    creating: bool


RULES: Final[dict[str | int, Rule]] = {
    UNSENT: Rule("no connection, or lost before anything was sent", repeatable=True, creating=True),
    BROKEN: Rule("connection lost later, or the response truncated or damaged", repeatable=True, creating=False),
    429: Rule("429 Too Many Requests: nothing was done", repeatable=True, creating=True),
    502: Rule("502 Bad Gateway", repeatable=True, creating=False),
    503: Rule("503 Service Unavailable", repeatable=True, creating=False),
    504: Rule("504 Gateway Timeout", repeatable=True, creating=False),
}


def kind_of(failure: ApiConnectionError | UnexpectedResponseError) -> str:
    """Return the kind of a failure without a usable response: a key of `RULES`, or `FINAL`."""
    if not failure.transient:
        return FINAL
    return UNSENT if isinstance(failure, ApiConnectionError) and not failure.request_sent else BROKEN


def repeats(failure: str | int, *, creating: bool) -> bool:
    """Return whether to retry a request after `failure`, a kind or an HTTP status."""
    rule = RULES.get(failure)
    return rule is not None and (rule.creating if creating else rule.repeatable)


def pause(attempt: int, retry_after: float | None, random: Callable[[], float]) -> float:
    """Return the delay in seconds after attempt number `attempt`, counted from 1.

    Uses exponential backoff with full jitter, so that clients do not retry simultaneously. With a `Retry-After`, waits
    for that time plus a small jitter.
    """
    if retry_after is not None:
        return retry_after + random() * FIRST_PAUSE
    return random() * min(MAX_PAUSE, FIRST_PAUSE * float(2 ** min(attempt - 1, 10)))


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Return the delay of the `Retry-After` header in seconds, or None if there is none.

    Accepts seconds and the three date formats of RFC 9110, relative to the `Date` of the same response. Returns
    `MAX_RETRY_AFTER` for any other value and for a date without a `Date` header.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal():
        return min(float(text), _MAX_SECONDS)
    until, now = http_date(text), http_date(headers.get("date", ""))
    if until is None or now is None:
        return MAX_RETRY_AFTER
    return max(0.0, (until - now).total_seconds())


def table() -> str:
    """Return the rules as a Markdown table for the documentation."""
    rows = [f"| {rule.what} | {_word(rule.repeatable)} | {_word(rule.creating)} |" for rule in RULES.values()]
    head = "| Failure | GET, PATCH, DELETE, validations | POST that creates a record |\n| --- | --- | --- |"
    return "\n".join([head, *rows, "| anything else | not retried | not retried |"])


def _word(retried: bool) -> str:  # noqa: FBT001 a table cell
    return "retried" if retried else "not retried"
