"""A phone of the tests: makes REGISTER requests with digest answers, and reads the responses. No sockets."""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import TYPE_CHECKING

from didww.emulator.sip.messages import SipResponse, parse
from didww.emulator.sip.model import Target

if TYPE_CHECKING:
    from didww.emulator.sip.model import Outgoing
    from didww.emulator.sip.registrar import Registrar

__all__ = ["Phone", "answer", "request"]

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
BRANCHES = itertools.count(1)


def request(
    method: str = "REGISTER",
    *headers: str,
    user: str = "alice",
    call_id: str = "call-1",
    cseq: int = 1,
    via: str = "SIP/2.0/UDP 192.0.2.1:5070;rport",
    to_tag: str = "",
) -> bytes:
    """Return a request, with a new branch."""
    lines = [
        f"{method} sip:registrar.example.com SIP/2.0",
        f"Via: {via};branch=z9hG4bK{next(BRANCHES)}",
        f"From: <sip:{user}@registrar.example.com>;tag=1",
        f"To: <sip:{user}@registrar.example.com>{to_tag}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        *headers,
        "Content-Length: 0",
    ]
    return "\r\n".join((*lines, "", "")).encode()


def answer(challenge: str, user: str, password: str, *, count: int = 1, qop: bool = True) -> str:
    """Return the Authorization header that answers a challenge."""
    members = dict(re.findall(r'(\w+)="?([^",]+)', challenge))
    algorithm, uri = members.get("algorithm", "MD5"), "sip:registrar.example.com"

    def digest(*parts: str) -> str:
        return HASHES[algorithm](":".join(parts).encode()).hexdigest()

    secret, what = digest(user, members["realm"], password), digest("REGISTER", uri)
    shown = f'username="{user}", realm="{members["realm"]}", nonce="{members["nonce"]}", uri="{uri}"'
    if not qop:
        return f'Authorization: Digest {shown}, response="{digest(secret, members["nonce"], what)}"'
    nc = f"{count:08x}"
    response = digest(secret, members["nonce"], nc, "c1", "auth", what)
    return (
        f'Authorization: Digest {shown}, response="{response}", algorithm={algorithm}, qop=auth, nc={nc}, cnonce="c1"'
    )


class Phone:
    """A phone that registers.

    Args:
        registrar: The registrar.
        user: User name.
        password: Password.
        source: Where its requests come from.
    """

    def __init__(
        self,
        registrar: Registrar,
        user: str = "alice",
        password: str = "secret-1",
        source: Target | None = None,
    ) -> None:
        self.registrar = registrar
        self.user, self.password = user, password
        self.source = source or Target("udp", "192.0.2.1", 5070)
        self.call_id = f"call-{user}"
        self.cseq = 0
        self.sent: list[Outgoing] = []

    def send(self, *headers: str, now: float = 0.0, method: str = "REGISTER", cseq: int | None = None) -> SipResponse:
        """Send a request and return the response."""
        self.cseq += 1
        data = request(method, *headers, user=self.user, call_id=self.call_id, cseq=self.cseq if cseq is None else cseq)
        self.sent = self.registrar.receive(parse(data), self.source, now)
        response = parse(self.sent[0].data)
        assert isinstance(response, SipResponse)
        return response

    def register(self, *headers: str, now: float = 0.0, cseq: int | None = None) -> SipResponse:
        """Send a request, answer the challenge, and return the last response."""
        challenged = self.send(*headers, now=now, cseq=cseq)
        if challenged.status_code != 401:
            return challenged
        challenge = challenged.get_header("WWW-Authenticate") or ""
        return self.send(*headers, answer(challenge, self.user, self.password), now=now, cseq=cseq)
