"""The directory that call records are fetched into, and its hidden directory with the state."""

from __future__ import annotations

import contextlib
import gzip
import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from didww._drivers.call_account import AccountState
from didww._drivers.call_state import BATCH, CallState
from didww._drivers.folder_lock import FolderLock
from didww._drivers.new_rows import keyed_rows
from didww._util.syncing import sync_folder
from didww.exceptions import DidwwClientError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww._core.call_account import LastExport
    from didww._core.call_exports import Wanted
    from didww._core.call_exports_new import Known
    from didww._core.call_periods import Part

__all__ = ["CallFolder"]

HIDDEN: Final = ".didww"
"""Name of the directory with the state."""
_PART: Final = ".part"


class CallFolder:
    """A directory with files of one type of call records.

    Args:
        directory: Its path; empty for the current directory.
        export_type: `cdr_in` or `cdr_out`.

    Raises:
        InvalidValueError: `directory` is not a path.
    """

    def __init__(self, directory: str | bytes | os.PathLike[str], export_type: str) -> None:
        try:
            self.path = Path(os.fsdecode(directory))
        except TypeError:
            raise InvalidValueError(
                f"directory must be a path (str, bytes or os.PathLike), got {type(directory).__name__}.",
                field="directory",
            ) from None
        self._type = export_type
        self._hidden = self.path / HIDDEN
        self._lock = FolderLock(self._hidden / f"{export_type}.lock")
        self._handed: list[str] = []
        self._abandoned = False

    @property
    def download_path(self) -> Path:
        """Where the export is stored whose new rows are taken."""
        return self._hidden / f"{self._type}.export"

    def last_export(self) -> LastExport | None:
        """Return the last export whose calls are in the directory; None if there was none."""
        with self._account() as state:
            return state.last()

    def note_export(self, last: LastExport) -> None:
        """Note the last export, unless a later one is noted."""
        with self._account() as state:
            state.set_last(last)

    # For `fetch`

    def prepare(self) -> None:
        """Create the directory if it is missing, and check that it is not one with new calls only.

        Raises:
            InvalidValueError: It is.
            DidwwClientError: It cannot be created.
        """
        with self._opened() as state:
            if state.streams():
                raise InvalidValueError(
                    f"directory must not be one of fetch_new, whose calls would be in it twice; {self.path} is. "
                    "Pass another one.",
                    field="directory",
                )

    def has(self, name: str, export_id: str) -> bool:
        """Return whether a file was downloaded from this export, and is still there in its size."""
        with self._opened() as state:
            path = self.path / name
            return path.is_file() and state.has_download(name, export_id, path.stat().st_size)

    def note(self, name: str, export_id: str) -> None:
        """Remember that a file was downloaded from this export."""
        with self._opened() as state:
            state.note_download(name, export_id, (self.path / name).stat().st_size)

    # For `fetch_new`

    def lock(self) -> None:
        """Take the lock of the directory, which is created if it is missing.

        Raises:
            DidwwClientError: Another call has it, or the directory cannot be written to.
        """
        with self._lock.in_use():
            self._create()
            try:
                taken = self._lock.acquire()
            except OSError as error:
                raise DidwwClientError(f"Cannot lock {self._hidden}: {error.strerror or error}.") from None
        if not taken:
            raise DidwwClientError(
                f"Another program or thread is fetching {self._type} into {self.path}. Wait until it has ended."
            )

    def unlock(self) -> None:
        """Release the lock."""
        self._lock.release()

    def abandon(self) -> None:
        """Note that the call does not return its files, and release the lock, if it was taken."""
        # `finish` may be running in a thread: one of the two then sees what the other has set.
        self._abandoned = True
        try:
            # An error would replace the one that ends the call.
            with contextlib.suppress(DidwwClientError):
                self._take_back()
        finally:
            self._lock.release()

    def begin(self, wanted: Wanted) -> Known | None:
        """Complete what a crash has interrupted, and return how far the calls were fetched; None for the first time.

        Args:
            wanted: The calls.

        Raises:
            InvalidValueError: The directory has other calls of this type.
        """
        with self._lock.in_use(), self._opened() as state:
            self._recover(state)
            if wanted.name not in state.streams():
                self._check_new(state, wanted)
            return state.known(wanted.name)

    def add(self, wanted: Wanted, part: Part, known: Known) -> None:
        """Add the rows of the downloaded export that are new, in a file of their own, and note how far that is.

        Args:
            wanted: The calls.
            part: The period of the export.
            known: How far the calls are fetched with this export.

        Raises:
            CallFileError: The export is damaged.
            DidwwClientError: A file cannot be written.
        """
        with self._lock.in_use(), self._opened() as state:
            name = self._free_name(state, wanted.file_name(part))
            with state.transaction():
                stream = state.stream(wanted.name)
                rows = self._write(state, stream, self._hidden / (name + _PART), f"{part.end:%Y-%m-%d %H:%M:%S}")
                state.set_known(stream, known)
                if rows:
                    state.add_file(name, stream, rows)
            if rows:
                self._rename(state, name)
            with contextlib.suppress(OSError):
                self.download_path.unlink()

    def finish(self, wanted: Wanted) -> tuple[tuple[Path, ...], int]:
        """Return the files that no call has returned yet, and their number of rows; note that this one returns them."""
        with self._lock.in_use(), self._opened() as state:
            files = state.new_files(wanted.name)
            self._handed = [name for name, _ in files]
            state.set_returned(self._handed, returned=True)
            if self._abandoned:
                self._take_back()
        return tuple(self.path / name for name, _ in files), sum(rows for _, rows in files)

    # Within

    def _take_back(self) -> None:
        """Note that the files of `finish` are not returned."""
        if self._handed:
            with self._opened() as state:
                state.set_returned(self._handed, returned=False)

    def _account(self) -> AccountState:
        self._create()
        return AccountState(self._hidden / "account.sqlite")

    def _create(self) -> None:
        try:
            # Readable only by its owner, as call records are personal data.
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._hidden.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            if self.path.exists() and not self.path.is_dir():
                raise DidwwClientError(f"{self.path} is not a directory. Pass another one.") from None
            raise DidwwClientError(f"Cannot create {self._hidden}: {error.strerror or error}.") from None

    @contextlib.contextmanager
    def _opened(self) -> Generator[CallState]:
        self._create()
        with CallState(self._hidden / f"{self._type}.sqlite") as state:
            yield state

    def _recover(self, state: CallState) -> None:
        """Rename the files that are noted, and delete those that are not."""
        for name in state.files("written"):
            self._rename(state, name)
        with _writing(self._hidden):
            for pattern in (f"{self._type}_*{_PART}", f"{self.download_path.name}*"):
                for path in self._hidden.glob(pattern):
                    path.unlink()

    def _rename(self, state: CallState, name: str) -> None:
        with _writing(self.path / name):
            with contextlib.suppress(FileNotFoundError):  # it has its name already
                (self._hidden / (name + _PART)).replace(self.path / name)
            sync_folder(self.path)
            sync_folder(self._hidden)
        state.renamed(name)

    def _check_new(self, state: CallState, wanted: Wanted) -> None:
        """Check that the calls are not in the directory already.

        Raises:
            InvalidValueError: They are, or may be.
        """
        streams = state.streams()
        if streams and ("filters" if wanted.filters else "") != ("" if self._type in streams else "filters"):
            raise InvalidValueError(
                f"directory must have either all calls or those of single numbers or trunks; {self.path} has "
                f"{', '.join(streams)}. Pass another one.",
                field="directory",
            )
        others = sorted({path.name for path in self.path.glob(f"{self._type}_*.csv*")} - {*state.files()})
        if others:
            raise InvalidValueError(
                f"directory must have no other files of {self._type}, whose calls would be in it twice; {self.path} "
                f"has {others[0]}. Pass another one.",
                field="directory",
            )

    def _free_name(self, state: CallState, name: str) -> str:
        """Return a name that no file has or had: programs may know the file."""
        taken = {*state.files()}
        stem = name.removesuffix(".csv.gz")
        names = (name, *(f"{stem}_{number}.csv.gz" for number in range(2, len(taken) + 3)))
        return next(each for each in names if each not in taken and not (self.path / each).exists())

    def _write(self, state: CallState, stream: int, path: Path, latest: str) -> int:
        """Write the rows that are new to a file; return their number, which is 0 if there is no file."""
        rows = keyed_rows(str(self.download_path), self._type, state.equal_before)
        header, number = next(rows), 0
        same = state.set_columns(stream, header.text.decode(errors="surrogateescape").strip())
        with contextlib.ExitStack() as stack:
            file: gzip.GzipFile | None = None
            while batch := [*islice(rows, BATCH)]:
                keys = [row.exact if same else row.key for row in batch]
                new = state.add_seen(stream, [(key, row.time or latest) for key, row in zip(keys, batch, strict=True)])
                if others := [row for row in batch if row.key != row.exact]:
                    state.add_seen(stream, [(row.key if same else row.exact, row.time or latest) for row in others])
                texts: list[bytes] = []
                for key, row in zip(keys, batch, strict=True):
                    if key in new:
                        new.remove(key)  # of several with the same key, the first is the row
                        texts.append(row.text)
                if texts:
                    with _writing(path):
                        file = file or stack.enter_context(_created(path, header.text))
                        file.write(b"".join(texts))
                    number += len(texts)
        return number


@contextlib.contextmanager
def _created(path: Path, header: bytes) -> Generator[gzip.GzipFile]:
    """Open a new compressed file, which is on the disk when it is closed."""
    with _writing(path):
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as raw:
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
                file.write(header)
                yield file
            raw.flush()
            os.fsync(raw.fileno())
        sync_folder(path.parent)


@contextlib.contextmanager
def _writing(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise DidwwClientError(f"Cannot write {path}: {error.strerror or error}.") from None
