"""Answers about calls on DuckDB: they are those of plain Python; and their errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import InvalidValueError
from didww.cdr import Answer, Calls
from didww.cdr.answers.dimensions import DIMENSIONS
from support import call_answers
from support.call_tables import START, calls_of_the_emulator, records, table_of
from support.hypothesis_profiles import law

if TYPE_CHECKING:
    import pyarrow as pa

BY = st.lists(st.sampled_from(sorted(DIMENSIONS)), unique=True, max_size=3)
GROUPS = st.lists(st.sampled_from(["trunk", "number", "direction"]), unique=True, max_size=2)
TIMES = st.none() | st.integers(0, 5 * 24).map(lambda hours: START + timedelta(hours=hours))


def calls_of(rows: list[dict[str, Any]] | pa.Table) -> Calls:
    return Calls(ibis.memtable(table_of(rows) if isinstance(rows, list) else rows))


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return table_of(rows).to_pylist()


@pytest.fixture(scope="module")
def generated() -> pa.Table:
    return calls_of_the_emulator()


@given(records, BY)
@law(100)
def test_a_summary_is_that_of_plain_python(rows: list[dict[str, Any]], by: list[str]) -> None:
    """By any names, all counts, ratios, minutes and amounts are exact, in the same order."""
    assert calls_of(rows).summary(by).rows == call_answers.summary(plain(rows), by)


@given(records, GROUPS, st.sampled_from([None, "hour", "day"]), st.integers(1, 3), TIMES, TIMES)
@law(100)
def test_concurrency_is_that_of_plain_python(
    rows: list[dict[str, Any]],
    by: list[str],
    every: str | None,
    capacity: int,
    start: datetime | None,
    end: datetime | None,
) -> None:
    """Peaks, their times, and the time at the capacity are those counted second by second."""
    if start and end and end <= start:
        start, end = end, start + timedelta(hours=1)
    found = calls_of(rows).concurrency(by, every=every, capacity=capacity, start=start, end=end)
    step = {None: None, "hour": 3600, "day": 86400}[every]
    assert found.rows == call_answers.concurrency(plain(rows), by, step, capacity, start, end)


@given(records, st.sampled_from(["0", "1.5"]), st.sampled_from([Decimal(0), Decimal(1)]))
@law(60)
def test_anomalies_are_those_of_plain_python(rows: list[dict[str, Any]], threshold: str, smallest: Decimal) -> None:
    """Mean, deviation and score leave the hour itself out, and count days without calls."""
    found = calls_of(rows).anomalies(
        threshold=Decimal(threshold), min_days=2, min_cost=smallest, min_count=int(smallest)
    )
    wanted = call_answers.anomalies(plain(rows), threshold=Decimal(threshold), min_days=2, smallest=smallest)
    cell = ("account", "direction", "trunk", "hour", "day", "measure")
    scores = {tuple(row[name] for name in cell): row["score"] for row in found}
    edge = Decimal(threshold) + Decimal("0.1")
    assert {key for key, score in wanted.items() if score > edge} <= scores.keys() <= wanted.keys()
    assert all(abs(score - wanted[key]) <= Decimal("0.1") for key, score in scores.items())


def test_one_expensive_night_is_an_anomaly(generated: pa.Table) -> None:
    """The hour of a fraud is the only one with a high score."""
    at = START + timedelta(days=6, hours=3)
    fraud = [
        {"time_start": at + timedelta(seconds=each), "time_connect": at, "duration": 2, "cost": Decimal("1.25")}
        | {"direction": "outbound", "trunk": "office", "destination": "37255501", "call_id": f"fraud {each}"}
        for each in range(20)
    ]
    rows = [*generated.to_pylist(), *fraud]
    found = calls_of(rows).anomalies(threshold=10)
    assert {(row["day"], row["hour"], row["trunk"]) for row in found} == {(at.date(), 3, "office")}
    assert {row["measure"]: row["value"] for row in found} == {"cost": Decimal(25), "short_calls": Decimal(20)}
    new = calls_of(rows).new_places("calling_code", direction="outbound", start=at - timedelta(hours=1))
    assert [(row["place"], row["calls"], row["cost"]) for row in new] == [("+372", 20, Decimal(25))]


def test_a_record_of_another_year_makes_nothing_unusual() -> None:
    """Days without any records, such as those of exports that are not there, are no days of 0."""

    def call(at: datetime, trunk: str = "Main") -> dict[str, Any]:
        return {"time_start": at, "time_connect": at, "duration": 60, "cost": Decimal(5), "trunk": trunk} | {
            "direction": "inbound"
        }

    days = [call(START + timedelta(days=day, hours=9)) for day in range(30)]
    assert calls_of([*days, call(START + timedelta(days=3000), "Other")]).anomalies().rows == []
    assert calls_of([*days, call(START + timedelta(days=-9000, hours=9))]).anomalies().rows == []


def test_a_country_is_not_new_because_records_have_countries_now() -> None:
    """Nor its calling code, if records have none any more. Another country is new."""

    def call(day: int, country: str | None, number: str) -> dict[str, Any]:
        at = START + timedelta(days=day)
        return {"time_start": at, "direction": "inbound", "source": number, "source_country": country}

    known, unknown = ("United Kingdom", "442079460001"), (None, "442079460001")
    for before, after in ((known, unknown), (unknown, known)):
        rows = [*(call(day, *before) for day in range(5)), *(call(day, *after) for day in range(5, 9))]
        new = calls_of([*rows, call(8, "France", "33199000001")]).new_places(start=START + timedelta(days=4))
        assert [row["place"] for row in new] == ["France"]


@pytest.mark.parametrize("year", [1, 1969, 1970, 5138, 9999])
def test_peaks_of_any_year(year: int) -> None:
    """The time of the peak is right."""
    at = datetime(year, 12, 30, 23, tzinfo=UTC)
    rows = [{"time_start": at, "time_end": at + timedelta(minutes=1), "direction": "inbound"}]
    assert calls_of(rows).concurrency().rows == [{"peak": 1, "peak_at": at, "channel_minutes": 1}]


def test_totals_are_those_of_the_records(generated: pa.Table) -> None:
    """The cost of all calls is the sum of their amounts, to the last digit, however they are grouped."""
    calls = calls_of(generated)
    cost = sum((value for value in generated.column("cost").to_pylist() if value), Decimal(0))
    for by in ("", "trunk,hour", ["number", "country"], "disconnect_code,weekday"):
        assert sum(row["cost"] for row in calls.summary(by)) == cost
    assert calls.summary()[0]["attempts"] == generated.num_rows == len(calls)


def test_new_places_need_earlier_calls(generated: pa.Table) -> None:
    """Without calls before the time, no place is new; by default the last day is looked at."""
    calls = calls_of(generated)
    assert len(calls.new_places(start=START - timedelta(days=1))) == 0
    assert len(calls.new_places()) == 0
    early = calls.new_places(start=START + timedelta(hours=9)).rows
    assert early
    assert all(row["first_call"] >= START + timedelta(hours=9) for row in early)


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("442079460001", "+44"),
        ("12125550100", "+1"),
        ("79005550100", "+7"),
        ("37255501", "+372"),
        ("anonymous", None),
        ("4", None),
        (None, None),
    ],
)
def test_the_place_of_a_number_is_its_calling_code(number: str | None, place: str | None) -> None:
    """Codes have one, two or three digits; what is no number has no place."""
    rows = [
        {"time_start": START, "direction": "inbound", "source_country": "France"},
        {"time_start": START + timedelta(days=2), "direction": "inbound", "source": number},
    ]
    assert [row["place"] for row in calls_of(rows).new_places()] == ([place] if place else [])


def test_unrouted_calls(generated: pa.Table) -> None:
    """Numbers whose calls reach no trunk, with their calls."""
    rows = [row for row in generated.to_pylist() if row["did_number"] == "442079460003"]
    assert calls_of(generated).unrouted().rows == [
        {
            "number": "442079460003",
            "calls": len(rows),
            "callers": len({row["source"] for row in rows}),
            "first_call": rows[0]["time_start"],
            "last_call": rows[-1]["time_start"],
        }
    ]


def test_dead_numbers(generated: pa.Table) -> None:
    """Numbers without calls in the period, each once, as text or DID; and those whose calls are never answered."""
    calls = calls_of(generated)
    own = ["442079460001", "+44 (20) 7946-0099", "442079460099", SimpleNamespace(number="442079460003")]
    assert calls.dead_numbers(own).rows == [
        {"number": "442079460099", "attempts": 0, "last_call": None, "last_answered": None}
    ]
    inbound = calls.dead_numbers(own, direction="inbound", unanswered=True).rows
    assert [(row["number"], row["attempts"] > 0, row["last_answered"]) for row in inbound] == [
        ("442079460003", True, None),
        ("442079460099", False, None),
    ]
    later = calls.dead_numbers(own, start=START + timedelta(days=30)).rows
    assert [(row["number"], row["attempts"], row["last_call"] is None) for row in later] == [
        ("442079460001", 0, False),
        ("442079460003", 0, False),
        ("442079460099", 0, True),
    ]


def test_capacity_for_each_trunk(generated: pa.Table) -> None:
    """Each trunk is compared with its own capacity; one without has null."""
    found = {row["trunk"]: row for row in calls_of(generated).concurrency("trunk", capacity={"office": 1})}
    assert found["office"]["capacity"] == 1
    assert found["office"]["full_seconds"] > 0
    assert found['Trunk "out"']["capacity"] is None
    assert found['Trunk "out"']["times_full"] == 0


def test_where(generated: pa.Table) -> None:
    """Calls with some values can be asked the same questions."""
    calls = calls_of(generated)
    rows = generated.to_pylist()
    some = calls.where(trunk=["office", "Ünit"], answered=False, direction="inbound")
    assert len(some) == sum(
        row["trunk"] in {"office", "Ünit"} and row["time_connect"] is None and row["direction"] == "inbound"
        for row in rows
    )
    assert len(calls.where(trunk=None)) == sum(row["trunk"] is None for row in rows)
    assert len(calls.where(number="442079460003", start=START + timedelta(days=1), end=START + timedelta(days=3))) > 0
    assert some.arrow().num_rows == len(some)
    nights = [row for row in rows if row["time_start"].hour in {22, 23, 0}]
    assert len(calls.where(hour=[22, "23", 0])) == len(nights)
    day = START.date()
    assert len(calls.where(day=day)) == len(calls.where(day=day.isoformat())) > 0


def test_sql(generated: pa.Table) -> None:
    """A query sees the calls, also those of `where`, by the name `calls`."""
    calls = calls_of(generated)
    query = "WITH a AS (SELECT * FROM calls) SELECT trunk, sum(cost) AS cost FROM a GROUP BY 1 ORDER BY 2 DESC; "
    found = calls.where(direction="outbound").sql(query)
    wanted = calls.summary("trunk", direction="outbound", sort="-cost")
    assert [tuple(row.values()) for row in found] == [(row["trunk"], row["cost"]) for row in wanted]
    assert found.columns == ("trunk", "cost")
    with pytest.raises(InvalidValueError, match="empty"):
        calls.sql(" ; ")


def test_the_answer_goes_on_as_an_ibis_table(generated: pa.Table) -> None:
    """`table` is the answer itself: sorted, limited, and open for more."""
    found = calls_of(generated).summary("trunk", sort="-cost", limit=2)
    assert isinstance(found, Answer)
    assert found.table.to_pyarrow().to_pylist() == found.arrow().to_pylist()
    assert found.table.count().to_pyarrow().as_py() == 2


@pytest.mark.parametrize(
    ("ask", "field", "text"),
    [
        (lambda calls: calls.summary("trunks"), "by", "Did you mean 'trunk'"),
        (lambda calls: calls.summary("trunk,trunk"), "by", "twice"),
        (lambda calls: calls.summary("trunk", sort="-costs"), "sort", "Did you mean 'cost'"),
        (lambda calls: calls.summary(limit=0), "limit", "at least 1"),
        (lambda calls: calls.summary(direction="in"), "direction", "inbound"),
        (lambda calls: calls.summary(start=datetime(2026, 11, 1)), "start", "time zone"),
        (lambda calls: calls.summary(start=START, end=START), "end", "after start"),
        (lambda calls: calls.concurrency(every="week"), "every", "'hour', 'day'"),
        (lambda calls: calls.concurrency("hour"), "by", "grouped by 'hour'"),
        (lambda calls: calls.concurrency(capacity=0), "capacity", "from 1"),
        (lambda calls: calls.concurrency(capacity={"a": 2}), "capacity", "exactly one name"),
        (lambda calls: calls.concurrency(capacity={"inbound": 2}), "capacity", "by='direction'"),
        (lambda calls: calls.anomalies(threshold="x"), "threshold", "at least 0"),
        (lambda calls: calls.where(trnk="a"), "trnk", "selected by 'trnk'"),
        (lambda calls: calls.concurrency(end="2026"), "end", "time zone"),
        (lambda calls: calls.anomalies(min_days=1), "min_days", "at least 2"),
        (lambda calls: calls.anomalies(threshold=-1), "threshold", "at least 0"),
        (lambda calls: calls.new_places("city"), "by", "calling_code"),
        (lambda calls: calls.dead_numbers("442079460001"), "numbers", "in a list"),
        (lambda calls: calls.dead_numbers(["desk"]), "numbers", "phone numbers"),
        (lambda calls: calls.where(trnk="a"), "trnk", "Did you mean 'trunk'"),
        (lambda calls: calls.where(trunk=[]), "trunk", "no value"),
        (lambda calls: calls.where(trunk=5), "trunk", "text"),
        (lambda calls: calls.where(hour="night"), "hour", "an integer"),
        (lambda calls: calls.where(day=START), "day", "a date"),
    ],
)
def test_errors_name_the_argument_and_the_way_out(generated: pa.Table, ask: Any, field: str, text: str) -> None:
    """Mistakes raise before anything is computed."""
    with pytest.raises(InvalidValueError, match=text) as caught:
        ask(calls_of(generated))
    assert caught.value.field == field


def test_without_calls() -> None:
    """No question fails without calls."""
    calls = calls_of([])
    assert calls.summary().rows == [
        {"calls": 0, "attempts": 0, "answered": 0, "asr": None, "acd": None, "minutes": 0, "cost": 0}
    ]
    assert calls.concurrency().rows == [{"peak": 0, "peak_at": None, "channel_minutes": 0}]
    empty = [calls.summary("trunk"), calls.concurrency("trunk", every="hour", capacity=1)]
    empty += [calls.anomalies(), calls.new_places(), calls.unrouted()]
    assert [len(each) for each in empty] == [0] * len(empty)
    assert len(calls.dead_numbers(["442079460001"])) == 1


def test_times_are_aware_and_in_utc(generated: pa.Table) -> None:
    """Times of rows have the UTC of the standard library."""
    (row,) = calls_of(generated).concurrency().rows
    assert row["peak_at"].tzinfo is UTC


@pytest.mark.parametrize(
    ("field", "ask"),
    [
        ("by", lambda calls: calls.summary(by=None)),
        ("sort", lambda calls: calls.summary("trunk", sort=5)),
        ("sort", lambda calls: calls.summary("trunk", sort=[5])),
        ("limit", lambda calls: calls.summary("trunk", limit=True)),
        ("start", lambda calls: calls.summary(start=datetime.min.replace(tzinfo=timezone(timedelta(hours=5))))),
        ("capacity", lambda calls: calls.concurrency("trunk", capacity={5: 1})),
        ("capacity", lambda calls: calls.concurrency(capacity=2**70)),
        ("threshold", lambda calls: calls.anomalies(threshold=float("inf"))),
        ("by", lambda calls: calls.new_places(["country"])),
        ("numbers", lambda calls: calls.dead_numbers(None)),
        ("answered", lambda calls: calls.where(answered="no")),
        ("query", lambda calls: calls.sql(None)),
        ("query", lambda calls: calls.sql("selec")),
    ],
)
def test_wrong_values_are_named(field: str, ask: Any) -> None:
    """By the name of the argument, whatever their type."""
    with pytest.raises(InvalidValueError) as caught:
        ask(Calls(ibis.memtable(table_of([]))))
    assert caught.value.field == field
