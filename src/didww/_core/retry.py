"""When a request is retried: the table, and the pauses between. Pure; `attempts` acts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from didww.exceptions import ApiConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.exceptions import UnexpectedResponseError

__all__ = ["BROKEN", "MAX_RETRY_AFTER", "RULES", "UNSENT", "Rule", "kind_of", "pause", "repeats", "table"]

UNSENT: Final = "unsent"
BROKEN: Final = "broken"
FINAL: Final = "final"
"""No rule is for this: another attempt would fail in the same way."""

FIRST_PAUSE: Final = 0.5
MAX_PAUSE: Final = 8.0
MAX_RETRY_AFTER: Final = 60.0
"""Seconds: whoever asks us to wait longer gets an error instead."""


class Rule(NamedTuple):
    """Whether one kind of failure is retried.

    Attributes:
        what: The failure, in words.
        repeatable: Whether GET, PATCH and DELETE are retried, and POST that stores nothing.
        creating: Whether POST that creates is.
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
    """Return what kind of failure a request without a usable response is."""
    if not failure.transient:
        return FINAL
    return UNSENT if isinstance(failure, ApiConnectionError) and not failure.request_sent else BROKEN


def repeats(failure: str | int, *, creating: bool) -> bool:
    """Return whether a request is retried after `failure`: a kind, or a status."""
    rule = RULES.get(failure)
    return rule is not None and (rule.creating if creating else rule.repeatable)


def pause(attempt: int, retry_after: float | None, random: Callable[[], float]) -> float:
    """Seconds to wait after the attempt of this number, the first being 1.

    Any time up to a bound that doubles (full jitter), so that many clients do not come back together; at least what
    the service asked for, and then a little more for the same reason.
    """
    if retry_after is not None:
        return retry_after + random() * FIRST_PAUSE
    return random() * min(MAX_PAUSE, FIRST_PAUSE * float(2 ** min(attempt - 1, 10)))


def table() -> str:
    """Return the table for the documentation, as Markdown."""
    rows = [f"| {one.what} | {_word(one.repeatable)} | {_word(one.creating)} |" for one in RULES.values()]
    head = "| Failure | GET, PATCH, DELETE, validations | POST that creates a record |\n| --- | --- | --- |"
    return "\n".join([head, *rows, "| anything else | not retried | not retried |"])


def _word(again: bool) -> str:  # noqa: FBT001 a table's cell
    return "retried" if again else "not retried"
