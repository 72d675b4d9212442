"""Times as the service and HTTP write them."""

from __future__ import annotations

from datetime import UTC, datetime

from didww.exceptions import InvalidValueError

__all__ = ["http_date", "utc_text"]


def utc_text(value: object, where: str, *, field: str = "") -> str:
    """`value` as ISO 8601 in UTC with milliseconds; `where` names it in an error, whose `field` is `field` or `where`.

    Raises:
        InvalidValueError: It is no datetime, has no time zone, or lies beyond the years 1 to 9999.
    """
    field = field or where
    if not isinstance(value, datetime):
        raise InvalidValueError(
            f"{where} must be a datetime with a time zone, got {type(value).__name__}.", field=field
        )
    if value.utcoffset() is None:
        raise InvalidValueError(
            f"{where} must be a datetime with a time zone, got {value!r}. Add tzinfo=timezone.utc if it is UTC.",
            field=field,
        )
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise InvalidValueError(
            f"{where} must be a datetime of the years 1 to 9999 in UTC, got {value!r}.", field=field
        ) from None
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
