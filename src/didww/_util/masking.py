"""Mask secrets by the names of JSON members and URL parameters."""

from __future__ import annotations

import re
from typing import Any, Final, cast

__all__ = ["SECRET_NAME", "SECRET_PARAMETER", "mask", "mask_url"]

SECRET_NAME: Final = re.compile(
    r"pass(?:word|phrase|wd)|secret|token|authorization|signature|auth_(?:user|name)|system_id"
    r"|(?:api|access|auth|private|signing)[_-]?key",
    re.IGNORECASE,
)
"""Names of secrets. A key alone is none, as `public_keys` have it, nor is the user of a SIP address."""
SECRET_PARAMETER: Final = re.compile(rf"{SECRET_NAME.pattern}|key", re.IGNORECASE)
"""Names of secrets in URLs, where a key is one."""
_IN_URL: Final = re.compile(rf"([?&][^=&#\s]*(?:{SECRET_PARAMETER.pattern})[^=&#\s]*=)[^&#\s\"]*", re.IGNORECASE)


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


def mask_url(text: str, replacement: str = "***") -> str:
    """Return text with the values of secret parameters in its URLs replaced.

    Example:
        >>> mask_url("GET /hook?id=1&token=x")
        'GET /hook?id=1&token=***'
    """
    return _IN_URL.sub(rf"\1{replacement}", text)
