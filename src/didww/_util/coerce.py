"""Interoperate with other libraries: convert their scalar types, and support all pickle protocols."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from typing import SupportsIndex

__all__ = ["Slotted", "is_uuid", "truth_value", "whole_number"]


def whole_number(value: object) -> int | None:
    """Return `value` as an int if it is an integer of any library, otherwise None. Booleans are not integers here.

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
    except TypeError:  # an array with several items
        return None


def truth_value(value: object) -> bool | None:
    """Return `value` as a bool if it is a boolean of any library, otherwise None, also for 0 and 1."""
    return bool(value) if isinstance(value, bool) or _is_truth_value(value) else None


def _is_truth_value(value: Any) -> bool:
    """Return whether `value` is a scalar boolean of an array library, judging by its dtype."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "b" and getattr(value, "shape", None) == ()


def is_uuid(value: object) -> bool:
    """Return whether `value` is a `uuid.UUID`, without importing the `uuid` module."""
    uuid = sys.modules.get("uuid")
    return uuid is not None and isinstance(value, uuid.UUID)


class Slotted:
    """Base class with slots that supports every pickle protocol; protocols 0 and 1 cannot pickle slots."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return super().__reduce_ex__(max(2, operator.index(protocol)))
