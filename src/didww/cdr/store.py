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
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww._util.locks import locked
from didww._util.syncing import sync_folder
from didww.cdr.arrow import pa, pa_dataset, pa_fs, pq
from didww.cdr.convert import check_no_exports
from didww.cdr.duck import files_text, text
from didww.cdr.duplicates import ANY_TIME, Span, microseconds
from didww.cdr.schema import PARTITIONS, arrow_schema
from didww.cdr.staging import UNFINISHED
from didww.cdr.writing import written
from didww.exceptions import CallFileError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from duckdb import DuckDBPyConnection
    from pyarrow import Schema
    from pyarrow.fs import FileSystem

__all__ = ["Part", "Store", "readable"]

_STAGING: Final = "_didww-staging"
_LOCK: Final = "_lock"
_PART: Final = re.compile(r"account=([^/]+)/direction=([^/]+)/month=([^/]+)/[^/_.][^/]*\.parquet")
_COPIED: Final = 1 << 20
_PRIVATE: Final = 0o700
"""Call records are personal data."""
"""Errors of file systems that cannot write the entries of a folder to disk on demand."""


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
        """Return the files, in the order of their paths.

        Raises:
            CallFileError: The folder cannot be read.
        """
        selector = pa_fs.FileSelector(self.root, recursive=True, allow_not_found=True)
        with readable(self.root):
            infos = self.filesystem.get_file_info(selector)
        return sorted(
            Part(info.path, *match.groups())
            for info in infos
            if info.type == pa_fs.FileType.File and (match := _PART.fullmatch(self._inner(info.path)))
        )

    @contextmanager
    def writing(self) -> Generator[Path]:
        """Let only this process write, and yield a folder for files that are not complete.

        Raises:
            DidwwClientError: The folder cannot be written.
            InvalidValueError: The folder has exports.
        """
        if self.local is None:
            with tempfile.TemporaryDirectory(prefix="didww-") as folder:
                yield Path(folder)
            return
        check_no_exports(self.local)
        with written(self.local):
            self.local.parent.mkdir(parents=True, exist_ok=True)
            self.local.mkdir(_PRIVATE, exist_ok=True)
            file = (self.local / _LOCK).open("a+b")
        with file, locked(file):
            staging = _staging_of(self.local)
            shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
            with written(staging):
                staging.mkdir(_PRIVATE)
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
                _move(staged, self.local, folder, name)
            else:
                self._copy(staged, f"{self.root}/{folder}", name)
        return Part(target, account, direction, month)

    def _copy(self, staged: Path, folder: str, name: str) -> None:
        """Copy a file to an object store under another name, and rename it."""
        held = f"{self.root}/{_STAGING}/{name}{UNFINISHED}"
        self.filesystem.create_dir(folder, recursive=True)
        self.filesystem.create_dir(f"{self.root}/{_STAGING}", recursive=True)
        with staged.open("rb") as source, self.filesystem.open_output_stream(held) as sink:
            while data := source.read(_COPIED):
                sink.write(data)
        self.filesystem.move(held, f"{folder}/{name}")

    def span(self, part: Part) -> Span | None:
        """Return the times of the calls of a file, from its statistics; None without rows.

        Raises:
            CallFileError: It is not a complete Parquet file.
        """
        with (
            readable(part.path),
            self.filesystem.open_input_file(part.path) as file,
            pq.ParquetFile(file) as parquet,
        ):
            metadata = parquet.metadata
            place = parquet.schema_arrow.get_field_index("time_start")
            found = [metadata.row_group(number).column(place).statistics for number in range(metadata.num_row_groups)]
        ends = [each for each in found if each is not None and each.has_min_max]
        if len(ends) < len(found):
            return ANY_TIME
        if not ends:
            return None
        return Span(microseconds(min(each.min for each in ends)), microseconds(max(each.max for each in ends)))

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
            if "=" not in str(self.local):
                return _parquet(self.local / self._inner(part.path) for part in parts)
            # DuckDB would take folders above the dataset for partitions, too.
            by_folder: dict[tuple[str, ...], list[Path]] = {}
            for path, *key in parts:
                by_folder.setdefault(tuple(key), []).append(self.local / self._inner(path))
            tables = (f"select *, {_literals(key)} from {_parquet(paths, 'false')}" for key, paths in by_folder.items())
            return f"({' union all by name '.join(tables)})"
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
    raise InvalidValueError(f"path must be an address of a file system that pyarrow knows: {reason}", field="path")


def _staging_of(folder: Path) -> Path:
    """Return the folder for files that are not complete: next to a dataset, as some engines read all files inside.

    It is inside if only that is in the same file system, where files can be renamed into the dataset.
    """
    beside = folder.parent / f".{folder.name}.didww-staging"
    same = folder.parent.stat().st_dev == folder.stat().st_dev
    return beside if same and os.access(folder.parent, os.W_OK) else folder / _STAGING


def _literals(key: Iterable[str]) -> str:
    return ", ".join(f"{text(value)} as {name}" for name, value in zip(PARTITIONS, key, strict=True))


def _parquet(paths: Iterable[Path], partitions: str = "true") -> str:
    """Return Parquet files as a table in DuckDB's SQL."""
    options = f"union_by_name=true, hive_partitioning={partitions}, hive_types_autocast=false"
    return f"read_parquet({files_text(paths)}, {options})"


def _move(staged: Path, root: Path, folder: str, name: str) -> None:
    """Move a file into a folder of a dataset, with the permissions of the dataset; on disk or not at all.

    Raises:
        OSError: It cannot be written to disk.
    """
    mode = root.stat().st_mode & 0o777
    place = root
    folders = [root.parent, root]
    for part in folder.split("/"):
        place /= part
        place.mkdir(mode, exist_ok=True)
        folders.append(place)
    staged.chmod(staged.stat().st_mode & mode & 0o666)
    _synchronize(staged, os.O_RDWR)
    target = place / name
    staged.rename(target)
    try:
        for each in reversed(folders):
            sync_folder(each)
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _synchronize(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def readable(path: str) -> Generator[None]:
    """Turn errors of reading into one that names the file or folder.

    Raises:
        CallFileError: It cannot be read.
    """
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    else:
        return
    raise CallFileError(
        f"Cannot read {path}: {reason.rstrip('.')}. If a file is damaged, delete it, and append its exports again."
    )
