"""Digest answers of a leg: each realm is answered once, and once more if only the nonce was stale."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from didww.emulator.sip.messages import challenges_of, digest_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.sip.messages import Challenge, SipResponse
    from didww.emulator.sip.model import Credentials

__all__ = ["DigestAnswers"]

_MAX_REALMS: Final = 4
_MOST: Final = 2 * _MAX_REALMS


class DigestAnswers:
    """The answers to the challenges of a leg's INVITE.

    Args:
        credentials: User name and password, if the trunk has them.
        ids: Returns a random token of the given number of characters.
    """

    def __init__(self, credentials: Credentials | None, ids: Callable[[int], str]) -> None:
        self._credentials = credentials
        self._ids = ids
        self._given: set[tuple[str, str, bool]] = set()
        self._challenges: dict[tuple[str, str], Challenge] = {}
        self._uses: Counter[str] = Counter()  # of nonces

    def add(self, response: SipResponse) -> bool:
        """Take the challenges of a 401 or 407, and return whether the INVITE is to be sent again."""
        new = False
        for challenge in challenges_of(response) if self._credentials is not None else ():
            place = (challenge.name, challenge.realm)
            known = place in self._challenges
            if (*place, known) in self._given or (known and not challenge.stale) or len(self._given) >= _MOST:
                continue
            self._given.add((*place, known))
            self._challenges[place] = challenge
            new = True
        return new

    def headers(self, method: str, uri: str) -> list[tuple[str, str]]:
        """Return the headers of the next request, which answer the challenges so far."""
        made: list[tuple[str, str]] = []
        for challenge in self._challenges.values():
            made += self._answer(challenge, method, uri)
        return made

    def for_request(self, response: SipResponse, method: str, uri: str) -> list[tuple[str, str]]:
        """Return the headers that answer the challenge of a single request in a dialog."""
        made: list[tuple[str, str]] = []
        for challenge in challenges_of(response)[:_MAX_REALMS]:
            made += self._answer(challenge, method, uri)
        return made

    def _answer(self, challenge: Challenge, method: str, uri: str) -> list[tuple[str, str]]:
        if self._credentials is None:
            return []
        nonce = challenge.offered.params.get("nonce", "")
        self._uses[nonce] += 1
        count = self._uses[nonce]
        value = digest_answer(self._credentials, challenge, method, uri, count=count, cnonce=self._ids(16))
        return [(challenge.name, value)] if value else []
