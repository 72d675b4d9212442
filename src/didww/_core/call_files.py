"""The files of a source of call records: a file, a folder with exports, or several."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FilePath", "each_file", "export_files", "exports_in"]

_ENDINGS: Final = (".csv.gz", ".csv")
"""How the names of exports in a folder end."""

FilePath: TypeAlias = str | bytes | os.PathLike[str]


def each_file(source: FilePath | Iterable[FilePath]) -> Iterator[str]:
    """Yield the files of a source: itself, those of a folder, or those of an iterable of both.

    Raises:
        InvalidValueError: It is something else, or a folder without exports. While iterating, for what it has.
    """
    if isinstance(source, str | bytes | os.PathLike):
        return _files(source)
    if isinstance(source, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        return (name for path in source for name in _files(path))
    raise InvalidValueError(
        f"source must be a path (str, bytes or os.PathLike) or an iterable of paths, got {type(source).__name__}.",
        field="source",
    )


def export_files(source: Any) -> list[str]:
    """Return the files of a source, as `each_file`."""
    return [*each_file(source)]


def _files(path: FilePath) -> Iterator[str]:
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise InvalidValueError(
            f"source must have paths (str, bytes or os.PathLike), got {type(path).__name__}.", field="source"
        ) from None
    yield from _in_folder(name) if Path(name).is_dir() else (name,)


def exports_in(folder: Path) -> list[str]:
    """Return the exports in a folder."""
    return sorted(
        str(path)
        for path in folder.iterdir()
        if path.name.endswith(_ENDINGS) and not path.name.startswith((".", "_")) and path.is_file()
    )


def _in_folder(name: str) -> list[str]:
    found = exports_in(Path(name))
    if not found and any(Path(name).glob("account=*")):
        raise InvalidValueError(
            f"The folder {name} is a dataset, not exports. Open a dataset alone, with `CallDataset` or `open_calls`.",
            field="source",
        )
    if not found:
        raise InvalidValueError(f"The folder {name} has no files *.csv.gz or *.csv.", field="source")
    return found
