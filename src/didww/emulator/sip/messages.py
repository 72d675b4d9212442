"""SIP messages, SDP and digest authentication: the only module that imports the SIP library."""

from __future__ import annotations

import logging
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from aiosipua import (
    AuthChallenge,
    SipDigestAuth,
    SipRequest,
    SipResponse,
    build_credentials,
    parse_auth,
    parse_sdp,
    stringify_auth,
)
from aiosipua import SipMessage as _Message

from didww.emulator.sip.reasons import reason_of
from didww.emulator.sip.sdp_answer import may_send

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.emulator.sip.model import Credentials, Target

__all__ = [
    "MAX_MESSAGE",
    "Challenge",
    "Media",
    "SipMessage",
    "SipRequest",
    "SipResponse",
    "branch_of",
    "challenges_of",
    "cseq_of",
    "digest_answer",
    "media_of",
    "new_request",
    "new_response",
    "number_in",
    "parse",
    "port_of_via",
    "printable",
    "tag_of",
    "uri_in",
]

logging.getLogger("aiosipua").addHandler(logging.NullHandler())  # malformed messages are no news on stderr

SipMessage: TypeAlias = SipRequest | SipResponse

MAX_MESSAGE: Final = 65_535
_MAX_URI: Final = 2_048
_MAX_HEADER: Final = 8_192
_METHOD: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,32}", re.ASCII)
_CSEQ: Final = re.compile(r"\s*(\d{1,10})\s+([A-Za-z0-9.!%*_+`'~-]{1,32})\s*", re.ASCII)
_REQUIRED: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_COPIED: Final = ("Via", "From", "Call-ID", "CSeq")
_TAG: Final = re.compile(r";\s*tag\s*=\s*([^\s;,>]+)", re.IGNORECASE)
_BRANCH: Final = re.compile(r";\s*branch\s*=\s*([^\s;,]+)", re.IGNORECASE)
_VIA_PORT: Final = re.compile(r"^\S+\s+(?:\[[^\]]*\]|[^\s:;]+)\s*:\s*(\d{1,5})", re.ASCII)
_VIA_HOST: Final = re.compile(r"^\S+\s+(\[[^\]]*\]|[^\s:;]+)", re.ASCII)
_HAS_RPORT: Final = re.compile(r";\s*rport\s*(?:[=;]|$)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\s*(\d{1,9})", re.ASCII)


def parse(data: bytes) -> SipMessage:
    """Parse a message that has all that a transaction needs.

    Raises:
        ValueError: It is no SIP message.
    """
    data = data.lstrip(b"\r\n")
    if len(data) > MAX_MESSAGE:
        raise ValueError(f"a message of {len(data)} bytes is longer than {MAX_MESSAGE}")
    start = data.partition(b"\n")[0].strip().upper()
    if not start.startswith(b"SIP/2.0 ") and not start.endswith(b" SIP/2.0"):
        raise ValueError("no message of SIP/2.0")
    try:
        message = _Message.parse(data)
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 whatever the library does not expect
        raise ValueError(f"malformed message ({type(error).__name__})") from None
    if any(len(name) + len(value) > _MAX_HEADER for name, values in message.headers.items() for value in values):
        raise ValueError(f"a header longer than {_MAX_HEADER} characters")
    if (number_in(message.get_header("Content-Length")) or 0) > len(message.body):
        raise ValueError("a body shorter than its Content-Length")
    missing = [name for name in _REQUIRED if not message.get_header(name)]
    if missing:
        raise ValueError(f"a message without {missing[0]}")
    if isinstance(message, SipResponse):
        if not 100 <= message.status_code <= 699:
            raise ValueError(f"a response with the code {message.status_code}")
    elif not _METHOD.fullmatch(message.method) or len(message.uri) > _MAX_URI:
        raise ValueError("a malformed request line")
    method = cseq_of(message)[1]
    if isinstance(message, SipRequest) and method != message.method:
        raise ValueError(f"a request {message.method} with the CSeq of another method")
    return message


def new_request(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> SipRequest:
    """Make a request.

    Raises:
        ValueError: A header has a line break.
    """
    request = SipRequest(method=method, uri=uri, body=body)
    for name, value in headers:
        request.add_header(name, value)
    return request


def new_response(
    request: SipRequest,
    code: int,
    *,
    tag: str = "",
    reason: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    source: Target | None = None,
) -> SipResponse:
    """Make the response to a request.

    Args:
        request: The request.
        code: Status code.
        tag: Tag that is added to the To header if that has none.
        reason: Reason phrase. Defaults to that of the code.
        headers: Further headers.
        body: Body.
        source: Where the request came from, which the topmost Via header then says (RFC 3581).
    """
    response = SipResponse(status_code=code, reason_phrase=reason or reason_of(code), body=body)
    for name in _COPIED:
        for index, value in enumerate(request.get_header_values(name)):
            via = name == "Via" and index == 0 and source is not None
            response.add_header(name, _received_from(value, source) if via and source else value)
    to = request.get_header("To") or ""
    response.add_header("To", to if not tag or tag_of(to) else f"{to};tag={tag}")
    for name, value in headers:
        response.add_header(name, value)
    return response


def _received_from(via: str, source: Target) -> str:
    """Return a Via header with `received` and `rport`, where they are needed (RFC 3261, 18.2.1, and RFC 3581)."""
    wants_port = _HAS_RPORT.search(via) is not None
    named = _VIA_HOST.match(via)
    if not wants_port and named is not None and named[1].strip("[]") == source.host:
        return via
    kept = re.sub(r";\s*(?:rport|received)(?:\s*=[^;,]*)?(?=;|$)", "", via, flags=re.IGNORECASE)
    return f"{kept};received={source.host}{f';rport={source.port}' if wants_port else ''}"


def tag_of(value: str | None) -> str:
    """Return the tag of a From or To header; empty if it has none."""
    text = value or ""
    found = _TAG.search(text.rpartition(">")[2] if ">" in text else text)
    return found[1] if found else ""


def branch_of(message: SipMessage) -> str:
    """Return the branch of the topmost Via header; empty if it has none."""
    found = _BRANCH.search(message.get_header("Via") or "")
    return found[1] if found else ""


def port_of_via(request: SipRequest) -> int | None:
    """Return the port that a response goes to; None if it goes to the one that the request came from (RFC 3581)."""
    via = request.get_header("Via") or ""
    if _HAS_RPORT.search(via) is not None:
        return None
    found = _VIA_PORT.match(via)
    return min(int(found[1]), 65_535) if found else 5060


def cseq_of(message: SipMessage) -> tuple[int, str]:
    """Return number and method of the CSeq header.

    Raises:
        ValueError: It is malformed.
    """
    found = _CSEQ.fullmatch(message.get_header("CSeq") or "")
    if found is None or int(found[1]) >= 1 << 32:
        raise ValueError("a malformed CSeq header")
    return int(found[1]), found[2]


def number_in(value: str | None) -> int | None:
    """Return the number that a header begins with, such as `Expires` or `Session-Expires`."""
    found = _NUMBER.match(value or "")
    return int(found[1]) if found else None


def printable(text: str, most: int = 200) -> str:
    """Return a text of the far end for people: at most so many characters, none of which controls a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text[:most])


def uri_in(value: str) -> str:
    """Return the URI of a Contact, Route or similar header."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', "", value)
    if "<" in text:
        return text.partition("<")[2].partition(">")[0].strip()
    return text.partition(";")[0].strip()


# Digest authentication


class Challenge(NamedTuple):
    """A digest challenge that can be answered.

    Attributes:
        name: Name of the header of the answer.
        realm: Realm of the challenge.
        stale: Whether only the nonce of the former answer was too old.
        offered: The challenge.
    """

    name: str
    realm: str
    stale: bool
    offered: AuthChallenge


def challenges_of(response: SipResponse) -> list[Challenge]:
    """Return the challenges of a 401 or 407: the first one of each realm that can be answered."""
    challenge, name = (
        ("WWW-Authenticate", "Authorization")
        if response.status_code == 401
        else ("Proxy-Authenticate", "Proxy-Authorization")
    )
    found: dict[str, Challenge] = {}
    for value in response.get_header_values(challenge):
        try:
            offered = parse_auth(value)
            offered.params = {key.lower(): text for key, text in offered.params.items()}
            can_be_answered = build_credentials(SipDigestAuth("", ""), offered, "INVITE", "") is not None
        except Exception:  # noqa: BLE001, S112 a challenge of the far end may be anything
            continue
        if can_be_answered and "\n" not in value and "\r" not in value:
            realm, stale = offered.params.get("realm", ""), offered.params.get("stale", "").lower() == "true"
            found.setdefault(realm, Challenge(name, realm, stale, offered))
    return list(found.values())


def digest_answer(
    credentials: Credentials, challenge: Challenge, method: str, uri: str, *, count: int, cnonce: str
) -> str:
    """Return the header that answers a challenge.

    Args:
        credentials: User name and password.
        challenge: The challenge.
        method: Method of the request.
        uri: Request URI.
        count: How often its nonce was used, with this answer.
        cnonce: A random token.
    """
    user = SipDigestAuth(credentials.username, credentials.password)
    made = build_credentials(user, challenge.offered, method, uri, nonce_count=count, cnonce=cnonce)
    if made is None:
        return ""
    # The library hashes the user name as it is, and writes it without escapes.
    made.params["username"] = made.params["username"].replace("\\", "\\\\").replace('"', '\\"')
    return stringify_auth(made)


# SDP


class Media(NamedTuple):
    """Where audio goes to, and the payload type of silence: 0 PCMU, 8 PCMA, None if none is to be sent."""

    host: str
    port: int
    payload_type: int | None


def media_of(body: bytes) -> Media | None:
    """Return where the audio of an SDP goes to; None if it has none or is malformed."""
    try:
        sdp = parse_sdp(body.decode("utf-8", "replace"))
        address, audio = sdp.rtp_address, sdp.audio
        if address is None or audio is None:
            return None
        host, port = address[0], int(address[1])
        ip_address(host)
    except Exception:  # noqa: BLE001 an SDP of the far end may be anything
        return None
    if not 1 <= port <= 65_535:
        return None
    known = [payload for payload in _payloads(audio.formats if hasattr(audio, "formats") else []) if payload in (0, 8)]
    return Media(host, port, known[0] if known and may_send(body) else None)


def _payloads(formats: Iterable[object]) -> list[int]:
    return [int(text) for text in map(str, formats) if text.isascii() and text.isdigit() and len(text) < 4]
