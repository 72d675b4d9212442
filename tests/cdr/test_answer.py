"""Answer: text, HTML, rows, sorting, and other libraries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest

from didww import InvalidValueError
from didww.cdr import Answer

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e\n"


def answer(**options: Any) -> Answer:
    """An answer with a column of each type."""
    table = pa.table(
        {
            "name": [None, "b", "É", "B", HOSTILE],
            "n": pa.array([1, None, 30, 2, 2], pa.int32()),
            "cost": pa.array([Decimal("12.5"), None, Decimal("0.003"), Decimal(7), Decimal(7)], pa.decimal128(18, 9)),
            "at": pa.array([datetime(2026, 11, 1, 23, 59, 59, 900_000, UTC)] * 5, pa.timestamp("us", "UTC")),
            "day": [date(2026, 11, 1)] * 5,
        }
    )
    schema = {"name": "string", "n": "int64", "cost": "decimal(38, 9)", "at": "timestamp('UTC', 6)", "day": "date"}
    return Answer(ibis.memtable(table), schema, **options)


def test_text_is_aligned_and_printable() -> None:
    """Numbers are at the right, amounts have the same digits in all rows, and no text can move the cursor."""
    lines = str(answer(sort="n,name")).splitlines()
    assert len(lines) == 6
    assert lines[0].split() == ["name", "n", "cost", "at", "day"]
    assert lines[1].endswith(" 1  12.500  2026-11-01 23:59:59  2026-11-01")
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)
    assert len({line.index("2026-11-01 ") for line in lines[1:]}) == 1


def test_html_is_escaped() -> None:
    """No value is markup."""
    html = answer()._repr_html_()
    assert "<script>" not in html
    assert html.count("<tr>") == 6


def test_long_answers_show_their_beginning() -> None:
    """Text and HTML say how many rows are not shown."""
    found = Answer(ibis.memtable(pa.table({"n": list(range(100))})), {"n": "int64"}, sort="-n")
    assert str(found).splitlines()[1].strip() == "99"
    assert str(found).splitlines()[-1] == "... and 60 more rows"
    assert "... and 60 more rows" in found._repr_html_()
    assert len(found) == len(list(found)) == 100


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", [HOSTILE, "B", "b", "É", None]),
        ("-name", ["É", "b", "B", HOSTILE, None]),
        ("-cost", [None, HOSTILE, "B", "É", "b"]),
        (["-n", "-name"], ["É", "B", HOSTILE, None, "b"]),
        ((), [HOSTILE, "B", "b", "É", None]),
    ],
)
def test_rows_are_sorted_by_code_point(sort: Any, names: list[str | None]) -> None:
    """Null is last in both directions, and equal rows come in the order of the other columns."""
    found = answer(sort=sort)
    assert [row["name"] for row in found] == names
    assert found.table.to_pyarrow()["name"].to_pylist() == names
    assert [row["name"] for row in answer(sort=sort, limit=2)] == names[:2]


def test_rows_have_the_types_of_the_standard_library() -> None:
    """Amounts are Decimal, times aware in UTC, days dates."""
    row = answer(sort="-cost")[0]
    assert row == {
        "name": None,
        "n": 1,
        "cost": Decimal("12.5"),
        "at": datetime(2026, 11, 1, 23, 59, 59, 900_000, UTC),
        "day": date(2026, 11, 1),
    }
    assert row["at"].tzinfo is UTC
    assert [type(value) for value in row.values()] == [type(None), int, Decimal, datetime, date]


def test_arrow_polars_and_pandas_have_the_same_rows() -> None:
    """The schema of Arrow is that of the answer."""
    polars = pytest.importorskip("polars")
    found = answer(sort="name")
    assert found.arrow().schema.field("cost").type == pa.decimal128(38, 9)
    assert found.arrow().schema.names == list(found.columns)
    assert found.polars()["cost"].sum() == Decimal("26.503")
    assert isinstance(found.polars(), polars.DataFrame)


def test_an_empty_answer_is_false() -> None:
    """It has the columns nevertheless."""
    found = Answer(ibis.memtable(pa.table({"n": [1]})).limit(0), {"n": "int64"})
    assert not found
    assert str(found) == "n"
    assert found.rows == []


def test_sort_and_limit_are_checked() -> None:
    """Errors name the argument."""
    with pytest.raises(InvalidValueError, match="Did you mean 'cost'") as caught:
        answer(sort="costs")
    assert caught.value.field == "sort"
    with pytest.raises(InvalidValueError, match="at least 1"):
        answer(limit=0)
