"""Places that calls come from or go to for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww._util.extras import need
from didww.cdr.answer import Answer
from didww.cdr.answers.dimensions import DIMENSIONS, answered, check_period, in_direction, literal
from didww.cdr.answers.exact import MONEY_SUM, count_where, ratio, total
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["LEVELS", "new_places"]

_LONG_CODES: Final = (
    *("20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49"),
    *("51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84"),
    *("86", "90", "91", "92", "93", "94", "95", "98"),
)
"""The country calling codes of two digits. Those of one digit are 1 and 7, all others have three.

Source: ITU-T E.164, list of assigned country codes.
"""


def _other_party(calls: Any) -> Any:
    return (calls["direction"] == "inbound").ifelse(calls["source"], calls["destination"])


def calling_code(calls: Any) -> Any:
    """Return the country calling code of the other party's number, such as `+44`; null if it is not a number."""
    ibis: Any = need("ibis")
    number = _other_party(calls)
    digits = ibis.cases((number.substr(0, 1).isin(["1", "7"]), 1), (number.substr(0, 2).isin(_LONG_CODES), 2), else_=3)
    code = ibis.literal("+") + number.substr(0, digits)
    return number.re_search("^[1-9][0-9]{6,14}$").ifelse(code, ibis.null("string"))


def _country(calls: Any) -> Any:
    ibis: Any = need("ibis")
    return ibis.coalesce(DIMENSIONS["country"].of(calls), calling_code(calls))


def _network(calls: Any) -> Any:
    ibis: Any = need("ibis")
    network = (calls["direction"] == "inbound").ifelse(calls["source_network"], calls["destination_network"])
    return _country(calls) + ibis.literal(", ") + network


LEVELS: Final[Mapping[str, Any]] = {"country": _country, "network": _network, "calling_code": calling_code}
"""What a place is: function of a table of calls that returns it."""
_TIME: Final = "timestamp('UTC', 6)"
_SCHEMA: Final = {
    "direction": "string",
    "place": "string",
    "first_call": _TIME,
    "calls": "int64",
    "attempts": "int64",
    "answered": "int64",
    "numbers": "int64",
    "minutes": "decimal(18, 2)",
    "cost": MONEY_SUM,
}


def new_places(
    calls: Any,
    by: str = "country",
    *,
    direction: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> Answer:
    """Return the places that had no calls before a time. See `Calls.new_places`."""
    ibis: Any = need("ibis")
    if not isinstance(by, str) or by not in LEVELS:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"by must be one of {', '.join(LEVELS)}, not {by!r:.80}.", field="by")
    check_period(start, end)
    calls = in_direction(calls, direction)
    if end is not None:
        calls = calls.filter(calls["time_start"] < literal(end))
    calls = calls.mutate(place=LEVELS[by](calls), own=DIMENSIONS["number"].of(calls))
    whole = calls.group_by("direction").agg(
        low=calls["time_start"].min(), last_day=calls["time_start"].max() - ibis.interval(days=1)
    )
    found = calls.group_by(["direction", "place"]).agg(
        first_call=calls["time_start"].min(),
        calls=calls["call_id"].nunique() + count_where(calls["call_id"].isnull()),
        attempts=calls.count(),
        answered=count_where(answered(calls)),
        numbers=calls["own"].nunique(),
        seconds=total(calls["duration"]),
        cost=total(calls["cost"], MONEY_SUM),
    )
    found = found.left_join(_before(calls), ["direction", "place"]).drop("direction_right", "place_right")
    found = found.inner_join(whole, "direction")
    since = found["last_day"] if start is None else literal(start)
    found = found.filter(found["place"].notnull(), found["first_call"] >= since, found["low"] < since)
    found = found.filter(found["before"].isnull() | (found["before"] >= since))
    found = found.mutate(minutes=ratio(found["seconds"], found["seconds"] * 0 + 60, 2))
    return Answer(found, _SCHEMA, sort=("-cost", "-attempts", "direction", "place"), limit=limit)


def _before(calls: Any) -> Any:
    """Return for each place the first call with its calling code that has no country, if it has one, or the reverse.

    The same callers would be a new place as soon as exports have a country.
    """
    rows = calls.select(
        "direction", "place", "time_start", code=calling_code(calls), known=DIMENSIONS["country"].of(calls).notnull()
    )
    codes = rows.group_by(["direction", "code", "known"]).agg(before=rows["time_start"].min())
    places = rows.group_by(["direction", "place", "code", "known"]).agg(n=rows.count())
    others = codes.select("direction", "code", "before", known=~codes["known"])
    same = places.inner_join(others, ["direction", "code", "known"])
    return same.group_by(["direction", "place"]).agg(before=same["before"].min())
