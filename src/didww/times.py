"""Times as the service writes them; shared by filters and attributes."""

from __future__ import annotations

from datetime import UTC, datetime

from didww.exceptions import InvalidValue

__all__ = ["utc_text"]


def utc_text(value: object, where: str) -> str:
    """`value` as ISO 8601 in UTC with milliseconds; `where` names it in an error.

    Raises:
        InvalidValue: It is no datetime, has no time zone, or lies beyond the years 1 to 9999.
    """
    if not isinstance(value, datetime):
        raise InvalidValue(f"{where} takes a datetime with a time zone, not {type(value).__name__}.", field=where)
    if value.utcoffset() is None:
        raise InvalidValue(
            f"{where} takes a datetime with a time zone; this one has none. Add tzinfo=timezone.utc if it is UTC.",
            field=where,
        )
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(f"{where} takes a datetime of the years 1 to 9999 in UTC.", field=where) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
