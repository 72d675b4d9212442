"""Times as the service and HTTP write them."""

from __future__ import annotations

from datetime import UTC, datetime

from didww.exceptions import InvalidValueError

__all__ = ["http_date", "utc_text"]


def utc_text(value: object, where: str) -> str:
    """`value` as ISO 8601 in UTC with milliseconds; `where` names it in an error.

    Raises:
        InvalidValueError: It is no datetime, has no time zone, or lies beyond the years 1 to 9999.
    """
    if not isinstance(value, datetime):
        raise InvalidValueError(f"{where} takes a datetime with a time zone, not {type(value).__name__}.", field=where)
    if value.utcoffset() is None:
        raise InvalidValueError(
            f"{where} takes a datetime with a time zone; this one has none. Add tzinfo=timezone.utc if it is UTC.",
            field=where,
        )
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise InvalidValueError(f"{where} takes a datetime of the years 1 to 9999 in UTC.", field=where) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date(text: str) -> datetime | None:
    """Return the moment of an HTTP date, in any of the three forms of RFC 9110; None for every other text."""
    from email.utils import parsedate_to_datetime  # not worth its import to those who get no date

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # The form of asctime has no zone: all HTTP dates are in UTC.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
