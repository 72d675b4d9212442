"""Check that the call records in a directory are of one account: that of its last export."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from didww._core.effects import Work
from didww._core.operations import find
from didww.exceptions import InvalidValueError, NotFoundError
from didww.query_params import QueryParams
from didww.resources.export import KEPT, Export

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from didww._core.effects import Call
    from didww.configuration import Configuration

__all__ = ["AccountFolder", "LastExport", "check_account", "note_account"]


class LastExport(NamedTuple):
    """The last export whose calls are in a directory.

    Attributes:
        origin: The address of the service.
        export_id: Id of the export.
        created_at: When it was created.
    """

    origin: str
    export_id: str
    created_at: datetime


class AccountFolder(Protocol):
    """A directory with call records of one account. The methods may block."""

    path: Path

    def last_export(self) -> LastExport | None:
        """Return the last export; None if there was none."""
        ...

    def note_export(self, last: LastExport) -> None:
        """Note the last export."""
        ...


def check_account(configuration: Configuration, folder: AccountFolder, now: datetime) -> Call[None]:
    """Check that the last export of a directory is in this account.

    Exports have an end: a month after the last one, the account cannot be told anymore.

    Raises:
        InvalidValueError: It is not.
    """
    last = cast("LastExport | None", (yield Work(folder.last_export)))
    if last is None:
        return
    if last.origin != configuration.base_url:
        raise InvalidValueError(
            f"directory must have calls of {configuration.base_url} only; {folder.path} has those of {last.origin}. "
            "Pass another directory.",
            field="directory",
        )
    if now - last.created_at >= KEPT:
        return
    missing = False
    try:
        yield from find(configuration, Export, last.export_id, QueryParams())
    except NotFoundError:
        missing = True
    if missing:
        raise InvalidValueError(
            f"directory must have calls of one account only; the last export of {folder.path}, {last.export_id}, is "
            "not in this account. Pass another directory, or delete this one if its calls are not needed.",
            field="directory",
        )


def note_account(configuration: Configuration, folder: AccountFolder, exports: list[Export]) -> Call[None]:
    """Note the last of the exports, before its calls are in the directory."""
    made = [(export.created_at, export.id) for export in exports if export.created_at is not None and export.id]
    if made:
        created_at, export_id = max(made)
        yield Work(partial(folder.note_export, LastExport(configuration.base_url, export_id, created_at)))
