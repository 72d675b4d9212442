"""The other engines that answer questions about calls: a local Spark, and tables in PostgreSQL.

Both run in a time zone that is not UTC, which must make no difference.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

__all__ = ["WARNINGS", "spark_session", "to_postgres"]

ZONE = "America/New_York"
# pyspark, and Ibis with pandas 3, use what their own libraries call deprecated; py4j leaves its sockets to the collector.
WARNINGS = (
    "ignore:fetch_arrow_table:DeprecationWarning",
    "ignore:.*(copy keyword|future.infer_string).*:Warning",
    "ignore:unclosed <socket:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
_TYPES = {"int32": "integer", "int64": "bigint", "string": "text"}


def to_postgres(address: str, name: str, table: pa.Table) -> None:
    """Copy an Arrow table into a new table of the server."""
    import psycopg

    def type_of(field: pa.Field[Any]) -> str:
        text = str(field.type)
        if text.startswith("decimal128"):
            return text.replace("decimal128", "numeric")
        return "timestamptz" if text.startswith("timestamp") else _TYPES[text]

    columns = ", ".join(f'"{field.name}" {type_of(field)}' for field in table.schema)
    with psycopg.connect(address) as connection:
        connection.execute(f"ALTER DATABASE postgres SET timezone TO '{ZONE}'")
        connection.execute(f"DROP TABLE IF EXISTS {name} CASCADE")
        connection.execute(f"CREATE TABLE {name} ({columns})")
        with connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            for row in table.to_pylist():
                copy.write_row(list(row.values()))


@contextlib.contextmanager
def spark_session() -> Iterator[Any]:
    """Start Spark in a Java process of its own; yield the session."""
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install --group engines")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("Java is not installed: apt-get install openjdk-17-jre-headless")
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory(prefix="didww-spark-") as folder:
        settings = {
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.driver.extraJavaOptions": f"-Duser.timezone={ZONE} -Dderby.system.home={folder}",
            "spark.local.dir": folder,
            "spark.log.level": "OFF",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.warehouse.dir": f"{folder}/warehouse",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        builder = SparkSession.builder.master("local[2]").appName("didww")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()
