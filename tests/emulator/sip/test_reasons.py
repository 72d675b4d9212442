"""The texts of SIP codes."""

from __future__ import annotations

import pytest

from didww.emulator.sip.reasons import reason_of


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (100, "Trying"),
        (180, "Ringing"),
        (200, "OK"),
        (302, "Moved Temporarily"),
        (404, "Not Found"),
        (421, "Extension Required"),
        (486, "Busy Here"),
        (504, "Server Time-out"),
        (603, "Decline"),
        (699, "Refused"),
    ],
)
def test_texts_are_those_of_sip(code: int, text: str) -> None:
    """HTTP has other texts for some of them."""
    assert reason_of(code) == text
