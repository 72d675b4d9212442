"""Arithmetic of answers: whole seconds of times, and their cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from didww.cdr.answers.exact import second, seconds
from support.hypothesis_profiles import law

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from([EPOCH, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]),
    st.integers(-3_000_000, 3_000_000).map(lambda each: EPOCH + timedelta(microseconds=each)),
)


@given(st.lists(st.none() | TIMES, min_size=1, max_size=20))
@law(60)
def test_seconds_are_whole_and_rounded_down(times: list[datetime | None]) -> None:
    """Of all times that there are, also before 1970, in a table and as a single time."""
    wanted = [None if time is None else (time - EPOCH) // timedelta(seconds=1) for time in times]
    table = ibis.memtable(pa.table({"time": pa.array(times, pa.timestamp("us", "UTC"))}))
    assert table.select(found=seconds(table["time"])).to_pyarrow()["found"].to_pylist() == wanted
    (time, number), *_ = [*zip(times, wanted, strict=True)]
    assert time is None or second(time).to_pyarrow().as_py() == number


def test_duckdb_cuts_times_without_a_calendar() -> None:
    """It reads its own integers: with a calendar, the channels in use of ten million calls take five times as long."""
    table = ibis.memtable(pa.table({"time": pa.array([EPOCH], pa.timestamp("us", "UTC"))}))
    query = ibis.to_sql(table.select(found=seconds(table["time"])), dialect="duckdb")
    assert "EPOCH_US" in query.upper()
    assert "DATE_TRUNC" not in query.upper()
