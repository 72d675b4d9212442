"""The modules of pyarrow, without types: its stubs leave most of them open, which strict checks refuse.

Import this only in modules that are loaded when Arrow is used.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from didww._util.extras import need

__all__ = ["Batch", "pa", "pa_csv", "pa_dataset", "pa_fs", "pc", "pq"]

pa: Any = need("pyarrow")
pa_csv: Any = need("pyarrow.csv")
pa_dataset: Any = need("pyarrow.dataset")
pa_fs: Any = need("pyarrow.fs")
pc: Any = need("pyarrow.compute")
pq: Any = need("pyarrow.parquet")

Batch: TypeAlias = Any
"""A `pyarrow.RecordBatch`."""
