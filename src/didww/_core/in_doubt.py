"""Mark errors after which it is unknown whether the server processed the request."""

from __future__ import annotations

import contextlib
from typing import cast

from didww.exceptions import DidwwError

__all__ = ["mark_unknown"]


def mark_unknown(error: BaseException, text: str, lookup: dict[str, str] | None = None) -> None:
    """Set `outcome_unknown` and `lookup` on `error`, and append `text` to its message.

    Exceptions of other libraries, such as KeyboardInterrupt, cancellations and errors of hooks, get a note instead.
    """
    with contextlib.suppress(AttributeError):  # an exception of another library may have slots
        unknown = cast("DidwwError", error)
        unknown.outcome_unknown, unknown.lookup = True, lookup
    if isinstance(error, DidwwError):
        error.args = (f"{error} {text}",)
    else:
        error.add_note(text)
