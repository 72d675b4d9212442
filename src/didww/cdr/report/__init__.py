"""Reports about calls: one page of HTML with plots, and its first part for notebooks.

Only answers of `Calls` are drawn, which are sums, so a page of any number of calls is small.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from didww._util.extras import need
from didww.cdr.report.contents import contents, overview
from didww.cdr.report.page import fragment, page
from didww.cdr.schema import DIRECTIONS
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from datetime import datetime

    from didww.cdr.calls import Calls

__all__ = ["for_notebook", "is_device", "write_report"]

_TITLE = "Call report"


def write_report(
    calls: Calls,
    path: str | os.PathLike[str],
    *,
    title: str = _TITLE,
    capacity: int | Mapping[str, int] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write a report as one page of HTML. See `Calls.report`.

    Args:
        calls: The calls.
        path: The file. It is replaced when the page is complete; a device or a pipe is written to.
        title: Title of the page.
        capacity: Number of channels: of inbound calls, or of each direction, as in `{"inbound": 30, "outbound": 10}`.
        start: Start of the period.
        end: End of the period, exclusive.
        progress: Called with the name of each question before it is asked.

    Returns:
        The file.

    Raises:
        InvalidValueError: `capacity` is not valid, or a package is missing.
    """
    need("matplotlib")
    file = Path(path)
    if file.is_dir():
        raise InvalidValueError(f"path must be a file, but {file} is a directory.", field="path")
    text = page(title, *contents(calls, _by_direction(capacity), progress or _ignore, start, end))
    if is_device(file):
        file.write_text(text, encoding="utf-8", newline="\n")
        return file
    target = file.resolve()  # a link stays one
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as output:
            output.write(text)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return file


def is_device(file: Path) -> bool:
    """Return whether a file is written to as it is: a device or a pipe, such as /dev/null or /dev/stdout.

    Another file in its place would break all programs of the machine that use it.
    """
    return file.exists() and not (file.is_file() or file.is_dir())


def for_notebook(calls: Calls) -> str:
    """Return the key figures and the traffic as HTML."""
    need("matplotlib")
    return fragment("Calls", *overview(calls))


def _ignore(step: str) -> None:
    """Do nothing: no progress is shown."""


def _by_direction(capacity: int | Mapping[str, int] | None) -> dict[str, int]:
    if capacity is None:
        return {}
    channels = cast("Mapping[Any, Any]", capacity if isinstance(capacity, Mapping) else {"inbound": capacity})
    checked: dict[str, int] = {}
    for direction, number in channels.items():
        if direction not in DIRECTIONS.values():
            raise InvalidValueError(
                f"capacity has the directions 'inbound' and 'outbound', not {direction!r:.80}.", field="capacity"
            )
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise InvalidValueError(
                f"capacity must be a number of channels from 1, not {number!r:.80}.", field="capacity"
            )
        checked[direction] = number
    return checked
