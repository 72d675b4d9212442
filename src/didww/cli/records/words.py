"""Names of the API in the words of people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["listed", "sentence", "words"]

_NAMES: Final = "did|pop|sip|pstn|nanpa|npa|nxx|npanxx|id|ip|rtp|vat|url|cli|iso|sms|smpp|http"
_ACRONYMS: Final = re.compile(rf"\b({_NAMES})(s?)\b")


def words(name: str) -> str:
    """Return a name such as `did_groups` in words.

    Example:
        >>> words("did_groups")
        'DID groups'
    """
    text = name.replace("_", " ").replace("voice in ", "inbound ").replace("voice out ", "outbound ")
    return _ACRONYMS.sub(lambda match: match[1].upper() + match[2], text)


def listed(names: Iterable[str]) -> str:
    """Return names with commas and `and` between them.

    Example:
        >>> listed(["a", "b", "c"])
        'a, b and c'
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def sentence(name: str) -> str:
    """Return a name in words, with a capital letter at the beginning."""
    text = words(name)
    return f"{text[:1].upper()}{text[1:]}"
