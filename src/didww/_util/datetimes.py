"""Format and parse the date formats of the API and of HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

from didww.exceptions import InvalidValueError

__all__ = ["http_date", "http_date_text", "utc_text"]


def utc_text(value: object, where: str, *, field: str = "") -> str:
    """Format a datetime as ISO 8601 in UTC with milliseconds.

    Errors call it `where`, and have `field` (defaults to `where`) as their field.

    Raises:
        InvalidValueError: `value` is not a datetime, has no time zone, or is outside of the years 1 to 9999 in UTC.
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
        utc = value.astimezone(UTC)
    except OverflowError:
        raise InvalidValueError(
            f"{where} must be a datetime in the years 1 to 9999 in UTC, got {value!r}.", field=field
        ) from None
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date(text: str) -> datetime | None:
    """Parse an HTTP date in any of the three formats of RFC 9110, in UTC. Return None for any other text."""
    from email.utils import parsedate_to_datetime  # imported only when needed

    try:
        date = parsedate_to_datetime(text)
        # The asctime format has no time zone: all HTTP dates are in UTC.
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def http_date_text(value: object, where: str) -> str:
    """Format a datetime as an HTTP date, in whole seconds. Errors call it `where`.

    Raises:
        InvalidValueError: `value` is not a datetime, has no time zone, or is outside of the years 1 to 9999 in UTC.

    Example:
        >>> http_date_text(datetime(2026, 11, 19, 8, 30, tzinfo=UTC), "if_modified_since")
        'Thu, 19 Nov 2026 08:30:00 GMT'
    """
    from email.utils import format_datetime  # imported only when needed

    return format_datetime(datetime.fromisoformat(utc_text(value, where)), usegmt=True)
