"""Saying of an error, whoever raised it, that the request may have been carried out, and how to find out."""

from __future__ import annotations

import contextlib
from typing import cast

from didww.exceptions import DidwwError

__all__ = ["mark_unknown"]


def mark_unknown(error: BaseException, text: str, lookup: dict[str, str] | None = None) -> None:
    """Set `outcome_unknown` and `lookup` on `error`, and add `text` to what it says.

    Ctrl-C, a cancellation and what a hook raises are marked, too: they get a note.
    """
    with contextlib.suppress(AttributeError):  # an exception of another library may have slots
        unknown = cast("DidwwError", error)
        unknown.outcome_unknown, unknown.lookup = True, lookup
    if isinstance(error, DidwwError):
        error.args = (f"{error} {text}",)
    else:
        error.add_note(text)
