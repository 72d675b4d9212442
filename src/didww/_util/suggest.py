"""Words that messages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A question for the known name that was probably meant, with a space before it; empty if there is none.

    Example:
        >>> did_you_mean("nmae", ["id", "name"])
        " Did you mean 'name'?"
        >>> did_you_mean("trunks", ["order", "voice_in_trunk", "voice_in_trunk_group"])
        " Did you mean 'voice_in_trunk'?"
    """
    import difflib  # for mistakes only

    if not isinstance(name, str):
        return ""
    name, names = name[:80], list(known)
    found = difflib.get_close_matches(name, names, n=1)
    if not found and len(part := name.strip("-").removesuffix("s")) > 2:
        found = sorted((one for one in names if part in one), key=len)
    return f" Did you mean {found[0]!r}?" if found else ""
