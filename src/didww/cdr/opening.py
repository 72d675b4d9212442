"""Open call records for questions: a dataset, or exports, which are converted to a temporary dataset first."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from didww._util.extras import need
from didww._util.suggest import did_you_mean
from didww._util.text import shown
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._core.call_rows import RejectedRow
    from didww._core.download import Progress
    from didww.cdr.calls import Calls
    from didww.cdr.dataset import CallDataset
    from didww.resources.call import CallRecord

__all__ = ["open_calls", "open_dataset"]


def open_calls(
    source: Any,
    *,
    account: str | None = None,
    record_class: type[CallRecord] | None = None,
    rejects: list[RejectedRow] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Calls:
    """Open call records for questions, over DuckDB.

    Exports are converted to a dataset in a temporary folder first, which is deleted with the result. To ask again
    later, keep them in a `CallDataset`.

    Args:
        source: A dataset: its folder, or a `CallDataset`. Or exports (`.csv.gz` or `.csv`): a path, a folder, or an
            iterable of paths such as `FetchedFiles`.
        account: Only the records of this account of the dataset; of exports, the name to give to it.
        record_class: Class of the records of exports. Defaults to the class that the header of each file fits.
        rejects: List for the rows of exports that are not valid. Without it, the first raises `CallFileError`.
        progress: Called with the bytes of the exports that were read, and their size.

    Raises:
        CallFileError: An export cannot be read, is damaged, or has other records; or a row is not valid.
        InvalidValueError: An argument is not valid, there are no records, or a package of the extra is not installed.
    """
    from didww.cdr.calls import Calls

    ibis: Any = need("ibis")
    dataset, temporary = open_dataset(
        source, account=account, record_class=record_class, rejects=rejects, progress=progress
    )
    try:
        from didww.cdr.duck import connect

        # A connection reads the files as they are now; those that are added later are not seen.
        connection = connect(folder=temporary)
        backend = ibis.duckdb.from_connection(connection)
        dataset.view(connection, account=None if temporary else account)
        with warnings.catch_warnings():  # Ibis calls a method of DuckDB by its former name
            warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
            calls = Calls(backend.table("calls"))
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        weakref.finalize(backend, shutil.rmtree, temporary, ignore_errors=True)
    return calls


def open_dataset(
    source: Any,
    *,
    account: str | None = None,
    record_class: type[CallRecord] | None = None,
    rejects: list[RejectedRow] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[CallDataset, str | None]:
    """Return a dataset of a source, and its folder if it is temporary: delete that after use.

    Raises:
        CallFileError: As `open_calls`.
        InvalidValueError: As `open_calls`.
    """
    need("pyarrow")
    need("duckdb")
    from didww._core.call_files import exports_in
    from didww.cdr.convert import check_no_exports
    from didww.cdr.dataset import CallDataset

    if isinstance(source, CallDataset):
        return _with_account(source, account), None
    if isinstance(source, str | bytes | os.PathLike):
        path = Path(os.fsdecode(cast("Any", source)))
        if not path.exists():
            raise InvalidValueError(f"There is no file or folder {path}.", field="source")
        if path.is_dir():
            dataset = CallDataset(path)
            if dataset.files:
                check_no_exports(path)
                return _with_account(dataset, account), None
            if not exports_in(path):
                raise InvalidValueError(
                    f"The folder {path} has neither a dataset nor exports. Fetch some with `didww cdr fetch`.",
                    field="source",
                )
    temporary = tempfile.mkdtemp(prefix="didww-calls-")
    try:
        dataset = CallDataset(temporary)
        dataset.append(source, account=account, record_class=record_class, rejects=rejects, progress=progress)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return dataset, temporary


def _with_account(dataset: CallDataset, account: str | None) -> CallDataset:
    """Return a dataset, after checking that it has an account.

    Raises:
        InvalidValueError: It has others only.
    """
    accounts = dataset.accounts
    if account is not None and accounts and account not in accounts:
        raise InvalidValueError(
            f"The dataset has no account {shown(account)}.{did_you_mean(account, accounts)} It has: "
            f"{', '.join(accounts)}.",
            field="account",
        )
    return dataset
