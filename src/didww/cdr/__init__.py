"""Call records as data: typed records, a Parquet dataset, answers and reports.

`read_calls`, `InboundCall` and `OutboundCall` need no extra. All else needs `pip install "didww-sdk[cdr]"`; imports are
lazy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from didww._core.call_exports import FetchedFiles, FetchProgress
    from didww._core.call_rows import RejectedRow, read_calls
    from didww.resources.call import CallRecord, InboundCall, OutboundCall

__all__ = ["CallRecord", "FetchProgress", "FetchedFiles", "InboundCall", "OutboundCall", "RejectedRow", "read_calls"]

_HOMES = {
    "CallRecord": "resources.call",
    "FetchProgress": "_core.call_exports",
    "FetchedFiles": "_core.call_exports",
    "InboundCall": "resources.call",
    "OutboundCall": "resources.call",
    "RejectedRow": "_core.call_rows",
    "read_calls": "_core.call_rows",
}
"""The module of each name."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"didww.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
