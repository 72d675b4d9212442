"""SDP answers to offers of the far end (RFC 3264)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["make_answer", "may_send", "next_version"]

_ORIGIN: Final = re.compile(r"^(o=\S+ \S+ )(\d{1,18}) ", re.ASCII | re.MULTILINE)
_DIRECTIONS: Final = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_STATIC: Final = {"0": "PCMU/8000", "8": "PCMA/8000", "3": "GSM/8000", "4": "G723/8000", "18": "G729/8000"}


def next_version(sdp: str) -> str:
    """Return an SDP whose origin has the next version."""
    return _ORIGIN.sub(lambda match: f"{match[1]}{int(match[2]) + 1} ", sdp, count=1)


def make_answer(own: str, offered: bytes) -> str:
    """Return the SDP that answers an offer of the far end with what the own SDP has; empty if nothing is common.

    The first audio stream is taken, others are refused, and the direction is mirrored. Encryption has to be as offered.
    """
    blocks = _blocks(offered.decode("utf-8", "replace"))
    head, *streams = _blocks(own)
    mine = streams[0] if streams else []
    codecs = _codecs(mine)
    answer, taken = [*head], False
    for block in blocks[1:]:
        kind, _, rest = block[0].removeprefix("m=").partition(" ")
        fields = rest.split()
        if kind != "audio" or taken or len(fields) < 3:
            answer.append(f"m={kind} 0 {' '.join(fields[1:]) if len(fields) > 2 else 'RTP/AVP 0'}")
            continue
        their = _codecs(block)
        taken = True
        if fields[0] == "0":
            answer.append(f"m=audio 0 {' '.join(fields[1:])}")
            continue
        common = [payload for payload in fields[2:] if their.get(payload) in codecs.values()]
        port, profile = mine[0].split()[1:3]
        if not common or fields[1] != profile:
            return ""
        direction = _DIRECTIONS.get(_direction(blocks[0], block), "sendrecv")
        answer.append(f"m=audio {port} {fields[1]} {' '.join(common)}")
        answer += [f"a=rtpmap:{payload} {their[payload]}" for payload in common]
        answer += [line for line in mine if line.startswith(("a=ptime", "a=crypto"))]
        answer.append(f"a={direction}")
    return "\r\n".join([*answer, ""]) if taken else ""


def may_send(offered: bytes) -> bool:
    """Return whether the far end wants the audio of the first stream, by the direction in its SDP."""
    head, *streams = _blocks(offered.decode("utf-8", "replace"))
    audio = next((block for block in streams if block[0].startswith("m=audio ")), list[str]())
    return _direction(head, audio) in ("sendrecv", "recvonly")


def _direction(head: list[str], block: list[str]) -> str:
    """Return the direction of a stream: its own, or that of the session."""
    found = [line[2:] for line in (*block, *head) if line[2:] in _DIRECTIONS or line == "a=sendrecv"]
    return found[0] if found else "sendrecv"


def _blocks(sdp: str) -> list[list[str]]:
    """Return the lines of the session, then those of each stream."""
    blocks: list[list[str]] = [[]]
    for line in sdp.replace("\r", "").split("\n")[:500]:
        if line.startswith("m="):
            blocks.append([])
        if line:
            blocks[-1].append(line)
    return blocks[:17]


def _codecs(block: list[str]) -> dict[str, str]:
    """Return the codecs of a stream by payload type, such as `{"0": "PCMU/8000"}`."""
    codecs = {payload: _STATIC[payload] for payload in (block[0].split()[3:] if block else []) if payload in _STATIC}
    for line in block:
        if line.startswith("a=rtpmap:"):
            payload, _, codec = line.removeprefix("a=rtpmap:").partition(" ")
            codecs[payload] = codec.strip()
    return codecs
