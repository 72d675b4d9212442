"""Call records as data: typed records, a Parquet dataset, answers and reports.

`read_calls`, `InboundCall` and `OutboundCall` need no extra. All else needs `pip install "didww-sdk[cdr]"`; imports are
lazy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from didww._core.call_exports import FetchedFiles, FetchProgress
    from didww._core.call_rows import RejectedRow, read_calls
    from didww.cdr.answer import Answer
    from didww.cdr.calls import Calls
    from didww.cdr.convert import arrow_batches
    from didww.cdr.dataset import Appended, CallDataset
    from didww.cdr.opening import open_calls
    from didww.cdr.sink import CallSink
    from didww.resources.call import CallRecord, InboundCall, OutboundCall

__all__ = [
    "Answer",
    "Appended",
    "CallDataset",
    "CallRecord",
    "CallSink",
    "Calls",
    "FetchProgress",
    "FetchedFiles",
    "InboundCall",
    "OutboundCall",
    "RejectedRow",
    "arrow_batches",
    "open_calls",
    "read_calls",
]

_HOMES = {
    "Answer": "cdr.answer",
    "Appended": "cdr.dataset",
    "CallDataset": "cdr.dataset",
    "CallRecord": "resources.call",
    "CallSink": "cdr.sink",
    "Calls": "cdr.calls",
    "FetchProgress": "_core.call_exports",
    "FetchedFiles": "_core.call_exports",
    "InboundCall": "resources.call",
    "OutboundCall": "resources.call",
    "RejectedRow": "_core.call_rows",
    "arrow_batches": "cdr.convert",
    "open_calls": "cdr.opening",
    "read_calls": "_core.call_rows",
}
"""The module of each name."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"didww.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
