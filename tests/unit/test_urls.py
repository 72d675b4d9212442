"""URLs: accepted ones are parsed alike by every library that may connect."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from didww._util.urls import joined, origin_of, path_of, without_query

SCHEMES = ("http://", "https://", "HTTP://", "ftp://", "//")
HOSTS = (
    "api.example.com",
    "evil.example.net",
    "127.0.0.1",
    "[::1]",
    "[a]",
    "[2001:db8::1]",
    "[1::2::3]",
    "[::1",
    "é",
    "\u2100",
    "\u3002",
    "%2e",
    "%40",
)
SIGNS = (*":@\\/?#. \t\n\r\x00\x7f&;_-[]|", "..", "//", ":443", ":80", ":0", ":99999", ":x", "user", "v3", "a=b")
PIECES = st.lists(st.sampled_from(SCHEMES + HOSTS + SIGNS), max_size=9).map("".join)


@given(st.one_of(PIECES, PIECES.map("http://{}".format), st.text().map("https://api.example.com{}".format)))
@example("http://evil.example.net:1\\@api.example.com/v3")
@example("http://api.example.com@evil.example.net/v3")
@example("https://api.example.com\t.evil.example.net/")
def test_origins_agree_with_other_url_parsers(url: str) -> None:
    """Scheme, host and port match those of urllib.parse, httpx2 and urllib3."""
    origin = origin_of(url)
    if origin is None:
        return
    usual = 443 if origin.scheme == "https" else 80
    split, theirs, dialed = urlsplit(url), httpx2.URL(url), parse_url(url)
    assert (split.scheme, split.hostname, split.port or usual) == (*origin[:1], origin.host.strip("[]"), origin.port)
    assert (theirs.scheme, theirs.host, theirs.port or usual) == (*origin[:1], origin.host.strip("[]"), origin.port)
    assert (dialed.scheme, dialed.host, dialed.port or usual) == tuple(origin)
    assert split.username is split.password is dialed.auth is None
    assert path_of(url) == split.path


@pytest.mark.parametrize("url", [None, 5, b"http://api.example.com", "", "api.example.com", "http://", "http:///v3"])
def test_invalid_url_has_no_origin(url: object) -> None:
    """The result is None, without an error."""
    assert origin_of(url) is None


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("::1", True),
        ("2001:db8::1", True),
        ("2001:DB8:0:0:0:0:0:1", True),
        ("::ffff:192.0.2.1", True),
        ("a", False),
        (":", False),
        (":::", False),
        ("1::2::3", False),
        ("12345::", False),
        ("1:2:3:4:5:6:7:8:9", False),
        ("192.0.2.1", False),
        ("::192.0.2.256", False),
        ("fe80::1%eth0", False),
        ("v1.a", False),
    ],
)
def test_brackets_must_contain_an_ipv6_address(host: str, is_one: bool) -> None:
    """Anything else in brackets is not a host."""
    origin = origin_of(f"http://[{host}]:81/v3")
    assert origin == (("http", f"[{host.lower()}]", 81) if is_one else None)


def test_query_and_fragment_are_hidden() -> None:
    """The default port is omitted too."""
    assert without_query("https://API.example.com:443/v3/x?signature=1#2") == "https://api.example.com/v3/x"
    assert without_query("http://127.0.0.1:8750/v3?a") == "http://127.0.0.1:8750/v3"
    assert without_query("ftp://x?signature=1") == "an invalid URL"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/v3/dids?page=2", "https://api.example.com/v3/dids?page=2"),
        ("?page=2", "https://api.example.com/v3/dids?page=2"),
        ("https://api.example.com/v3/dids?page=2", "https://api.example.com/v3/dids?page=2"),
        ("//evil.example.net/v3", "//evil.example.net/v3"),
    ],
)
def test_relative_links_are_resolved(link: str, expected: str) -> None:
    """A path or a query is resolved against the URL that it came from; another host is rejected."""
    assert joined("https://api.example.com/v3/dids?page=1", link) == expected
