"""The engines, each started once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.engines import WARNINGS, postgres_server, spark_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if __name__.endswith("engines.conftest") or "engines" in item.path.parts:
            for text in WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(text))
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL server; its user is `calls`, its database `postgres`."""
    with postgres_server() as folder:
        yield folder


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A local Spark session."""
    with spark_session() as session:
        yield session
