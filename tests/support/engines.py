"""The other engines that answer questions about calls: Debian's PostgreSQL, and a local Spark.

Both run in a time zone that is not UTC, which must make no difference.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

__all__ = ["WARNINGS", "ZONE", "postgres_server", "spark_session", "to_postgres"]

ZONE = "America/New_York"
# pyspark, and Ibis with pandas 3, use what their own libraries call deprecated; py4j leaves its sockets to the collector.
WARNINGS = (
    "ignore:fetch_arrow_table:DeprecationWarning",
    "ignore:.*(copy keyword|future.infer_string).*:Warning",
    "ignore:unclosed <socket:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
_TYPES = {"int32": "integer", "int64": "bigint", "string": "text"}


def _programs() -> Path:
    """The folder of the programs of PostgreSQL: of the path, or the newest of Debian's."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not versions:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return versions[-1].parent


@contextlib.contextmanager
def postgres_server() -> Iterator[Path]:
    """Start PostgreSQL in a temporary folder, as another user than root; yield the folder of its socket."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install --group engines")
    if os.name != "posix":
        pytest.skip("PostgreSQL is started on Unix only")
    programs = _programs()
    own: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="didww-pg-"))
    if os.geteuid() == 0:
        users = {user.pw_name: user for user in pwd.getpwall()}
        user = users.get("postgres") or users["nobody"]
        own = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs / program, "-D", data, *arguments],
            cwd=folder,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server would keep a pipe open
            stderr=subprocess.DEVNULL,
            **own,
        )
        log = folder / "log"
        assert done.returncode == 0, log.read_text() if log.exists() else f"{program} failed"

    try:
        run("initdb", "-A", "trust", "-U", "calls", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c timezone={ZONE}"
        run("pg_ctl", "-w", "-t", "120", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def to_postgres(folder: Path, name: str, table: pa.Table) -> None:
    """Copy an Arrow table into a new table of the server."""
    import psycopg

    def type_of(field: pa.Field[Any]) -> str:
        text = str(field.type)
        if text.startswith("decimal128"):
            return text.replace("decimal128", "numeric")
        return "timestamptz" if text.startswith("timestamp") else _TYPES[text]

    columns = ", ".join(f'"{field.name}" {type_of(field)}' for field in table.schema)
    with psycopg.connect(host=str(folder), user="calls", dbname="postgres") as connection:
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
