"""SIP URIs as call records show them."""

from __future__ import annotations

import pytest

pytest.importorskip("aiosipua")

from didww.emulator.sip.uris import without_parameters


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sip:442079460001@192.0.2.1:5060;transport=tcp", "sip:442079460001@192.0.2.1:5060"),
        ("sip:442079460001;cpc=01@192.0.2.1;lr", "sip:442079460001;cpc=01@192.0.2.1"),
        ("sip:192.0.2.1?Subject=x", "sip:192.0.2.1"),
        ("sip:a@[2001:db8::1]:5060;ob", "sip:a@[2001:db8::1]:5060"),
    ],
)
def test_parameters_of_the_user_are_kept(uri: str, shown: str) -> None:
    """Only parameters of the URI are left out."""
    assert without_parameters(uri) == shown
