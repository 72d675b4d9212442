"""Exports of calls for tests: those of the emulator's generator, and others made of rows."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from didww.emulator.data.cdr import (
    CDR_IN_COLUMNS,
    CDR_OUT_COLUMNS,
    Attempt,
    Line,
    OutLine,
    cdr_in,
    cdr_out,
    csv_line,
    with_split_source,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FIRST", "LAST", "inbound_text", "outbound_text", "text_of", "write"]

FIRST = datetime(2026, 9, 28, tzinfo=UTC)
LAST = datetime(2026, 10, 3, tzinfo=UTC)


def inbound_text(start: datetime = FIRST, end: datetime = LAST, *, numbers: int = 20, split: bool = False) -> str:
    """Return an export of inbound calls; `split` is the form since version 2026-11-19."""
    lines = [
        Line(
            f"4420794600{number:02}",
            (Attempt(f"Trunk {number % 3}", "sip:desk@sip.example.com", names=True), Attempt("Backup", "442079460999")),
            'Sales, "EU"' if number % 2 else "",
            "Shared A",
            10,
            number % 5 == 0,
        )
        for number in range(numbers)
    ]
    rows = [csv_line(CDR_IN_COLUMNS), *(text for _, text in cdr_in(lines, start, end, seed=1, a_day=20))]
    return "".join(with_split_source(rows) if split else rows)


def outbound_text(start: datetime = FIRST, end: datetime = LAST) -> str:
    """Return an export of outbound calls."""
    lines = [OutLine(f"trunk-{number}", f"Out {number}", ("442079460001",)) for number in range(3)]
    return csv_line(CDR_OUT_COLUMNS) + "".join(text for _, text in cdr_out(lines, start, end, seed=1, a_day=20))


def text_of(rows: Sequence[dict[str, str]], columns: Sequence[str] = CDR_IN_COLUMNS) -> str:
    """Return an export with some values; the others are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(path: Path, text: str | bytes) -> Path:
    """Write an export, compressed if its name says so."""
    data = text.encode() if isinstance(text, str) else text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path
