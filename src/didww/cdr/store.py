"""The files of a dataset: on this machine or in an object store, written under another name first.

On this machine, a lock lets one process at a time add files, and renaming a file is atomic. In an object store, a file
appears when it is complete, but there are no locks.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww._util.locks import locked
from didww.cdr.arrow import pa, pa_dataset, pa_fs, pq
from didww.cdr.duck import text
from didww.cdr.duplicates import ANY_TIME, Span
from didww.cdr.schema import PARTITIONS, arrow_schema
from didww.cdr.writing import written
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from duckdb import DuckDBPyConnection
    from pyarrow import Schema
    from pyarrow.fs import FileSystem

__all__ = ["Part", "Store"]

_STAGING: Final = "_staging"
_LOCK: Final = "_lock"
_PART: Final = re.compile(r"account=([^/]+)/direction=([^/]+)/month=([^/]+)/[^/_.][^/]*\.parquet")
_COPIED: Final = 1 << 20


class Part(NamedTuple):
    """A file of a dataset.

    Attributes:
        path: Its path, in the file system of the dataset.
        account: Its account.
        direction: `inbound` or `outbound`.
        month: The month, such as `2026-11`.
    """

    path: str
    account: str
    direction: str
    month: str


class Store:
    """The files of a dataset.

    Args:
        path: The folder, or a path in `filesystem`.
        filesystem: A file system of pyarrow. Defaults to the one of the machine.

    Attributes:
        filesystem: The file system.
        root: Path of the folder in it.
        local: The folder on this machine; None in an object store.
    """

    def __init__(self, path: str | os.PathLike[str], filesystem: FileSystem | None) -> None:
        held: Any = filesystem
        if held is None and "://" in os.fspath(path):
            held, path = _from_uri(os.fspath(path))
        elif held is None:
            held, path = pa_fs.LocalFileSystem(), os.path.abspath(os.fspath(path))  # noqa: PTH100 text
        self.filesystem = held
        self.root = Path(os.fspath(path)).as_posix().rstrip("/")
        self.local = _local(held, self.root)

    def parts(self) -> list[Part]:
        """Return the files, in the order of their paths."""
        selector = pa_fs.FileSelector(self.root, recursive=True, allow_not_found=True)
        return sorted(
            Part(info.path, *match.groups())
            for info in self.filesystem.get_file_info(selector)
            if info.type == pa_fs.FileType.File and (match := _PART.fullmatch(self._inner(info.path)))
        )

    @contextmanager
    def writing(self) -> Generator[Path]:
        """Let only this process write, and yield a folder for files that are not complete.

        Raises:
            DidwwClientError: The folder cannot be written.
        """
        if self.local is None:
            with tempfile.TemporaryDirectory(prefix="didww-") as folder:
                yield Path(folder)
            return
        with written(self.local):
            self.local.mkdir(parents=True, exist_ok=True)
            file = (self.local / _LOCK).open("a+b")
        with file, locked(file):
            staging = _staging_of(self.local)
            shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
            with written(staging):
                staging.mkdir()
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def publish(self, staged: Path, account: str, direction: str, month: str) -> Part:
        """Add a complete file, at once and on disk."""
        folder = f"account={account}/direction={direction}/month={month}"
        name = f"part-{uuid.uuid4().hex}.parquet"
        target = f"{self.root}/{folder}/{name}"
        with written(target):
            if self.local is not None:
                place = self.local / folder
                place.mkdir(parents=True, exist_ok=True)
                _synchronize(staged)
                staged.rename(place / name)
                _synchronize(place)
            else:
                self._copy(staged, f"{self.root}/{folder}", name)
        return Part(target, account, direction, month)

    def _copy(self, staged: Path, folder: str, name: str) -> None:
        """Copy a file to an object store under another name, and rename it."""
        held = f"{self.root}/{_STAGING}/{name}"
        self.filesystem.create_dir(folder, recursive=True)
        self.filesystem.create_dir(f"{self.root}/{_STAGING}", recursive=True)
        with staged.open("rb") as source, self.filesystem.open_output_stream(held) as sink:
            while data := source.read(_COPIED):
                sink.write(data)
        self.filesystem.move(held, f"{folder}/{name}")

    def span(self, part: Part) -> Span | None:
        """Return the times of the calls of a file, from its statistics; None without rows."""
        with self.filesystem.open_input_file(part.path) as file, pq.ParquetFile(file) as parquet:
            metadata = parquet.metadata
            place = parquet.schema_arrow.get_field_index("time_start")
            found = [metadata.row_group(number).column(place).statistics for number in range(metadata.num_row_groups)]
        ends = [each for each in found if each is not None and each.has_min_max]
        if len(ends) < len(found):
            return ANY_TIME
        return Span(min(each.min for each in ends), max(each.max for each in ends)) if ends else None

    def dataset(self, parts: Sequence[Part], schema: Schema) -> Any:
        """Return files as a dataset of pyarrow, with the columns of their folders."""
        folders = pa.schema([(name, pa.string()) for name in PARTITIONS])
        whole = pa.schema([*schema, *folders])
        if not parts:
            return pa_dataset.dataset(whole.empty_table())
        return pa_dataset.dataset(
            [part.path for part in parts],
            schema=whole,
            format="parquet",
            filesystem=self.filesystem,
            partitioning=pa_dataset.partitioning(folders, flavor="hive"),
            partition_base_dir=self.root,
        )

    def table(self, connection: DuckDBPyConnection, parts: Sequence[Part]) -> str:
        """Return files as a table in DuckDB's SQL."""
        if self.local is not None and parts:
            paths = ", ".join(text(str(self.local / self._inner(part.path))) for part in parts)
            return f"read_parquet([{paths}], union_by_name=true, hive_partitioning=true, hive_types_autocast=false)"
        name = f"didww_calls_{uuid.uuid4().hex}"
        connection.register(name, self.dataset(parts, arrow_schema()))
        return name

    def _inner(self, path: str) -> str:
        return path.removeprefix(self.root).lstrip("/")


def _local(filesystem: Any, root: str) -> Path | None:
    """Return the folder of this machine that a path of a file system is."""
    if isinstance(filesystem, pa_fs.LocalFileSystem):
        return Path(root)
    if isinstance(filesystem, pa_fs.SubTreeFileSystem):
        base = filesystem.base_path
        return _local(filesystem.base_fs, f"{base.rstrip('/')}/{root.lstrip('/')}")
    return None


def _from_uri(uri: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it.

    Raises:
        InvalidValueError: pyarrow knows no such file system.
    """
    try:
        filesystem, path = pa_fs.FileSystem.from_uri(uri)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = str(error).splitlines()[0]
    else:
        return filesystem, path
    raise InvalidValueError(f"path is no address of a file system that pyarrow knows: {reason}", field="path")


def _staging_of(folder: Path) -> Path:
    """Return the folder for files that are not complete: next to a dataset, as some engines read all files inside.

    It is inside if only that is in the same file system, where files can be renamed into the dataset.
    """
    beside = folder.parent / f".{folder.name}.didww-staging"
    same = folder.parent.stat().st_dev == folder.stat().st_dev
    return beside if same and os.access(folder.parent, os.W_OK) else folder / _STAGING


def _synchronize(path: Path) -> None:
    """Write a file or the entries of a folder to disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
