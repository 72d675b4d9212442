"""Price files that exist: which ones may be replaced, and which ones are known to be of a certain date.

The date of a file alone says nothing about what it is: it may be a file of other prices, or of something else. So each
download is noted, in the user's cache: a price list, a form and an account, with the file that was written.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from didww.exceptions import PriceFileError

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["date_of", "is_of_list", "note"]

_GZIP: Final = b"\x1f\x8b"


def is_of_list(path: str, record_class: Any, *, decompressed: bool) -> bool:
    """Return whether a file has prices of this class, in this form."""
    from didww import read_prices

    try:
        with open(path, "rb") as file:  # noqa: PTH123 paths of users are text
            if (file.read(len(_GZIP)) == _GZIP) is decompressed:
                return False
        next(iter(read_prices(path, record_class)), None)
    except PriceFileError:
        return False
    return True


def date_of(session: Session, url: str, path: str, *, decompressed: bool) -> datetime | None:
    """Return the date of a file that was downloaded from `url` and was not touched since; otherwise None."""
    try:
        noted = json.loads(_note(session, url, path, decompressed=decompressed).read_text("utf-8"))
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return datetime.fromtimestamp(int(found.st_mtime), UTC) if noted == [found.st_size, found.st_mtime_ns] else None


def note(session: Session, url: str, path: str, *, decompressed: bool) -> None:
    """Note a file that was downloaded from `url`. Without a cache, it is downloaded again the next time."""
    file = _note(session, url, path, decompressed=decompressed)
    with suppress(OSError):
        written = Path(path).stat()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(json.dumps([written.st_size, written.st_mtime_ns]), "utf-8")


def _note(session: Session, url: str, path: str, *, decompressed: bool) -> Path:
    """Return the file of a note. Its name is a hash that does not reveal the API key."""
    import platformdirs

    headers: dict[str, str] = {}
    session.api_key._sign(headers)
    what = json.dumps([url, headers, str(Path(path).resolve()), decompressed])
    name = hashlib.sha256(what.encode()).hexdigest()[:32]
    return Path(platformdirs.user_cache_dir("didww", appauthor=False)) / f"prices-{name}.json"
