"""SIP URIs as call records show them."""

from __future__ import annotations

import pytest

pytest.importorskip("aiosipua")

from didww.emulator.sip.dialog import next_hop
from didww.emulator.sip.model import Target
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


@pytest.mark.parametrize(
    ("uri", "host", "port"),
    [
        ("sip:x@127.0.0.1:5070", "127.0.0.1", 5070),
        ("sip:x@127.0.0.2", "127.0.0.2", 5060),
        ("sip:x@[::1]:5070", "127.0.0.1", 5080),
        ("sip:x@192.0.2.1:5070", "127.0.0.1", 5080),
        ("sip:x@pbx.example.com", "127.0.0.1", 5080),
    ],
)
def test_a_contact_leads_to_loopback_addresses_of_the_same_version_only(uri: str, host: str, port: int) -> None:
    """Otherwise, messages go where the INVITE went."""
    assert next_hop(uri, Target("udp", "127.0.0.1", 5080)) == Target("udp", host, port)
