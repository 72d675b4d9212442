"""Forms of text: what a text that is written must look like, with the words for it.

Patterns stand as the contract writes them. Where it describes a form in words only, the words are followed here.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["DIGITS", "EMAIL", "RECORD_ID", "WEB_ADDRESS", "Form"]


class Form(NamedTuple):
    """What a text must look like.

    Attributes:
        pattern: What all of it matches.
        words: What it is called in messages: "must be ...".
        strip: Characters that people put in between, and that are left out of the text that was meant.
    """

    pattern: str
    words: str
    strip: str = ""

    def fits(self, text: str) -> bool:
        """Whether `text` has the form."""
        return re.fullmatch(self.pattern, text, re.ASCII) is not None

    def meant(self, text: str) -> str | None:
        """The text that was meant, without the characters to leave out; None if that does not have the form either."""
        stripped = re.sub(f"[{self.strip}]", "", text) if self.strip else ""
        return stripped if stripped and self.fits(stripped) else None


DIGITS: Final = Form("^[0-9]+$", "digits only", r"+\s./-")
"""A phone number, or the beginning of one, with its country code and without a plus sign."""

EMAIL: Final = Form(r"^[^\s@]+@[^\s@]+$", "an email address such as 'jane@example.com'")

RECORD_ID: Final = Form(
    "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    "the id of a record, such as 8d1a3c5e-0000-4000-8000-000000000001",
)
"""An id where an attribute names another record."""

_HOST: Final = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\\\x00-\x1f\x7f]+)"
_PORT: Final = r"(?::(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3}))?"
_REST: Final = r"(?:[/?#][^\s\x00-\x1f\x7f]*)?"

WEB_ADDRESS: Final = Form(
    rf"^(?:[Hh][Tt][Tt][Pp][Ss]?://(?:[^\s/?#@]*@)?)?{_HOST}{_PORT}{_REST}$",
    "an HTTP or HTTPS URL with a host",
)
"""A callback URL. The service reads one without a scheme as http, so that it begins with its host."""
