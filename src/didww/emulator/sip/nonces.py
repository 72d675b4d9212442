"""Digest authentication of registrations, from the registrar's side (RFC 7616, RFC 8760): no I/O and no clock.

A nonce proves by itself when it was made. So whoever has no password cannot fill the memory, and only nonces that a
right password was sent with are remembered.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ALGORITHMS", "NONCE_LIFETIME", "Answer", "Nonces", "Verdict", "read_answer"]

ALGORITHMS: Final = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
NONCE_LIFETIME: Final = 300.0
"""Seconds for which a nonce may be used again, with a higher count."""
MAX_REMEMBERED: Final = 10_000
_MEMBER: Final = re.compile(r'([\w-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))', re.ASCII)
_COUNT: Final = re.compile(r"[0-9a-fA-F]{8}", re.ASCII)
_LONGEST: Final = 4_096

Answer: TypeAlias = "Mapping[str, str]"
Verdict: TypeAlias = Literal["right", "stale", "wrong"]


def read_answer(header: str) -> Answer | None:
    """Return the members of an Authorization header, by name in lowercase; None if it is no usable digest."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest" or len(rest) > _LONGEST:
        return None
    members = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _MEMBER.findall(rest)
    }
    needed = ("username", "realm", "nonce", "uri", "response")
    if not all(members.get(name) for name in needed) or members.get("algorithm", "MD5").upper() not in ALGORITHMS:
        return None
    if "qop" in members and (
        members["qop"].lower() != "auth" or not members.get("cnonce") or not _COUNT.fullmatch(members.get("nc", ""))
    ):
        return None
    return members


class Nonces:
    """Makes nonces and checks the answers to them.

    Args:
        ids: Returns a random token of so many characters.

    Attributes:
        algorithms: Algorithms of challenges, the preferred one first. Many phones give up if one is not MD5.
    """

    def __init__(self, ids: Callable[[int], str]) -> None:
        self.algorithms: tuple[str, ...] = ("MD5",)
        self._ids = ids
        self._key = ids(32).encode()
        self._used: dict[str, tuple[float, int]] = {}
        self._forgotten = -1.0

    def challenges(self, realm: str, now: float, *, stale: bool = False) -> list[str]:
        """Return WWW-Authenticate headers with a new nonce, one for each algorithm."""
        nonce = self._make(now)
        end = ", stale=true" if stale else ""
        return [
            f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{end}'
            for algorithm in self.algorithms
        ]

    def check(self, answer: Answer, method: str, realm: str, password: str, now: float) -> Verdict:
        """Check an answer. `stale`: the password is right, but the nonce is too old or was used with this count."""
        offered = answer.get("algorithm", "MD5").upper() in self.algorithms
        if (
            not offered
            or answer["realm"] != realm
            or not hmac.compare_digest(
                answer["response"].lower().encode(), _response(answer, method, password).encode()
            )
        ):
            return "wrong"
        nonce = answer["nonce"]
        made = self._made(nonce)
        count = int(answer["nc"], 16) if "qop" in answer else 1
        if made is None or made <= self._forgotten or not 0 <= now - made < NONCE_LIFETIME:
            return "stale"
        if count <= self._used.get(nonce, (made, 0))[1]:
            return "stale"
        self._used[nonce] = (made, count)
        self._forget(now)
        return "right"

    def _make(self, now: float) -> str:
        text = f"{int(now * 1000):x}-{self._ids(12)}"
        return f"{text}-{self._sign(text)}"

    def _made(self, nonce: str) -> float | None:
        """Return when a nonce was made; None if it is not one of these."""
        text, _, signature = nonce.rpartition("-")
        if not hmac.compare_digest(signature.encode(), self._sign(text).encode()):
            return None
        return int(text.partition("-")[0], 16) / 1000

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "replace"), "sha256").hexdigest()[:32]

    def _forget(self, now: float) -> None:
        """Forget nonces that are too old anyway; with too many, also the oldest, which are then refused."""
        if len(self._used) <= MAX_REMEMBERED:
            return
        self._used = {nonce: used for nonce, used in self._used.items() if now - used[0] < NONCE_LIFETIME}
        if len(self._used) > MAX_REMEMBERED:
            oldest = sorted(used[0] for used in self._used.values())[len(self._used) // 2]
            self._used = {nonce: used for nonce, used in self._used.items() if used[0] > oldest}
            self._forgotten = oldest


def _response(answer: Answer, method: str, password: str) -> str:
    algorithm = ALGORITHMS[answer.get("algorithm", "MD5").upper()]

    def digest(*parts: str) -> str:
        return algorithm(":".join(parts).encode("utf-8", "replace")).hexdigest()

    secret = digest(answer["username"], answer["realm"], password)
    request = digest(method, answer["uri"])
    if "qop" not in answer:
        return digest(secret, answer["nonce"], request)
    return digest(secret, answer["nonce"], answer["nc"], answer["cnonce"], answer["qop"], request)
