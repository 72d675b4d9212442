"""Secrets in what the console shows: passwords, keys and tokens are replaced by asterisks."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from didww._util import masking
from didww._util.masking import SECRET_NAME, SECRET_PARAMETER

__all__ = ["MASK", "is_secret", "mask", "mask_members", "mask_parameter", "mask_text"]

MASK: Final = "********"
# In invalid or truncated JSON: a member with a secret name, up to the end of its value or of the text.
_MEMBER: Final = re.compile(
    rf'("[^"]*(?:{SECRET_NAME.pattern})[^"]*"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\Z|\\\Z)|(?!null\b)[^\s,}}\]"]+)',
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Return whether members of this name are secret."""
    return SECRET_NAME.search(name) is not None


def mask(value: Any) -> Any:
    """Return plain JSON values with all secrets masked, also in the URLs of texts."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: MASK if one is not None and is_secret(name) else mask(one) for name, one in members.items()}
    if isinstance(value, list):
        return [mask(item) for item in cast("list[Any]", value)]
    return mask_text(value) if isinstance(value, str) else value


def mask_text(text: str) -> str:
    """Return text with the secrets in its URLs masked."""
    return masking.mask_url(text, MASK)


def mask_parameter(value: str, name: str) -> str:
    """Return the value of a parameter, masked if its name is a secret's."""
    return MASK if SECRET_PARAMETER.search(name) else mask_text(value)


def mask_members(text: str) -> str:
    """Return invalid or truncated JSON with the members of secret names masked."""
    return mask_text(_MEMBER.sub(rf'\1"{MASK}"', text))
