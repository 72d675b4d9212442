"""Getting along with other libraries: plain values out of theirs, and pickles of every protocol."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from typing import SupportsIndex

__all__ = ["Slotted", "is_uuid", "truth_value", "whole_number"]


def whole_number(value: object) -> int | None:
    """Return `value` as an int if it is a whole number of any kind; None for everything else, True and False included.

    Example:
        >>> whole_number(5), whole_number(True), whole_number(5.0)
        (5, None, None)
    """
    if type(value) is int:
        return value
    if isinstance(value, bool) or not hasattr(value, "__index__") or _is_truth_value(value):
        return None
    try:
        return operator.index(cast("SupportsIndex", value))
    except TypeError:  # an array of several
        return None


def truth_value(value: object) -> bool | None:
    """Return `value` as a bool if it is one, of any library; None for everything else, 0 and 1 included."""
    return bool(value) if isinstance(value, bool) or _is_truth_value(value) else None


def _is_truth_value(value: Any) -> bool:
    """Whether it is a single truth value of an array library, by the array protocol's type code."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "b" and getattr(value, "shape", None) == ()


def is_uuid(value: object) -> bool:
    """Tell whether `value` is a `uuid.UUID`, without importing the module for those who do not use it."""
    uuid = sys.modules.get("uuid")
    return uuid is not None and isinstance(value, uuid.UUID)


class Slotted:
    """A class with slots whose objects go through every protocol of pickle; the oldest two know no slots."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return super().__reduce_ex__(max(2, operator.index(protocol)))
