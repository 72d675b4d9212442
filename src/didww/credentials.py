"""Credentials of a client: an API key, a provider that gets tokens for a key, or tokens of your own.

Version 2026-04-16 of the API takes API keys. Since version 2026-11-19 it takes tokens, which a token service issues for
an API key. No credentials appear in repr or str, and none can be copied or pickled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from didww._util.coerce import whole_number
from didww._util.text import shown
from didww._util.token_cache import TokenCache
from didww.exceptions import DidwwClientError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

__all__ = ["ApiKey", "BearerToken", "Credentials", "TokenProvider"]

_SCOPE: Final = re.compile(r"full|read(?::[!-~]{1,60})?", re.ASCII)
_MIN_LIFE: Final = 60
_MAX_LIFE: Final = 3600
MAX_TOKEN: Final = 16_384
"""Maximum length of a token: servers accept no longer headers."""


class ApiKey:
    """An API key, sent in the `Api-Key` header. It never appears in repr or str and cannot be pickled.

    Surrounding white space, such as the newline of a file, is removed.

    Raises:
        DidwwClientError: The key is empty, or has characters that a header cannot contain.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str) or not value.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise DidwwClientError(
                "api_key must not be empty. Create a key in the user panel (API > API keys) and pass it as api_key=, "
                "or set DIDWW_API_KEY."
            )
        value = value.strip()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise DidwwClientError(
                "api_key must be printable ASCII without spaces, got other characters. Copy the key again."
            )
        self._value = value

    def sign(self, headers: MutableMapping[str, str]) -> None:
        """Add the `Api-Key` header."""
        headers["Api-Key"] = self._value

    def redacted(self, text: str) -> str:
        """Return `text` with the key masked, if it contains the key."""
        return text.replace(self._value, "***")

    def __repr__(self) -> str:
        return "ApiKey('***')"

    def __reduce__(self) -> tuple[object, ...]:
        raise DidwwClientError("An API key cannot be pickled. Create a client in each process.")


class TokenProvider:
    """Gets tokens for an API key from the token service, and keeps them until shortly before they expire.

    Clients can share a provider, and with it the tokens: threads, asyncio and trio alike. While one call gets a token,
    the others wait for it.

    Args:
        api_key: The API key. Sent to the token service only.
        scope: What the tokens allow: `"full"`; `"read"`, with which the client refuses to write; or a narrower scope
            for reading, `"read:..."`.
        expires_in: The life of a token in seconds, 60 to 3600. Defaults to that of the service, 900.

    Raises:
        DidwwClientError: The key is empty, or has characters that a header cannot contain.
        InvalidValueError: Another argument is not valid.
    """

    __slots__ = ("cache", "expires_in", "key", "scope")

    def __init__(self, api_key: str, scope: str = "full", expires_in: int | None = None) -> None:
        self.key = ApiKey(api_key)
        self.scope = checked_scope(scope)
        self.expires_in = None if expires_in is None else _checked_life(expires_in)
        self.cache = TokenCache()

    def __repr__(self) -> str:
        return f"TokenProvider('***', scope={self.scope!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise DidwwClientError("A token provider cannot be copied or pickled. Create one in each process.")


class BearerToken:
    """A token that the caller supplies, or a function that returns one.

    For programs that must not see the API key. The token needs the audience of each service that the program uses.

    Args:
        token: The token, without the word Bearer; or a function without arguments that returns it, called before each
            request, and once more if the service refuses the token. An asynchronous client also accepts a coroutine
            function.

    Raises:
        InvalidValueError: The token is empty, or has characters that a header cannot contain.
    """

    __slots__ = ("_token",)

    def __init__(self, token: str | Callable[[], str | Awaitable[str]]) -> None:
        self._token = token if callable(token) else checked_token(token)

    @property
    def function(self) -> Callable[[], str | Awaitable[str]] | None:
        """The function that returns the token; None for a fixed token."""
        return self._token if callable(self._token) else None

    def reveal(self) -> str:
        """Return the fixed token."""
        return "" if callable(self._token) else self._token

    def __repr__(self) -> str:
        return "BearerToken('***')"

    def __reduce__(self) -> tuple[object, ...]:
        raise DidwwClientError("A token cannot be copied or pickled. Create a client in each process.")


Credentials: TypeAlias = ApiKey | TokenProvider | BearerToken
"""What authenticates the requests of a client."""


def checked_token(token: object) -> str:
    """Return a token without surrounding white space.

    Raises:
        InvalidValueError: The token is empty, or has characters that a header cannot contain.
    """
    value = token.strip() if isinstance(token, str) else ""
    if not value:
        raise InvalidValueError(
            "token must be the text of a token, or a function that returns one, got "
            f"{'empty text' if isinstance(token, str) else type(token).__name__}.",
            field="token",
        )
    if not is_token(value):
        raise InvalidValueError(
            f"token must be at most {MAX_TOKEN} printable ASCII characters without spaces, without the word Bearer. "
            "Copy the token again.",
            field="token",
        )
    return value


def is_token(value: object) -> bool:
    """Return whether `value` is text that an `Authorization` header can contain."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TOKEN and all("!" <= letter <= "~" for letter in value)


def is_scope(value: str) -> bool:
    """Return whether `value` is the text of a scope."""
    return _SCOPE.fullmatch(value) is not None


def checked_scope(scope: object, name: str = "scope") -> str:
    """Return `scope`.

    Raises:
        InvalidValueError: The scope is not valid.
    """
    if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
        raise InvalidValueError(f"{name} must be 'full', 'read' or 'read:...', got {shown(scope)}.", field="scope")
    return scope


def narrowed(provider: str, client: str | None) -> str:
    """Return the scope of a client whose credentials have the scope `provider`.

    Raises:
        InvalidValueError: The client's scope is not valid, or allows more than that of the credentials.
    """
    if client is None:
        return provider
    if checked_scope(client) == provider or provider == "full" or client.startswith(f"{provider}:"):
        return client
    raise InvalidValueError(
        f"scope must not allow more than that of the credentials, {provider!r}, got {client!r}. "
        "Omit scope=, or create the TokenProvider with another scope.",
        field="scope",
    )


def _checked_life(expires_in: object) -> int:
    whole = whole_number(expires_in)
    if whole is None or not _MIN_LIFE <= whole <= _MAX_LIFE:
        raise InvalidValueError(
            f"expires_in must be a whole number of seconds from {_MIN_LIFE} to {_MAX_LIFE}, got {shown(expires_in)}. "
            "Omit it for the default of the service.",
            field="expires_in",
        )
    return whole
