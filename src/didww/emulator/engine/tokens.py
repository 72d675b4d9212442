"""Bearer tokens: the token endpoint, and the verification of tokens.

Tokens are JSON Web Tokens, signed with a secret of this emulator. Nothing about a token is stored. Sources: the pages
of API version 2026-11-19 about authentication; `parity` lists what they leave open.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from didww._core.effects import Response
from didww.configuration import Environment
from didww.emulator.engine.services import AUDIENCES
from didww.version import API_VERSIONS

if TYPE_CHECKING:
    from datetime import datetime

    from didww._core.effects import Request
    from didww.emulator.engine.store import Store

__all__ = [
    "ENVIRONMENT",
    "Claims",
    "InvalidTokenError",
    "TokenRequest",
    "TokenRequestError",
    "Tokens",
    "granted",
    "oauth_error",
    "read_token_request",
]

ENVIRONMENT: Final = Environment.LOCAL.value
SHORTEST: Final = 60
LONGEST: Final = 3600
_DEFAULT_LIFE: Final = 900
_MAX_BODY: Final = 64 << 10
_MAX_CACHED: Final = 1000
_NOT_CACHED: Final = {"cache-control": "no-store", "pragma": "no-cache"}
_NARROWER_READ: Final = re.compile(r"read(?::[A-Za-z0-9_.-]+)+", re.ASCII)
"""Narrower reading scopes. None is known, so each is granted as `read`."""
_SECRET: Final = "token_secret"  # noqa: S105 the name of a value


class Claims(msgspec.Struct, frozen=True):
    """The claims of a token.

    Attributes:
        sub: Hash of the key that the token was minted from.
        aud: Audiences.
        api_version: API version that it selects.
        scope: `full` or `read`.
        environment: Environment that it belongs to.
        iat, exp: Seconds since 1970 at which it was minted, and at which it expires, with milliseconds.
        jti: Unique identifier.
    """

    sub: str
    aud: list[str]
    api_version: str
    scope: str
    environment: str
    iat: float
    exp: float
    jti: str


class InvalidTokenError(Exception):
    """A token is not accepted; the message says why."""


class TokenRequest(msgspec.Struct, frozen=True):
    """The validated members of a token request; `aud` as it was sent: a text or a list."""

    aud: str | list[str]
    scope: str
    api_version: str | None
    expires_in: int


class Tokens:
    """Mints and verifies the tokens of an emulator.

    Args:
        store: The store. It keeps the secret, so that tokens survive a restart.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secret = store.get_meta(_SECRET) or secrets.token_hex(32)
        self._verified: dict[str, Claims] = {}
        self.keep()

    def keep(self) -> None:
        """Store the secret, also after the store was replaced: a reset does not invalidate tokens."""
        if self._store.get_meta(_SECRET) != self._secret:
            self._store.set_meta(_SECRET, self._secret)

    def sign(self, claims: Claims) -> str:
        """Return a token with these claims."""
        head = _encode(b'{"alg":"HS256","typ":"JWT"}')
        signed = f"{head}.{_encode(msgspec.json.encode(claims))}"
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str) -> Claims:
        """Return the claims of a token that this emulator signed, expired or not.

        Raises:
            InvalidTokenError: The token is malformed, or signed by others.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._read(token)
            if len(self._verified) >= _MAX_CACHED:
                self._verified.clear()
            self._verified[token] = claims
        return claims

    def verify(self, token: str, audience: str, now: datetime) -> Claims:
        """Return the claims of a token for a service.

        Raises:
            InvalidTokenError: The token is not accepted.
        """
        claims = self.read(token)
        if claims.environment != ENVIRONMENT:
            raise InvalidTokenError("Wrong environment")
        if audience not in claims.aud:
            raise InvalidTokenError("Wrong audience")
        if round(now.timestamp() * 1000) >= round(claims.exp * 1000):
            raise InvalidTokenError("Token has expired")
        if claims.api_version not in API_VERSIONS:
            raise InvalidTokenError("Unknown API version")
        return claims

    def _read(self, token: str) -> Claims:
        parts = token.split(".")
        if len(parts) != 3 or not token.isascii() or not all(parts):
            raise InvalidTokenError("Malformed token")
        if not hmac.compare_digest(self._signature(f"{parts[0]}.{parts[1]}"), parts[2]):
            raise InvalidTokenError("Unknown signing key")
        try:
            return msgspec.json.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=Claims)
        except (ValueError, msgspec.DecodeError):
            raise InvalidTokenError("Malformed token") from None

    def _signature(self, text: str) -> str:
        return _encode(hmac.digest(self._secret.encode(), text.encode(), sha256))


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


# The token endpoint


class TokenRequestError(Exception):
    """A token request is refused; the arguments are status, error and description."""


def read_token_request(request: Request) -> TokenRequest:
    """Validate the body of a token request. Unknown members are ignored, as OAuth 2.0 demands (RFC 6749, 3.2).

    Raises:
        TokenRequestError: The request is malformed.
    """
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body or ())
    content_type = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise _invalid(f"Content-Type must be application/json, got {content_type[:80]!a}.")
    if len(body) > _MAX_BODY:
        raise _invalid(f"The body is larger than {_MAX_BODY} bytes.")
    try:
        members: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _invalid("The body is not valid JSON.") from None
    if not isinstance(members, dict):
        raise _invalid("The body must be a JSON object.")
    given = cast("dict[str, Any]", members)
    return TokenRequest(
        _audiences(given.get("aud")),
        _scope(given.get("scope", "full")),
        _version(given["api_version"]) if "api_version" in given else None,
        _life(given.get("expires_in", _DEFAULT_LIFE)),
    )


def _audiences(value: Any) -> str | list[str]:
    if value is None:
        raise _invalid("aud is missing.")
    several: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not several:
        raise _invalid("aud must name at least one service.")
    for one in several:
        if one not in AUDIENCES:
            raise _invalid(f"aud must be {', '.join(AUDIENCES)}, or a list of them, got {ascii(one)[:80]}.")
    return value if isinstance(value, str) else list(dict.fromkeys(several))


def _scope(value: Any) -> str:
    if value in ("full", "read"):
        return str(value)
    if isinstance(value, str) and _NARROWER_READ.fullmatch(value):
        return "read"
    raise TokenRequestError(400, "invalid_scope", f"scope must be full or read, got {ascii(value)[:80]}.")


def _version(value: Any) -> str:
    if value not in API_VERSIONS:
        raise _invalid(f"api_version must be {' or '.join(API_VERSIONS)}, got {ascii(value)[:80]}.")
    return str(value)


def _life(value: Any) -> int:
    # The decoder reads integers beyond 64 bits as floating point.
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool):
        raise _invalid(f"expires_in must be a number of seconds, got {ascii(value)[:80]}.")
    return int(min(max(value, SHORTEST), LONGEST))


def _invalid(description: str) -> TokenRequestError:
    return TokenRequestError(400, "invalid_request", description)


def granted(token: str, asked: TokenRequest, version: str) -> Response:
    """Return the response with a new token."""
    members = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": asked.expires_in,
        "aud": asked.aud,
        "scope": asked.scope,
        "api_version": version,
    }
    return Response(200, {"content-type": "application/json", **_NOT_CACHED}, msgspec.json.encode(members))


def oauth_error(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error in the form of OAuth 2.0, which only the token service uses."""
    body = msgspec.json.encode({"error": error, "error_description": description})
    return Response(status, {"content-type": "application/json", **_NOT_CACHED, **(headers or {})}, body)
