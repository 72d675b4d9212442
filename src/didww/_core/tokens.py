"""Get tokens from the token service and add them to requests.

Calls that share a `TokenProvider` share its tokens. One call at a time gets a new token, and the others wait for it, or
go on with a token that is still valid. A token is replaced shortly before it expires, and once in a call if the service
refuses it.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from msgspec.structs import replace

from didww._core.attempts import Attempt, Exchanged, Failure, mark_unknown, send_once, with_retries
from didww._core.effects import Await, Call, Invoke, Notify, Request, Response, clock
from didww._core.events import ScopeDiffers
from didww._core.request import USER_AGENT
from didww._core.response import class_of_status
from didww._core.retry import retry_after_of
from didww._core.trace import CallTrace, with_trace
from didww._jsonapi.document import NotJsonApiError, decode_raw
from didww._jsonapi.encode import encode
from didww._util.token_cache import Lease, Token
from didww._util.urls import path_of
from didww.credentials import BearerToken, TokenProvider, checked_token, is_scope, is_token
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    AuthenticationError,
    DidwwApiError,
    DidwwError,
    PermissionDeniedError,
    UnexpectedResponseError,
    ValidationError,
)
from didww.services import AUDIENCES

if TYPE_CHECKING:
    from didww.configuration import Configuration

__all__ = ["Signer"]

RENEWAL_TIMEOUT: Final = 10.0
"""Longest time in seconds that a call spends on a renewal, as it can go on with the token that it has."""
RENEWAL_PAUSE: Final = 5.0
"""Seconds between a failed renewal and the next one."""
MAX_LIFE: Final = 86_400.0
"""Longest believable life of a token in seconds."""
_VERSION: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PHASE: Final = "getting a token"
_BY_CODE: Final[dict[str, tuple[type[DidwwApiError], str]]] = {
    "invalid_scope": (PermissionDeniedError, "Pass another scope=."),
    "invalid_request": (ValidationError, "Check scope= and api_version=, and expires_in= of the TokenProvider."),
}
_STATUSES: Final = frozenset({400, 401, 403, 429})
"""The errors of a token service, besides 5xx. Any other server returns others."""
_KEY_HINT: Final = (
    "Check that the API key is complete and belongs to this environment, and that its list of IP addresses includes "
    "yours. Sandbox and production have separate keys."
)


class _Key(NamedTuple):
    """What a token is for."""

    url: str
    audience: str
    scope: str
    api_version: str


class Signer:
    """Sends the requests of one call with tokens, and gets another token once if the service refuses one."""

    __slots__ = ("_replaced",)

    def __init__(self) -> None:
        self._replaced = False

    def send(
        self, configuration: Configuration, request: Request, trace: CallTrace, attempt: Attempt
    ) -> Call[Exchanged | Failure[Exchanged]]:
        """Send `request` with a token. If the token is refused, send it again with a new one.

        A refused request was not processed, so that even a POST can be sent again.
        """
        token = yield from self.token(configuration, request, attempt)
        outcome = yield from send_once(configuration, self.signed(request, token), trace, attempt)
        if isinstance(outcome, Exchanged) and self.replaces(configuration, outcome.response.status):
            other = yield from self.token(configuration, request, attempt, token)
            if other is not token:
                token = other
                outcome = yield from send_once(configuration, self.signed(request, token), trace, attempt)
        if isinstance(outcome, Exchanged) and outcome.response.status != 401:
            token.accepted = True
        return outcome

    def replaces(self, configuration: Configuration, status: int) -> bool:
        """Return whether to send a request with this response again, with another token: only once in a call."""
        credentials = configuration.credentials
        fixed = isinstance(credentials, BearerToken) and credentials.function is None
        if status != 401 or self._replaced or fixed:
            return False
        self._replaced = True
        return True

    def allow_another(self) -> None:
        """Allow to replace a refused token once more, after a long call has made progress."""
        self._replaced = False

    @staticmethod
    def signed(request: Request, token: Token) -> Request:
        """Return `request` with `token`."""
        return replace(request, headers={**request.headers, "Authorization": f"Bearer {token.value}"})

    def token(
        self, configuration: Configuration, request: Request, attempt: Attempt, refused: Token | None = None
    ) -> Call[Token]:
        """Return a valid token for `request`, other than `refused`.

        Raises:
            DidwwError: There is no token; `request` was not sent.
        """
        credentials = configuration.credentials
        try:
            if isinstance(credentials, TokenProvider):
                return (yield from _provided(configuration, credentials, request, attempt, refused))
            return (yield from _supplied(cast("BearerToken", credentials)))
        except DidwwError as error:
            error._unsent = not attempt.uncertain
            if attempt.uncertain and request.method not in ("GET", "HEAD"):
                mark_unknown(error, "The server may have processed an earlier attempt of this call.")
            raise


def _supplied(credentials: BearerToken) -> Call[Token]:
    """Return the token of the caller."""
    function = credentials.function
    value = credentials.reveal() if function is None else checked_token((yield Invoke(function)))
    return Token(value, since=0.0, life=float("inf"))


def _provided(
    configuration: Configuration, provider: TokenProvider, request: Request, attempt: Attempt, refused: Token | None
) -> Call[Token]:
    """Return the shared token, get a new one, or wait for the call that is getting it."""
    key = _key(configuration, request)
    while True:
        lease = Lease(provider.cache, key)
        try:
            claim = lease.claim((yield from clock()), refused)
            if claim.leads:
                token = yield from _lead(configuration, provider, key, lease, request, attempt, claim.token)
                if token is None:
                    continue
                return token
        finally:
            lease.release()
        if claim.token is not None:
            return claim.token
        flight = claim.flight
        remaining = attempt.deadline - (yield from clock())
        if flight is None or remaining <= 0:
            raise _late(request, attempt)
        if (yield Await(flight, remaining)) is False:
            return (yield from _mint(configuration.replaced(timeout=remaining), provider, key, lease))
        if flight.error is not None:
            # A copy for each call: raising an error and adding to its message changes it.
            raise _unsent(request, attempt, cast("DidwwError", copy.copy(flight.error)))


def _key(configuration: Configuration, request: Request) -> _Key:
    scope = configuration.scope
    if scope == "full" and request.audience != AUDIENCES["api"]:
        scope = "read"  # enough for prices
    return _Key(str(configuration.service_urls.token), request.audience, scope, configuration.api_version)


def _lead(
    configuration: Configuration,
    provider: TokenProvider,
    key: _Key,
    lease: Lease,
    request: Request,
    attempt: Attempt,
    valid: Token | None,
) -> Call[Token | None]:
    """Get a new token for all calls.

    Args:
        configuration: The client's settings.
        provider: The provider.
        key: What the token is for.
        lease: The part of this call in it, which ends in any case.
        request: The request that needs the token.
        attempt: The attempt to send it.
        valid: The token to renew, which is still valid; None if there is none.

    Returns:
        The new token. If a renewal fails, the old one, or None if that has expired.
    """
    now = yield from clock()
    remaining = attempt.deadline - now
    if remaining <= 0:
        raise _late(request, attempt)
    if valid is None:
        limited = configuration.replaced(timeout=remaining)
    else:
        limit = min(RENEWAL_TIMEOUT, remaining / 2, valid.expires_at - now)
        limited = configuration.replaced(timeout=limit, max_retries=0)
    try:
        token = yield from _mint(limited, provider, key, lease)
    except DidwwError as error:
        # Without its frames, and raised outside of this block, because they have seen the key and the token.
        failure = error.with_traceback(None)
    else:
        lease.store(token)
        return token
    if valid is not None:
        now = yield from clock()
        lease.postpone(now + max(RENEWAL_PAUSE, getattr(failure, "retry_after", None) or 0.0))
        return valid if now < valid.expires_at else None
    lease.fail(copy.copy(failure) if _concerns_all(failure) else None)
    raise _late(request, attempt) if isinstance(failure, ApiTimeoutError) else _unsent(request, attempt, failure)


def _concerns_all(error: DidwwError) -> bool:
    """Return whether other calls would fail in the same way: not if this one was late, or its client is at fault."""
    if isinstance(error, ApiConnectionError):
        return error.transient and not isinstance(error, ApiTimeoutError)
    return isinstance(error, (DidwwApiError, UnexpectedResponseError))


def _late(request: Request, attempt: Attempt) -> ApiTimeoutError:
    return ApiTimeoutError(
        f"{request.method} {request.redacted_url} was not sent: no token arrived before its timeout ran out. Check the "
        "network and the token URL, or raise `timeout=`.",
        request_sent=attempt.uncertain,
        attempts=attempt.number - 1,
        phase=_PHASE,
    )


def _unsent(request: Request, attempt: Attempt, error: DidwwError) -> DidwwError:
    """Return `error` of the request for a token as one of the request that needs it."""
    if isinstance(error, ApiConnectionError):
        error.request_sent, error.phase = attempt.uncertain, _PHASE
        error.args = (f"{request.method} {request.redacted_url} was not sent: no token. {error}",)
    return error


def _mint(configuration: Configuration, provider: TokenProvider, key: _Key, lease: Lease) -> Call[Token]:
    """Request a token, with retries within the timeout of `configuration`.

    Raises:
        DidwwError: There is no token.
    """
    request = _request(configuration, provider, key)

    def attempts(trace: CallTrace) -> Call[Exchanged]:
        return with_retries(
            configuration, trace, lambda attempt: send_once(configuration, request, trace, attempt), creating=False
        )

    trace = CallTrace(request, confidential=True)
    exchanged = yield from with_trace(configuration, trace, attempts)
    if exchanged.response.status >= 400:
        raise _refusal(provider, request, exchanged)
    token, scope = _parsed(key, request, exchanged.response, trace.sent_at)
    if scope not in ("", key.scope) and lease.first_report():
        shown = provider.key.redacted(scope) if is_scope(scope) else "another one"
        yield Notify(ScopeDiffers(key.scope, shown), configuration.observers)
    return token


def _request(configuration: Configuration, provider: TokenProvider, key: _Key) -> Request:
    """Build the request for a token."""
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        **configuration.headers,
    }
    provider.key.sign(headers)
    wanted: dict[str, Any] = {"aud": key.audience, "scope": key.scope, "api_version": key.api_version}
    if provider.expires_in is not None:
        wanted["expires_in"] = provider.expires_in
    return Request("POST", key.url, headers, encode(wanted))


def _document(request: Request, response: Response) -> dict[str, Any]:
    try:
        if response.status < 300:
            return decode_raw(response.body)
    except NotJsonApiError:
        pass
    else:
        raise _unusable(request, response, "a redirect, which is not followed to protect the API key")
    raise _unusable(request, response, "no JSON document")


def _parsed(key: _Key, request: Request, response: Response, sent_at: float) -> tuple[Token, str]:
    """Return the token of a response and its scope, which is empty if the response does not have it.

    Raises:
        UnexpectedResponseError: A member is missing or wrong.
    """
    document = _document(request, response)
    value, life = document.get("access_token"), document.get("expires_in")
    token_type, audience, version = (document.get(name) for name in ("token_type", "aud", "api_version"))
    if not is_token(value):
        raise _unusable(request, response, "no usable access_token")
    if token_type is not None and not (isinstance(token_type, str) and token_type.lower() == "bearer"):
        raise _unusable(request, response, "a token_type other than Bearer")
    if not isinstance(life, (int, float)) or isinstance(life, bool) or not 1 <= life <= MAX_LIFE:
        raise _unusable(request, response, "no believable expires_in")
    if (
        audience is not None
        and audience != key.audience
        and not (isinstance(audience, list) and key.audience in audience)
    ):
        raise _unusable(request, response, f"a token without the audience {key.audience}")
    if version is not None and version != key.api_version:
        got = version if isinstance(version, str) and _VERSION.fullmatch(version) else "another one"
        raise _unusable(
            request, response, f"a token for API version {got} instead of {key.api_version}; see api_version="
        )
    scope = document.get("scope")
    return Token(cast("str", value), since=sent_at, life=float(life)), scope if isinstance(scope, str) else ""


def _unusable(request: Request, response: Response, what: str) -> UnexpectedResponseError:
    """Return the error for a response without a usable token. Shows nothing of its body."""
    return UnexpectedResponseError(
        f"{request.method} {request.redacted_url} returned {what} (HTTP {response.status}). Check the token URL and "
        "any proxy.",
        status_code=response.status,
        request_id=response.headers.get("x-request-id"),
    )


def _refusal(provider: TokenProvider, request: Request, exchanged: Exchanged) -> DidwwError:
    """Return the error for an error response of the token service, without the key if it repeats the key."""
    response = exchanged.response
    status = response.status
    try:
        document = decode_raw(response.body)
    except NotJsonApiError:
        document = {}
    code, description = (
        provider.key.redacted(text) if isinstance(text, str) else ""
        for text in (document.get("error"), document.get("error_description"))
    )
    if status not in _STATUSES and status < 500:
        return _unusable(request, response, "no token")
    errors = [{"title": description or code, "code": code, "status": str(status)}] if code or description else []
    cls, hint = _BY_CODE.get(code, (class_of_status(status), ""))
    return cls(
        errors,
        status,
        method=request.method,
        path=path_of(request.url),
        request_id=response.headers.get("x-request-id"),
        attempts=exchanged.attempts,
        retry_after=retry_after_of(response.headers),
        hint=hint or (_KEY_HINT if cls is AuthenticationError else ""),
    )
