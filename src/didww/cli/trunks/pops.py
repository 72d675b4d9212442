"""Points of presence by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww._util.suggest import did_you_mean
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from didww.resources.pop import Pop

__all__ = ["pop_named"]


def pop_named(client: Any, text: str) -> Pop:
    """Return a point of presence by name, without regard to case, or by id.

    Raises:
        NotExactlyOneError: There is none.
    """
    pops: list[Pop] = client.pops().list().data
    for each in pops:
        if text.strip().casefold() in (each.name.casefold(), each.id):
            return each
    names = [each.name for each in pops]
    raise NotExactlyOneError(
        f"There is no point of presence {text!r:.80}.{did_you_mean(text, names)} There are: {', '.join(names)}."
    )
