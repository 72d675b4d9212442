"""Tests that need real time, on machines of any speed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PACES = (1, 5, 25)
_pace = [1]


def seconds(number: float) -> float:
    """Return `number` seconds, multiplied by the factor of the current attempt of the test."""
    return number * _pace[0]


def patient(test: Callable[..., None]) -> Callable[..., None]:
    """Give a test more time if it fails: five times as much, then again; on a busy machine all takes longer.

    A fault shows at every pace. All times in the test, and what it compares them with, are `seconds(...)`.
    """

    @functools.wraps(test)
    def attempts(*args: Any, **named: Any) -> None:
        try:
            for _pace[0] in PACES[:-1]:
                try:
                    return test(*args, **named)
                except (Exception, pytest.fail.Exception):  # noqa: BLE001 the last attempt tells
                    continue
            _pace[0] = PACES[-1]
            return test(*args, **named)
        finally:
            _pace[0] = 1

    return attempts
