"""Authentication: who sends a request, and of which API version it is.

An API key is of version 2026-04-16. A bearer token names its version. Sources: the pages of API version 2026-11-19
about authentication; `parity` lists what they leave open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from didww.emulator.engine import tokens
from didww.emulator.engine.accounts import NOBODY, hash_key
from didww.emulator.engine.errors import HttpError
from didww.emulator.engine.services import API
from didww.emulator.engine.tokens import Claims, InvalidTokenError, TokenRequestError, Tokens
from didww.version import API_VERSION, TOKENS_SINCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from didww._core.effects import Request, Response
    from didww.emulator.engine.accounts import Accounts
    from didww.emulator.engine.services import Service

__all__ = ["Authenticator", "Identity", "NoBodyError"]

_READS: Final = frozenset({"GET", "HEAD"})


def _read(headers: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """Return the key, the authorization and the version that a request asks for; None without the header."""
    key = authorization = version = None
    for name, value in headers.items():
        lower = name.lower()
        if lower == "api-key":
            key = value
        elif lower == "authorization":
            authorization = value
        elif lower == "x-didww-api-version":
            version = value.strip()
    return key, authorization, version


def _bearer(authorization: str | None) -> str | None:
    """Return the bearer token of an authorization, possibly empty; None without one."""
    if authorization is None:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class Identity(NamedTuple):
    """Whose request it is: the account, and the API version."""

    owner: int
    version: str


class NoBodyError(Exception):
    """Raised to respond with 401 without a body."""


class Authenticator:
    """Checks the credentials of requests.

    Args:
        accounts: The accounts.
        tokens: The tokens.
        now: Returns the time of the emulator's clock.
    """

    def __init__(self, accounts: Accounts, tokens: Tokens, now: Callable[[], datetime]) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._now = now

    def account_of(self, headers: Mapping[str, str]) -> tuple[str, str]:
        """Return the beginning of the hash of a request's key, empty if none is known, and the API version.

        It checks nothing but who signed a token: expired tokens count against their account's rate limit, too.
        """
        key, authorization, _ = _read(headers)
        bearer = _bearer(authorization)
        if bearer is not None:
            try:
                claims = self._tokens.read(bearer)
            except InvalidTokenError:
                return "", TOKENS_SINCE
            return claims.sub[:8], claims.api_version
        return (hash_key(key)[:8] if key else ""), API_VERSION

    def check_api(self, request: Request, *, without_key: bool) -> Identity:
        """Return whose request to the main API it is.

        Args:
            request: The request.
            without_key: Whether the resource needs no credentials.

        Raises:
            HttpError: The credentials are not accepted, or do not suffice.
            NoBodyError: They are not accepted, and the response has no body.
        """
        key, authorization, version = _read(request.headers)
        try:
            bearer = _bearer(authorization)
            if bearer is not None:
                return self._check_bearer(bearer, API, request.method)
            return self._check_key(key, authorization, version)
        except (HttpError, NoBodyError):
            if not without_key or request.method not in _READS:
                raise
            return Identity(NOBODY, API_VERSION)

    def check_download(self, request: Request) -> Identity:
        """Return whose download of a file of the main API it is: with a token, or with a key in every version.

        Raises:
            HttpError: The token is not accepted.
            NoBodyError: The key is not accepted, or there are no credentials.
        """
        key, authorization, _ = _read(request.headers)
        bearer = _bearer(authorization)
        if bearer is not None:
            return self._check_bearer(bearer, API, request.method)
        try:
            return Identity(self._accounts.owner(key), API_VERSION)
        except HttpError:
            raise NoBodyError from None

    def check_prices(self, request: Request, service: Service) -> Identity:
        """Return whose request to a prices service it is.

        Raises:
            HttpError: The token is missing, not accepted, or does not suffice.
        """
        bearer = _bearer(_read(request.headers)[1])
        if bearer is None:
            raise _invalid_token("Token is missing")
        return self._check_bearer(bearer, service, request.method)

    def _check_key(self, key: str | None, authorization: str | None, version: str | None) -> Identity:
        if version == TOKENS_SINCE or (key is None and authorization is not None):
            raise NoBodyError
        owner = self._accounts.owner(key)
        if self._accounts.default_version(owner) >= TOKENS_SINCE:
            raise NoBodyError
        return Identity(owner, API_VERSION)

    def _check_bearer(self, bearer: str, service: Service, method: str) -> Identity:
        try:
            claims = self._tokens.verify(bearer, service.audience, self._now())
        except InvalidTokenError as error:
            raise _invalid_token(str(error)) from None
        owner = self._accounts.owner_of_hash(claims.sub)
        if owner is None:
            raise _invalid_token("Unknown account")
        if claims.scope != "full" and (method not in _READS or claims.scope != "read"):
            raise HttpError(403, "Insufficient scope", code="403", headers=_challenge("insufficient_scope"))
        return Identity(owner, claims.api_version)

    # The token endpoint

    def grant(self, request: Request, id: str) -> Response:
        """Return the response of the token endpoint.

        Args:
            request: The request.
            id: Identifier of the new token.
        """
        if request.method != "POST":
            description = f"{ascii(request.method)[1:-1][:20]} is not supported. Use POST."
            return tokens.oauth_error(405, "invalid_request", description, {"allow": "POST"})
        key = _read(request.headers)[0]
        try:
            owner = self._accounts.owner(key)
        except HttpError:
            return tokens.oauth_error(401, "invalid_client", "The API key is missing or not accepted.")
        try:
            asked = tokens.read_token_request(request)
        except TokenRequestError as error:
            return tokens.oauth_error(*error.args)
        version = asked.api_version or self._accounts.default_version(owner)
        now = round(self._now().timestamp(), 3)
        claims = Claims(
            sub=hash_key(str(key)),
            aud=[asked.aud] if isinstance(asked.aud, str) else asked.aud,
            api_version=version,
            scope=asked.scope,
            environment=tokens.ENVIRONMENT,
            iat=now,
            exp=round(now + asked.expires_in, 3),
            jti=id,
        )
        return tokens.granted(self._tokens.sign(claims), asked, version)


def _invalid_token(reason: str) -> HttpError:
    return HttpError(401, reason, code="401", headers=_challenge("invalid_token"))


def _challenge(error: str) -> dict[str, str]:
    return {"www-authenticate": f'Bearer error="{error}"'}
