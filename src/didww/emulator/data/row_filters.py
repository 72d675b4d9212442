"""The filters of an export, applied to its CSV lines."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from didww.emulator.data.cdr import csv_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["matching"]


def _equal(value: str, wanted: Any) -> bool:
    return bool(value == wanted)


def _any_case(value: str, wanted: Any) -> bool:
    return value.casefold() == str(wanted).casefold()


def _contains(value: str, wanted: Any) -> bool:
    return wanted in value


def _one_of(value: str, wanted: Any) -> bool:
    return value in ([wanted] if isinstance(wanted, str) else wanted)


def _begins(value: str, wanted: Any) -> bool:
    return value.startswith(tuple(wanted))


# By filter: the column, and its comparison. Other filters select lines before any record is written.
_COMPARISONS: Final[dict[str, tuple[str, Callable[[str, Any], bool]]]] = {
    "source_number": ("Source", _equal),
    "source_number_out": ("Source", _equal),
    "source_country_iso": ("Source", _begins),
    "source": ("Source", _equal),
    "cli": ("CLI", _equal),
    "destination": ("Destination Number", _equal),
    "source_address_eq": ("Source Address", _equal),
    "source_address_cont": ("Source Address", _contains),
    "destination_address_eq": ("Destination Address", _equal),
    "destination_address_cont": ("Destination Address", _contains),
    "status": ("Status", _equal),
    "trunk_type": ("Trunk Type", _one_of),
    "sms_id": ("SMS ID", _equal),
    "service_type": ("Service Type", _any_case),
}


def matching(lines: Iterable[str], columns: Sequence[str], filters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the CSV lines that match all filters; a text may hold several lines."""
    tests = [
        (columns.index(column), compare, filters[name])
        for name, (column, compare) in _COMPARISONS.items()
        if name in filters and column in columns
    ]
    if not tests:
        yield from lines
        return
    for text in lines:
        for row in csv.reader(io.StringIO(text)):
            if all(compare(row[place], wanted) for place, compare, wanted in tests):
                yield csv_line(row)
