"""The SIP options of `didww emulator`: which belong together, and where they listen."""

from __future__ import annotations

import socket

import click
import pytest

from didww.cli.emulator_sip import SipOptions, introduce_sip, listen
from didww.emulator import Emulator

ADDRESS = "127.0.0.1"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (SipOptions(False, False, ADDRESS, None, None, None), []),
        (SipOptions(True, False, ADDRESS, None, None, None), [("udp", 5060), ("tcp", 5060)]),
        (SipOptions(False, True, ADDRESS, None, None, None), [("tls", 5061)]),
        (SipOptions(False, False, ADDRESS, None, "c.pem", "k.pem"), [("tls", 5061)]),
        (SipOptions(True, True, ADDRESS, 5070, None, None), [("udp", 5070), ("tcp", 5070), ("tls", 5071)]),
        (SipOptions(True, True, ADDRESS, 0, None, None), [("udp", 0), ("tcp", 0), ("tls", 0)]),
    ],
)
def test_ports(options: SipOptions, expected: list[tuple[str, int]]) -> None:
    """UDP and TCP share a port, TLS has the next; a certificate means TLS."""
    assert options.ports() == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SipOptions(False, False, ADDRESS, 5070, None, None), "--sip-port is the port of --sip or --sip-tls"),
        (SipOptions(True, True, ADDRESS, 65_535, None, None), "--sip-port must be below 65535"),
        (SipOptions(True, True, ADDRESS, None, "c.pem", None), "--sip-cert and --sip-key belong together"),
    ],
)
def test_options_that_do_not_belong_together(options: SipOptions, message: str) -> None:
    """They are refused before anything is opened."""
    with pytest.raises(click.UsageError, match=message):
        options.ports()


def test_introduction(capsys: pytest.CaptureFixture[str]) -> None:
    """Without SIP nothing is said; allowed hosts are named."""
    with Emulator() as emulator:
        introduce_sip(emulator)
        assert capsys.readouterr().out == ""
        emulator.sip.allow("pbx.example.com")
        introduce_sip(emulator)
        assert "to registered phones, and to pbx.example.com." in capsys.readouterr().out


@pytest.mark.parametrize(("address", "advice"), [("127.0.0.1", "--sip-port"), ("192.0.2.1", "--sip-address")])
def test_addresses_that_are_not_available(address: str, advice: str) -> None:
    """The error says which option helps."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, Emulator() as emulator:
        taken.bind(("127.0.0.1", 0))
        options = SipOptions(True, False, address, taken.getsockname()[1], None, None)
        with pytest.raises(click.ClickException, match=rf"Cannot listen on {address}.*{advice}"):
            listen(emulator, options)
