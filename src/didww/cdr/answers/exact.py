"""Arithmetic that gives the same result on each engine: integers and decimals, rounded half up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

from didww._util.extras import need
from didww.cdr.answer import backend_of

__all__ = ["DAY", "MONEY_SUM", "count_where", "half_up", "moment", "ratio", "scaled", "second", "seconds", "total"]

DAY: Final = 86400
"""Seconds of a day."""
MONEY_SUM: Final = "decimal(38, 9)"
"""Type of a sum of amounts."""
_TIME: Final = "timestamp('UTC', 6)"
_MILLION: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(time: Any) -> Any:
    """Return whole seconds since 1970 of the times of a table, as integers; fractions are cut off.

    DuckDB cuts times with a time zone by way of a calendar, which takes most of the time of an answer. The integers
    that it stores are 20 times as fast.
    """
    if backend_of(time).name != "duckdb":
        return time.truncate("s").epoch_seconds().cast("int64")
    stored = _epoch_us()(time.cast(_TIME))
    # The remainder of a time before 1970 is negative. What is left is a multiple, so the division is exact.
    return (stored - (stored % _MILLION + _MILLION) % _MILLION) // _MILLION


def second(time: datetime) -> Any:
    """Return whole seconds since 1970 of one time, as an expression; fractions are cut off."""
    ibis: Any = need("ibis")
    return ibis.literal((time - _EPOCH) // timedelta(seconds=1), "int64")


@cache
def _epoch_us() -> Any:
    """Return DuckDB's function of the microseconds since 1970 of a time."""
    ibis: Any = need("ibis")

    def epoch_us(time: Any) -> Any: ...

    return ibis.udf.scalar.builtin(epoch_us, signature=((_TIME,), "int64"))


def moment(number: Any) -> Any:
    """Return the time of a number of seconds since 1970."""
    ibis: Any = need("ibis")
    return ibis.timestamp("1970-01-01 00:00:00+00:00") + number.as_interval("s")


def total(values: Any, type: str = "int64") -> Any:
    """Return the sum of a column; 0 if there are no values."""
    ibis: Any = need("ibis")
    return ibis.coalesce(values.sum().cast(type), ibis.literal(0).cast(type))


def count_where(condition: Any) -> Any:
    """Return the number of rows for which a condition is true."""
    return total(condition.ifelse(1, 0))


def ratio(number: Any, divisor: Any, digits: int) -> Any:
    """Return an integer divided by another one, rounded half up; null if the divisor is 0.

    The quotient is an integer of the last digit, so no engine rounds on its own.
    """
    divisor = divisor.nullif(0)
    return scaled((number * (2 * 10**digits) + divisor) // (divisor * 2), digits)


def half_up(number: Any, digits: int) -> Any:
    """Return a floating-point number that is not negative as a decimal, rounded half up."""
    return scaled((number * float(10**digits) + 0.5).floor().cast("int64"), digits)


def scaled(number: Any, digits: int) -> Any:
    """Return an integer of units of the last digit as a decimal."""
    ibis: Any = need("ibis")
    wide = f"decimal(25, {digits})"  # any integer of 64 bits
    return (number.cast(wide) * ibis.literal(Decimal(1).scaleb(-digits), wide)).cast(f"decimal(18, {digits})")
