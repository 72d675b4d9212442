"""The members of an enum in the words of a command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from didww._schema.versions import Versions, versions_of_values
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from enum import Enum


__all__ = ["TRUTH", "choice", "choices", "limited", "word"]

TRUTH: Final = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
"""The words for true and false."""


def word(member: Any) -> str:
    """Return the word of a member: the value of a text, the name of a number, the code of a SIP response."""
    if not isinstance(member.value, int):
        return str(member.value)
    code = re.match(r"SIP_(\d{3})_", member.name)
    return code[1] if code is not None else member.name.lower().replace("_", "-")


def choices(cls: type[Enum]) -> dict[str, Enum]:
    """Return the members of an enum by their words."""
    return {word(member): member for member in cls}


def limited(cls: type[Enum]) -> dict[str, Versions]:
    """Return the words of an enum that not every API version has, with the versions that have them."""
    versions = versions_of_values(cls)
    return {word(member): versions[member.value] for member in cls if member.value in versions}


def choice(cls: type[Enum], text: str, field: str = "") -> Enum:
    """Return the member for a text; upper case, hyphens and underscores make no difference.

    Raises:
        InvalidValueError: There is no such member.
    """
    known = choices(cls)
    wanted = _key(text)
    for name, member in known.items():
        if wanted in (_key(name), _key(member.name), _key(str(member.value))):
            return member
    from didww._util.suggest import did_you_mean

    raise InvalidValueError(f"{text!r:.80} must be one of {', '.join(known)}.{did_you_mean(text, known)}", field=field)


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
