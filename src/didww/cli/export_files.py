"""Files of exports: their names, what is checked before they are written, and the download."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli.export_periods import period_of
from didww.cli.terminal import transferring
from didww.exceptions import DidwwApiError

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.export import Export

__all__ = ["NAMED_BY", "STDOUT", "check", "download", "file_name", "name_of", "pipe"]

STDOUT: Final = "-"
_ADVICE: Final = "Pass --force to replace it, or another file with -O."
NAMED_BY: Final = ("did_number", "voice_out_trunk.id", "sms_trunk.id")
"""The filters whose value is in the name of a file, and of the reference without the name of the filter."""
SECONDS: Final = 6 * 3600.0
"""Time for a download. Connections that stall are ended before."""


def file_name(text: str) -> str:
    """Return a name as a part of a file's name, with hyphens in the place of blanks and other characters."""
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "-"


def name_of(client: Any, export: Export, *, gunzip: bool) -> str:
    """Return the name of a file, such as `cdr_in_2026-11-01_2026-11-30.csv.gz`."""
    filters: Any = export.filters
    key = next((name for name in NAMED_BY if filters.get(name)), None)
    of = None if key is None else _name(client, key, filters[key])
    parts = (str(export.export_type), period_of(export).name, *((of,) if isinstance(of, str) else ()))
    return f"{'_'.join(parts)}{'.csv' if gunzip else '.csv.gz'}"


def _name(client: Any, key: str, value: Any) -> Any:
    """Return the value of a filter: of a related record, the name, if there is still one."""
    if key == "did_number" or not isinstance(value, str):
        return value
    try:
        return file_name(getattr(client, f"{key.removesuffix('.id')}s")().find(value).data.name)
    except DidwwApiError:
        return value


def check(path: str, *, force: bool, name: str = "-O", advice: str = _ADVICE) -> None:
    """Check that a file can be written, before anything is sent.

    Args:
        path: The file.
        force: Whether it may be replaced.
        name: The option or argument.
        advice: What to do if the file exists.

    Raises:
        UsageError: It exists and `force` is not set, or its directory cannot be written to.
    """
    if path == STDOUT:
        return
    if Path(path).is_dir():
        raise click.UsageError(f"{name}: {path} is a directory. Name a file.")
    if os.path.lexists(path) and not force:
        raise click.UsageError(f"{path} exists. {advice}")
    parent = Path(path).resolve().parent
    if not parent.is_dir():
        raise click.UsageError(f"{path} cannot be written: there is no directory {parent}.")
    if not os.access(parent, os.W_OK):
        raise click.UsageError(f"{path} cannot be written: {parent} is not writable.")


def download(session: Session, export: Export, path: str, *, gunzip: bool) -> Path:
    """Download an export with a progress display, and return the path."""
    client: Any = session.client.with_options(timeout=SECONDS)
    method = client.download_and_decompress_export if gunzip else client.download_export
    with transferring("Downloading") as progress:
        written: Path = method(export, path, progress=progress)
    return written


def pipe(session: Session, export: Export, *, gunzip: bool) -> None:
    """Download an export, and write it to standard output when it is complete."""
    with tempfile.TemporaryDirectory() as directory:
        file = download(session, export, str(Path(directory, "export")), gunzip=gunzip)
        with file.open("rb") as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
