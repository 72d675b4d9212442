"""Answers on PostgreSQL and Spark: to the last digit those on DuckDB, which are those of plain Python."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from didww.cdr import CallDataset, Calls, open_calls
from support.call_files import inbound_text, outbound_text, write
from support.call_tables import START, calls_of_the_emulator, records, table_of
from support.engines import WARNINGS, spark_session, to_postgres
from support.postgres import postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from didww.cdr import Answer

pytestmark = [pytest.mark.slow, *(pytest.mark.filterwarnings(text) for text in WARNINGS)]

DAY = timedelta(days=1)
ALL = "hour,weekday,day,month,number,country,trunk,trunk_group,capacity_group,disconnect_code,direction,account"
OWN = ["442079460001", "442079460003", "12125550100", "442079460099"]
QUERY = "WITH a AS (SELECT * FROM calls) SELECT trunk, count(*) AS n, sum(duration) AS s FROM a GROUP BY trunk"
QUESTIONS: dict[str, Callable[[Calls], Answer]] = {
    "summary": lambda calls: calls.summary(),
    "summary by trunk": lambda calls: calls.summary("trunk"),
    "summary by all": lambda calls: calls.summary(ALL),
    "costliest numbers": lambda calls: calls.summary("number,hour", start=START + DAY, sort="-cost", limit=5),
    "concurrency": lambda calls: calls.concurrency(capacity=2),
    "concurrency of trunks": lambda calls: calls.concurrency("trunk,account", every="day", start=START + DAY / 3),
    "concurrency by hour": lambda calls: calls.concurrency(
        "direction", every="hour", capacity={"inbound": 2}, end=START + 4 * DAY
    ),
    "anomalies": lambda calls: calls.anomalies(threshold=Decimal("0.5"), min_days=2, min_cost=0, min_count=0, short=30),
    "new places": lambda calls: calls.new_places(),
    "new calling codes": lambda calls: calls.new_places("calling_code", start=START + DAY / 2),
    "new networks": lambda calls: calls.new_places("network", start=START + DAY / 2, end=START + 6 * DAY),
    "unrouted": lambda calls: calls.unrouted(),
    "dead numbers": lambda calls: calls.dead_numbers(OWN, unanswered=True, start=START + 2 * DAY),
    "where": lambda calls: calls.where(trunk=["office", "a", "b\n1"], answered=True).summary("country"),
}

EXAMPLES = 40


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    with postgres_server() as address:
        yield address


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A local Spark session."""
    with spark_session() as session:
        yield session


@pytest.fixture(params=["PostgreSQL", "Spark"])
def engine(request: pytest.FixtureRequest) -> str:
    """Name of the engine."""
    return str(request.param)


@pytest.fixture
def load(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A function that puts records into an engine, and returns its calls."""
    if engine == "PostgreSQL":
        pytest.importorskip("psycopg", reason="needs psycopg: pip install --group engines")
        address: str = request.getfixturevalue("postgres")
        to_postgres(address, "calls", table_of([]))
        connection = ibis.connect(address)

        def to_server(table: pa.Table) -> Calls:
            to_postgres(address, "calls", table)
            return Calls(connection.table("calls"))

        yield to_server
        connection.disconnect()
    else:
        session = request.getfixturevalue("spark")  # first: it skips the test where there is no Spark
        backend = ibis.pyspark.connect(session)

        def to_spark(table: pa.Table) -> Calls:
            path = tmp_path_factory.mktemp("spark") / "calls.parquet"
            pq.write_table(table, path, row_group_size=max(1, table.num_rows // 3))
            return Calls(backend.read_parquet(path))

        yield to_spark


def test_all_questions_have_the_same_answers(load: Callable[[pa.Table], Calls]) -> None:
    """Generated calls of both directions over the end of a month: same rows, order, types and digits."""
    table = calls_of_the_emulator()
    calls, wanted = load(table), Calls(ibis.memtable(table))
    for name, ask in QUESTIONS.items():
        answer = ask(calls)
        assert answer.arrow().equals(ask(wanted).arrow()), name
        assert len(answer) > 0 or name == "new places", name
    assert (
        calls.sql(QUERY).arrow().sort_by("trunk").to_pylist() == wanted.sql(QUERY).arrow().sort_by("trunk").to_pylist()
    )
    assert len(calls) == table.num_rows


def test_odd_records_have_the_same_answers(load: Callable[[pa.Table], Calls], engine: str) -> None:
    """Missing values, names that differ by case, amounts of nine digits, calls without a call ID: the law."""
    drawn: list[list[dict[str, Any]]] = []

    # The first examples of hypothesis are the simplest, so Spark gets one table with the records of all.
    @given(records)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=[*HealthCheck],
    )
    def draw(rows: list[dict[str, Any]]) -> None:
        drawn.append(rows)

    draw()
    every = [row for rows in drawn for row in rows]
    assert min(len({row[name] for row in every}) for name in ("trunk", "number", "cost") if name in every[0]) > 5
    for rows in [every] if engine == "Spark" else [*drawn[:10], every]:
        table = table_of(rows)
        calls, wanted = load(table), Calls(ibis.memtable(table))
        for name, ask in QUESTIONS.items():
            assert ask(calls).arrow().equals(ask(wanted).arrow()), name


def test_spark_reads_a_dataset_as_it_is(spark: Any, tmp_path: Path) -> None:
    """The folder of a dataset is a table of Spark: same answers, with the folders as columns of text."""
    dataset = CallDataset(tmp_path / "calls")
    write(tmp_path / "in.csv", inbound_text())
    write(tmp_path / "out.csv", outbound_text())
    dataset.append([tmp_path / "in.csv", tmp_path / "out.csv"], account="7")
    calls = Calls(ibis.pyspark.connect(spark).read_parquet(tmp_path / "calls"))
    wanted = open_calls(dataset)
    for by in ("account,direction,month", "trunk,disconnect_code"):
        assert calls.summary(by).arrow().equals(wanted.summary(by).arrow())
