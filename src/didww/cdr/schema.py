"""The columns of a dataset of call records, and their Arrow types.

They are the attributes of the record classes: those of inbound calls, with those that only outbound calls have before
the call ID. The partitions of a dataset are columns, too.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from didww.resources.call import InboundCall, OutboundCall, columns_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DIRECTIONS", "MONEY", "PARTITIONS", "DatasetColumn", "arrow_schema", "dataset_columns"]

PARTITIONS: Final = ("account", "direction", "month")
"""The columns of the folders of a dataset. The month is that of `time_start`, such as `2026-11`."""

DIRECTIONS: Final = {InboundCall: "inbound", OutboundCall: "outbound"}
"""The value of `direction` of each record class."""

MONEY: Final = (18, 9)
"""Digits of an amount, and those after the point. US dollars."""

_TYPES: Final[dict[type, str]] = {datetime: "timestamp[us, UTC]", Decimal: f"decimal{MONEY}", int: "int32"}


class DatasetColumn(NamedTuple):
    """A column of a dataset.

    Attributes:
        name: Its name: the attribute of the records.
        type: Name of its type.
        doc: What it is.
    """

    name: str
    type: str
    doc: str


@cache
def dataset_columns() -> tuple[DatasetColumn, ...]:
    """Return the columns of the files of a dataset, without those of the folders."""
    columns: dict[str, DatasetColumn] = {}
    for cls in (InboundCall, OutboundCall):
        for attribute, kind, _, column in columns_of(cls):
            columns.setdefault(attribute, DatasetColumn(attribute, _TYPES.get(kind, "string"), column.doc))
    call_id = columns.pop("call_id")
    extra = DatasetColumn("extra", "string", "Values of columns that the SDK does not know, as a JSON object.")
    return (*columns.values(), call_id, extra)


@cache
def arrow_schema() -> pa.Schema:
    """Return the schema of the files of a dataset."""
    import pyarrow as pa

    types = {
        "timestamp[us, UTC]": pa.timestamp("us", "UTC"),
        f"decimal{MONEY}": pa.decimal128(*MONEY),
        "int32": pa.int32(),
        "string": pa.string(),
    }
    return pa.schema(
        [pa.field(name, types[kind], nullable=name != "time_start") for name, kind, _ in dataset_columns()]
    )
