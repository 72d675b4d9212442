"""Mask secrets, by the names of JSON members, URL parameters and headers, or by their text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SECRET_HEADERS", "SECRET_NAME", "SECRET_PARAMETER", "mask", "mask_url", "masked", "secrets_of"]

T = TypeVar("T")

SECRET_HEADERS: Final = frozenset({"api-key", "authorization", "cookie", "proxy-authorization"})
"""The names of headers with secrets, in lower case."""
_SHORTEST: Final = 8
"""Length of the shortest secret that is masked in text. A shorter one, as for the emulator, can be part of a word."""

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


def secrets_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in the headers of a request.

    Example:
        >>> secrets_of({"Accept": "*/*", "Authorization": "Bearer example-token"})
        ('example-token',)
    """
    return tuple(value.removeprefix("Bearer ") for name, value in headers.items() if name.lower() in SECRET_HEADERS)


def masked(value: T, secrets: Iterable[str], replacement: str = "***") -> T:
    """Return JSON values with the secrets in their texts replaced.

    Example:
        >>> masked({"title": "Unknown key example-key"}, ["example-key"])
        {'title': 'Unknown key ***'}
    """
    found = tuple(secret for secret in secrets if len(secret) >= _SHORTEST)
    return cast("T", _masked(value, found, replacement)) if found else value


def _masked(value: Any, secrets: tuple[str, ...], replacement: str) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, replacement)
        return value
    if isinstance(value, dict):
        return {
            _masked(name, secrets, replacement): _masked(item, secrets, replacement)
            for name, item in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [_masked(item, secrets, replacement) for item in cast("list[Any]", value)]
    return value
