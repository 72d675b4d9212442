"""The columns of a dataset are documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from didww.cdr.schema import PARTITIONS, arrow_schema, dataset_columns

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "call-dataset.md"


def test_columns_are_documented():
    """The page has each column in order, with its type and meaning; those of the folders are last."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows[: -len(PARTITIONS)] == [tuple(column) for column in dataset_columns()]
    assert tuple(name for name, *_ in rows[-len(PARTITIONS) :]) == PARTITIONS


def test_schema():
    """The Arrow schema has these columns; only the start of a call is required."""
    pytest.importorskip("pyarrow")
    schema = arrow_schema()
    assert schema.names == [column.name for column in dataset_columns()]
    assert [field.name for field in schema if not field.nullable] == ["time_start"]
