"""Scan for leaked secrets: every key, token, password and callback secret of any test.

Each test's log records, printed output, failure report, and the text of all created errors are scanned.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import hypothesis

from didww._util.token_cache import Token
from didww.callback.request_validator import RequestValidator
from didww.credentials import ApiKey, BearerToken
from didww.exceptions import DidwwError

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRETS: set[str] = set()
ON_PURPOSE = {"local-key", "YOUR_API_KEY"}
"""Keys that the emulator and the documentation print, to be pasted."""
_PASSWORD = re.compile(rb'"(?:(?:auth_)?password|access_token)"\s*:\s*"([^"\\]+)"')


def remember(secret: object) -> None:
    """Look for `secret` from now on. Not for short ones, which are words of the language, nor for those that Hypothesis
    makes up: it takes some of its strings from the source, and so from our messages.
    """
    if hypothesis.currently_in_test_context():
        return
    if isinstance(secret, str) and len(secret.strip()) >= 8 and secret.strip() not in ON_PURPOSE:
        SECRETS.add(secret.strip())


def remember_passwords(*bodies: object) -> None:
    """Remember the passwords in the documents of requests and responses."""
    for body in bodies:
        if isinstance(body, bytes):
            for password in _PASSWORD.findall(body):
                remember(password.decode())


def shown(texts: Iterable[str]) -> list[str]:
    """Return the texts with a secret in them."""
    texts = list(texts)
    together = "\n".join(texts)  # one search a secret: there are thousands, and most tests show none
    if not any(secret in together for secret in SECRETS):
        return []
    return [text for text in texts if any(secret in text for secret in SECRETS)]


class Heard(logging.Handler):
    """The log records and created errors of a test."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


HEARD = Heard()


def watch() -> None:
    """Start to remember all secrets and to record all errors."""
    for cls in (ApiKey, BearerToken, Token, RequestValidator):
        _before(cls, "__init__", lambda _, *values, **named: [remember(value) for value in (*values, *named.values())])
    _before(DidwwError, "__init__", lambda _, *arguments, **__: HEARD.texts.extend(map(str, arguments)))
    logging.getLogger().addHandler(HEARD)
    logging.getLogger("didww").setLevel(logging.DEBUG)


def _before(cls: type, name: str, first: Any) -> None:
    method = getattr(cls, name)

    def both(self: Any, *arguments: Any, **options: Any) -> None:
        first(self, *arguments, **options)
        method(self, *arguments, **options)

    setattr(cls, name, both)
