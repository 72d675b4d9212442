"""Formats of text fields: a pattern, and its description for messages.

Patterns are taken from the API contract, or follow its description if it has no pattern.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["DIGITS", "EMAIL", "RECORD_ID", "WEB_ADDRESS", "Form"]


class Form(NamedTuple):
    """The format of a text.

    Attributes:
        pattern: Pattern that the whole text matches.
        words: Description for messages: "must be ...".
        strip: Separators that people insert; they are removed to suggest a valid text.
    """

    pattern: str
    words: str
    strip: str = ""

    def fits(self, text: str) -> bool:
        """Return whether `text` has the format."""
        return re.fullmatch(self.pattern, text, re.ASCII) is not None

    def meant(self, text: str) -> str | None:
        """Return `text` without separators if that has the format; otherwise None."""
        stripped = re.sub(f"[{self.strip}]", "", text) if self.strip else ""
        return stripped if stripped and self.fits(stripped) else None


DIGITS: Final = Form("^[0-9]+$", "digits only", r"+\s./-")
"""A phone number or prefix with the country code, without the plus sign."""

EMAIL: Final = Form(r"^[^\s@]+@[^\s@]+$", "an email address such as 'jane@example.com'")

RECORD_ID: Final = Form(
    "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    "the id of a record, such as 8d1a3c5e-0000-4000-8000-000000000001",
)
"""The id of another record in an attribute."""

_HOST: Final = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\\\x00-\x1f\x7f]+)"
_PORT: Final = r"(?::(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3}))?"
_REST: Final = r"(?:[/?#][^\s\x00-\x1f\x7f]*)?"

WEB_ADDRESS: Final = Form(
    rf"^(?:[Hh][Tt][Tt][Pp][Ss]?://(?:[^\s/?#@]*@)?)?{_HOST}{_PORT}{_REST}$",
    "an HTTP or HTTPS URL with a host",
)
"""A callback URL. The service treats a URL without a scheme, such as `example.com/hook`, as http."""
