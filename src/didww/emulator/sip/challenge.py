"""Digest answers of a leg: each realm is answered once, and once more if only the nonce was stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.emulator.sip.messages import answer_challenges

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.sip.messages import SipResponse
    from didww.emulator.sip.model import Credentials

__all__ = ["DigestAnswers"]

_MAX_REALMS: Final = 4


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
        self._answers: dict[tuple[str, str], str] = {}

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers to send, by the realms that have asked so far."""
        return [(name, value) for (name, _), value in self._answers.items()]

    def add(self, response: SipResponse, method: str, uri: str) -> bool:
        """Answer the challenges of a 401 or 407, and return whether the request is to be sent again."""
        new = False
        for name, value, realm, stale in self._answer(response, method, uri):
            known = (name, realm) in self._answers
            key = (name, realm, known)
            if key in self._given or (known and not stale) or len(self._given) >= 2 * _MAX_REALMS:
                continue
            self._given.add(key)
            self._answers[name, realm] = value
            new = True
        return new

    def for_request(self, response: SipResponse, method: str, uri: str) -> list[tuple[str, str]]:
        """Return the headers that answer the challenge of a single request in a dialog."""
        return [(name, value) for name, value, *_ in self._answer(response, method, uri)[:_MAX_REALMS]]

    def _answer(self, response: SipResponse, method: str, uri: str) -> list[tuple[str, str, str, bool]]:
        if self._credentials is None:
            return []
        return [*answer_challenges(self._credentials, response, method, uri, cnonce=self._ids(16))]
