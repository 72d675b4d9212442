"""Test how messages are found in a stream."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.emulator.sip.framing import MAX_HEADERS, Framer, FramingError


def message(body: bytes, name: bytes = b"Content-Length") -> bytes:
    """Return a message with a body."""
    return b"OPTIONS sip:192.0.2.1 SIP/2.0\r\n%s: %d\r\n\r\n%s" % (name, len(body), body)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """Return data in pieces."""
    ends = sorted({place % (len(data) + 1) for place in at} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(
    bodies=st.lists(st.binary(max_size=60), max_size=5),
    name=st.sampled_from([b"Content-Length", b"content-length", b"l"]),
    at=st.lists(st.integers(0, 2000), max_size=20),
)
def test_messages_are_the_same_however_the_stream_is_cut(bodies: list[bytes], name: bytes, at: list[int]) -> None:
    """The pieces that arrive do not matter, nor what the bodies contain."""
    sent = [message(body, name) for body in bodies]
    framer = Framer()
    assert [found for piece in cut(b"".join(sent), at) for found in framer.feed(piece)] == sent


@given(count=st.integers(0, 5), at=st.lists(st.integers(0, 100), max_size=10))
def test_keep_alives_between_messages_are_counted(count: int, at: list[int]) -> None:
    """Two empty lines are a keep-alive, however they arrive."""
    framer = Framer()
    data = message(b"") + b"\r\n\r\n" * count + message(b"1")
    assert [found for piece in cut(data, at) for found in framer.feed(piece)] == [message(b""), message(b"1")]
    assert framer.pings == count


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_garbage_is_an_error_or_waits_for_more(pieces: list[bytes]) -> None:
    """Nothing but a `FramingError` comes of any bytes."""
    framer = Framer()
    try:
        for piece in pieces:
            framer.feed(piece)
    except FramingError:
        pass


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x" * MAX_HEADERS, "headers of a message are longer"),
        (b"OPTIONS sip:192.0.2.1 SIP/2.0\r\n\r\n", "no Content-Length"),
        (b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nContent-Length: 999999999\r\n\r\n", "is longer than"),
    ],
)
def test_a_stream_without_bounds_ends(data: bytes, reason: str) -> None:
    """Headers and bodies have a limit, and a body a length."""
    with pytest.raises(FramingError, match=reason):
        Framer().feed(data)
