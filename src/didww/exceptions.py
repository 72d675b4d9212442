"""The exceptions of this package.

`DidwwApiError` is an error response of the service. `DidwwClientError` is any other failure, such as an invalid
argument or a lost connection. Both derive from `DidwwError`. Exceptions can be pickled and never contain an API key, a
token, a password or a request body.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, cast

from didww._util.text import printable

__all__ = [
    "ApiConnectionError",
    "ApiTimeoutError",
    "ApiVersionWarning",
    "AuthenticationError",
    "BulkError",
    "CallFileError",
    "CallbackRejectedError",
    "ClientClosedError",
    "ConflictError",
    "DidwwApiError",
    "DidwwClientError",
    "DidwwError",
    "InsufficientBalanceError",
    "InvalidValueError",
    "NotExactlyOneError",
    "NotFoundError",
    "NotIncludedError",
    "NotLoadedError",
    "PermissionDeniedError",
    "PriceFileError",
    "PriceNotFoundError",
    "PricePlanNotAssignedError",
    "RateLimitError",
    "ReadOnlyClientError",
    "ReadOnlyFieldError",
    "RecordFileError",
    "ServerError",
    "UnexpectedResponseError",
    "UnsupportedVersionError",
    "ValidationError",
    "WaitError",
]


def _rebuild(cls: type[DidwwError], args: tuple[Any, ...], state: dict[str, Any]) -> DidwwError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class DidwwError(Exception):
    """The base class of all errors of this package.

    Attributes:
        completed: The results of a call of several requests before it failed, such as the ids of uploaded files. Empty
            for all other calls.
        outcome_unknown: True if the server may have processed the request although no response confirmed it.
        lookup: The `list` filter that finds the record in that case; None if there is none.
    """

    completed: tuple[Any, ...] = ()
    outcome_unknown: bool = False
    lookup: dict[str, str] | None = None
    _unsent: bool = False  # whether it is an error of getting a token, so that the request itself was not sent

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, dict(self.__dict__))


class DidwwApiError(DidwwError):
    """The service responded with an error.

    Args:
        errors: The error objects, or an error message, so that `type(error)(*error.args)` works.
        status_code: HTTP status; 0 if unknown.

    Attributes:
        status_code: HTTP status, 400 to 599.
        hint: The advice at the end of the message, if any.
        errors: The error objects of the response as plain dicts (`title`, `detail`, `code`, `status`, `source`,
            `meta`; any of them may be missing). Empty if the response has none, as with an empty body or an HTML page.
        request_id: The `X-Request-Id` of the response, to quote to DIDWW support; None if there is none.
        method: HTTP method of the request.
        path: Path of the request, without the query.
        attempts: Number of times the request was sent.
        retry_after: The delay of the `Retry-After` header in seconds, or None.
    """

    def __init__(
        self,
        errors: list[dict[str, Any]] | str,
        status_code: int = 0,
        *,
        method: str = "",
        path: str = "",
        request_id: str | None = None,
        attempts: int = 1,
        retry_after: float | None = None,
        hint: str = "",
    ) -> None:
        self.status_code = status_code
        self.hint = hint
        self.errors: list[dict[str, Any]] = [] if isinstance(errors, str) else errors
        self.method = method
        self.path = path
        self.request_id = request_id
        self.attempts = attempts
        self.retry_after = retry_after
        super().__init__(errors if isinstance(errors, str) else self._sentence())

    def _description(self) -> str:
        """Return the messages of the response."""
        texts = [text for error in self.errors if (text := _text(error))]
        return "; ".join(dict.fromkeys(texts)) or f"{_phrase(self.status_code)}; the response has no error object"

    def _sentence(self) -> str:
        where = f" ({self.method} {self.path}" if self.method else " ("
        if self.request_id:
            where += f", request id {printable(self.request_id)}"
        if self.attempts > 1:
            where += f", {self.attempts} attempts"
        status = f"HTTP {self.status_code}: " if self.status_code else ""
        text = f"{status}{self._description()}" + (where + ")" if where != " (" else "")
        return f"{text}. {self.hint}" if self.hint else text


def _text(error: dict[str, Any]) -> str:
    text = str(error.get("detail") or error.get("title") or error.get("code") or "")
    return printable(text if len(text) <= 500 else text[:497] + "...")


def _phrase(status: int) -> str:
    """Return the reason phrase of a status, such as `Service Unavailable`."""
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown HTTP status"


_KEY_HINT: Final = "Check that the API key is complete and belongs to this environment"
_SEPARATE_KEYS: Final = "Sandbox and production have separate keys."


class AuthenticationError(DidwwApiError):
    """401: the API key or the token is missing, invalid, expired, or belongs to another environment.

    With an API key, also that the account has moved to API version 2026-11-19, which requires tokens.
    """

    def _sentence(self) -> str:
        self.hint = self.hint or (
            f"{_KEY_HINT}. {_SEPARATE_KEYS} An account that has moved to API version 2026-11-19 refuses API keys: pass "
            'api_version="2026-11-19".'
        )
        return super()._sentence()


class PermissionDeniedError(DidwwApiError):
    """403: the account lacks the permission, for example without an outbound plan or as a read-only customer.

    Also raised if the scope of the token does not allow the request, or if the token service refuses the scope.
    """


class NotFoundError(DidwwApiError):
    """404: no such record in this account, or no such path."""

    def _sentence(self) -> str:
        message = super()._sentence()
        *_, type, id = ("", *self.path.split("/"))
        if id.isdecimal() and type in _NUMBER_FILTERS:
            message += (
                f" {id} looks like a number, not an id: {type}().list(filter={{{_NUMBER_FILTERS[type]!r}: {id!r}}})."
            )
        elif f"identified by {id} " in message and not _ID.fullmatch(id):
            message += f" Ids must be UUIDs, got {printable(id[:80])!r}. Look up the record with list(filter=...)."
        return message


_ID = re.compile(r"[0-9a-fA-F-]{36}", re.ASCII)
_NUMBER_FILTERS = {"dids": "number", "available_dids": "number_contains"}


class PriceNotFoundError(NotFoundError):
    """404 `price_not_found`: the account's price plan has no price for this number or country."""


class PricePlanNotAssignedError(NotFoundError):
    """404 `price_plan_not_assigned`: the account has no price plan for this service, or none with published prices.

    Text messages have a plan for each domain (`a2p`, `p2p`, `otp`, inbound), and each can be missing alone.
    """


class ConflictError(DidwwApiError):
    """409: the current state of the record does not allow the request."""


class ValidationError(DidwwApiError):
    """422: the service rejected values of the request."""

    @property
    def fields(self) -> dict[str, list[str]]:
        """The messages by Python field: `{"name": ["has already been taken"]}`.

        Lists and nested objects are written as in Python (`items[0].qty`, `configuration.host`). The empty string is
        the key of messages about the whole record. A message about one of several linked records ends with its id.
        """
        messages: dict[str, list[str]] = {}
        for error in self.errors:
            source: Any = error.get("source")
            pointer: object = cast("dict[str, Any]", source).get("pointer") if isinstance(source, dict) else None
            message = str(error.get("title") or error.get("detail") or "is invalid")
            field, element = _field_of(pointer)
            messages.setdefault(field, []).append(f"{message} ({element})" if element else message)
        return messages


# Errors about a relationship may name its column, such as `capacity_pool_id`. The field is the column without `_id`,
# except for columns with older names, and for attributes whose names end in `_id`.
_COLUMN_FIELDS = {
    "trunk_id": "voice_in_trunk",
    "trunk_group_id": "voice_in_trunk_group",
    "trunk_ids": "voice_in_trunks",
}
_ID_ATTRIBUTES = frozenset({"external_reference_id", "vat_id", "personal_tax_id"})


def _field_of(pointer: object) -> tuple[str, str]:
    """Return the Python field of a JSON pointer, and the id of a linked record if it ends with one."""
    if not isinstance(pointer, str):
        return "", ""
    parts = pointer.strip("/").split("/")
    if parts[:2] not in (["data", "attributes"], ["data", "relationships"]) or len(parts) < 3 or parts[2] == "base":
        return "", ""
    column, element = parts[2], ""
    name = column if column in _ID_ATTRIBUTES else _COLUMN_FIELDS.get(column) or column.removesuffix("_id")
    for part in parts[3:]:
        if part.isdecimal():
            name += f"[{part}]"
        elif parts[1] == "relationships" or "-" in part:
            element = part
        elif part != "attributes":
            name += f".{part}"
    return name, element


class InsufficientBalanceError(DidwwApiError):
    """400 `Insufficient balance`: the account's balance and credit do not cover the request. Nothing was purchased."""

    @property
    def available_balance(self) -> Decimal | None:
        """The available balance in USD; None if the response does not state it."""
        return self._amount("available_balance")

    @property
    def total_cost(self) -> Decimal | None:
        """The cost of the request in USD, including VAT; None if the response does not state it."""
        return self._amount("total_cost")

    def _description(self) -> str:
        available, cost = self.available_balance, self.total_cost
        amounts = "" if available is None or cost is None else f": {cost} USD needed, {available} USD available"
        return super()._description() + amounts

    def _amount(self, name: str) -> Decimal | None:
        for error in self.errors:
            meta: Any = error.get("meta")
            if isinstance(meta, dict) and name in meta:
                try:
                    return Decimal(str(cast("dict[str, Any]", meta)[name]))
                except InvalidOperation:
                    return None
        return None


class RateLimitError(DidwwApiError):
    """429: too many requests. Wait `retry_after` seconds, if it is set.

    The API allows 20 requests per second: with one API key, or since version 2026-11-19 for the whole account. The
    token service has a limit of its own.
    """


class ServerError(DidwwApiError):
    """5xx: the service or a proxy in front of it failed."""

    def _sentence(self) -> str:
        later = "" if self.method == "POST" else ": retry later"  # a retry could duplicate it
        return f"{super()._sentence()}. The service or a proxy in front of it is failing{later}."


class DidwwClientError(DidwwError):
    """A failure without an error response: an invalid argument, or a request that got no usable response."""


class InvalidValueError(DidwwClientError, ValueError):
    """An invalid value, name or option. Raised before anything is sent.

    Attributes:
        field: The name of the field or argument.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class UnsupportedVersionError(InvalidValueError):
    """The API version of the client does not have this resource, field, filter, sort key, include or value.

    The message says which version has it, and what replaced it (docs/explanation/versions.md).
    """


class ReadOnlyClientError(DidwwClientError):
    """The client was created with a reading `scope`, so that it must not change anything. Nothing was sent."""


class ReadOnlyFieldError(InvalidValueError):
    """The field is read-only, or cannot be changed after the record is created."""


class NotLoadedError(DidwwClientError, AttributeError):
    """The field is not loaded; the message says how to load it.

    Also an `AttributeError`, so that `hasattr` returns False and tools that inspect all attributes skip the field.
    """


class NotIncludedError(NotLoadedError):
    """The relationship was not included in the response; the message names the `include=` to add."""


class ClientClosedError(DidwwClientError):
    """The client was closed before this call."""


class ApiConnectionError(DidwwClientError):
    """The request got no response: the connection failed or was lost.

    Attributes:
        request_sent: False if nothing reached the server, so that it is safe to repeat even a purchase.
        attempts: Number of attempts.
        elapsed: Duration of the call in seconds; None if it was not measured.
        phase: The phase in which the last attempt failed: `waiting for a connection` (all connections of the pool are
            in use), `connecting` (including name lookup, TLS and proxy), `sending`, `waiting for the response` or
            `reading the response`. Before the first attempt: `waiting for a permit` (rate limit), `getting a token`,
            `preparing the file`, `looking up a filter`, `looking for an earlier record`, `waiting for another call` or
            `waiting for the record`. Empty if unknown.
        transient: False if another attempt would fail in the same way, for example without a certificate file.
    """

    def __init__(
        self,
        message: str,
        *,
        request_sent: bool = True,
        attempts: int = 1,
        elapsed: float | None = None,
        phase: str = "",
        transient: bool = True,
    ) -> None:
        self.request_sent = request_sent
        self.attempts = attempts
        self.elapsed = elapsed
        self.phase = phase
        self.transient = transient
        super().__init__(message)

    def complete(self, attempts: int, elapsed: float) -> None:
        """Add the attempts and the duration of the whole call."""
        self.attempts, self.elapsed = attempts, elapsed
        if self.args:
            times = f"{attempts} attempts" if attempts > 1 else "1 attempt"
            self.args = (f"{self.args[0]} ({times}, {elapsed:.1f} s)",)


class ApiTimeoutError(ApiConnectionError, TimeoutError):
    """The timeout of the call expired.

    It covers the whole call: connecting, sending, waiting and reading. `phase` is the phase it expired in.
    """


class UnexpectedResponseError(DidwwClientError):
    """The response is not valid: not JSON:API, truncated, or a redirect.

    Attributes:
        status_code: HTTP status of the response.
        request_id: The `X-Request-Id` of the response, or None.
        transient: Whether the response was damaged in transit, so that another attempt may succeed.
    """

    def __init__(
        self, message: str, *, status_code: int = 0, request_id: str | None = None, transient: bool = False
    ) -> None:
        self.status_code = status_code
        self.request_id = request_id
        self.transient = transient
        super().__init__(message)


class RecordFileError(DidwwClientError):
    """A file of records is not valid.

    Attributes:
        line: Number of the line, from 1; 0 if the file as a whole is not valid.
        column: Name of the column; empty if the line as a whole is not valid.
    """

    def __init__(self, message: str, *, line: int = 0, column: str = "") -> None:
        self.line = line
        self.column = column
        super().__init__(message)


class PriceFileError(RecordFileError):
    """A price file is not valid."""


class CallFileError(RecordFileError):
    """A file of call records is not valid."""


class NotExactlyOneError(DidwwClientError):
    """`one()` matched no record or several.

    Attributes:
        found: The number of matches.
    """

    def __init__(self, message: str, *, found: int = 0) -> None:
        self.found = found
        super().__init__(message)


class BulkError(DidwwClientError):
    """Some items of a bulk operation did not succeed. Raised by `Report.raise_for_failures`.

    Attributes:
        report: The report of all items.
    """

    def __init__(self, message: str, *, report: Any = None) -> None:
        self.report = report
        super().__init__(message)


class WaitError(DidwwClientError):
    """The record can no longer reach the expected status, for example because the order was canceled.

    Attributes:
        resource: The record in its last state.
        reasons: The reasons of a rejection, if the service returned any.
    """

    def __init__(self, message: str, *, resource: object = None, reasons: tuple[str, ...] = ()) -> None:
        self.resource = resource
        self.reasons = reasons
        super().__init__(message)


class CallbackRejectedError(DidwwError):
    """An incoming callback is rejected.

    Attributes:
        reason: `missing`: it has no signature, password or header; `malformed`: it cannot be parsed; `mismatch`: the
            signature or password is wrong; `too_large`: the body exceeds the size limit.
        status: The HTTP status to respond with: 401, 400, 401 or 413, respectively.
    """

    def __init__(
        self, message: str, *, reason: Literal["missing", "malformed", "mismatch", "too_large"] = "malformed"
    ) -> None:
        self.reason: Literal["missing", "malformed", "mismatch", "too_large"] = reason
        self.status = {"missing": 401, "malformed": 400, "mismatch": 401, "too_large": 413}[reason]
        super().__init__(message)


class ApiVersionWarning(UserWarning):
    """The service responds in another version of the API than that of the client.

    Each client issues it once; Python's default filter shows only the first one from the same line.
    """
