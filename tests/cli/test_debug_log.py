"""The log of `--debug`."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from didww.cli.debug_log import log_requests

VALUE = "value-of-a-parameter"


@pytest.fixture
def printed(capsys):
    """Return a function that returns what was printed to standard error, while the log is on."""
    end = log_requests()
    yield lambda: capsys.readouterr().err
    end()


def test_requests_are_lines_without_the_key(didww, printed):
    """Method, URL, status and duration."""
    client = didww.client
    client.countries().list(filter={"iso": "GB"})
    text = printed()
    lines = text.splitlines()
    assert any("GET " in line and "/countries" in line for line in lines)
    assert any(": 200 in " in line for line in lines)
    assert didww.emulator.key not in text


def test_lines_are_printable_and_masked(printed):
    """What a server sends cannot control the terminal; secrets of URLs are masked."""
    logging.getLogger("didww").info("GET https://api.example.com/x?token=%s&a=\x1b]0;pwned\x07\nnext", VALUE)
    (line,) = printed().splitlines()
    assert line.isprintable()
    assert VALUE not in line
    assert "token=***&a=\\x1b" in line


def test_it_ends(capsys):
    """After a run, nothing is printed, and the level is as before."""
    log = logging.getLogger("didww")
    before = log.level
    log_requests()()
    log.warning("later")
    assert log.level == before
    assert capsys.readouterr().err == ""


def test_closed_standard_error_ends_nothing(didww, monkeypatch):
    """The work goes on."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    end = log_requests()
    stream.close()
    assert didww.client.countries().list().data
    end()
