"""Mask secrets in JSON values by the names of their members."""

from __future__ import annotations

import re
from typing import Any, Final, cast

__all__ = ["SECRET_NAME", "mask"]

SECRET_NAME: Final = re.compile(r"password|secret|token|auth_user", re.IGNORECASE)


def mask(value: Any, replacement: str = "***") -> Any:
    """Return JSON values with the values of all members whose name is a secret's replaced.

    Example:
        >>> mask({"host": "sip.example.com", "auth_password": "x", "note": None})
        {'host': 'sip.example.com', 'auth_password': '***', 'note': None}
    """
    if isinstance(value, dict):
        return {
            name: replacement if item is not None and SECRET_NAME.search(name) else mask(item, replacement)
            for name, item in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [mask(item, replacement) for item in cast("list[Any]", value)]
    return value
