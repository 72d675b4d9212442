"""Everything that this package raises on purpose.

`DidwwApiError` is a response of the service that says no; `DidwwClientError` is everything that yielded no response,
a caller's mistake found before sending included. Both are `DidwwError`. All of them can be pickled, and none ever
holds a key, a password or a request body.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from didww._util.text import printable

__all__ = [
    "ApiConnectionError",
    "ApiTimeoutError",
    "AuthenticationError",
    "BulkError",
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
    "RateLimitError",
    "ReadOnlyFieldError",
    "ServerError",
    "UnexpectedResponseError",
    "ValidationError",
    "WaitError",
]


def _rebuild(cls: type[DidwwError], args: tuple[Any, ...], state: dict[str, Any]) -> DidwwError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class DidwwError(Exception):
    """The base of all errors of this package.

    Attributes:
        completed: What a call of several requests had done before this one failed, e.g. the ids of the files that were
            uploaded; empty for all other calls.
        outcome_unknown: True if the request may have been carried out although no response confirmed it.
        lookup: The filter of `list` that finds it then; None if nothing finds it.
    """

    completed: tuple[Any, ...] = ()
    outcome_unknown: bool = False
    lookup: dict[str, str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, dict(self.__dict__))


class DidwwApiError(DidwwError):
    """The service responded with an error.

    Args:
        errors: The error objects; or the text of an error, as `type(error)(*error.args)` rebuilds one.
        status_code: HTTP status; 0 if it is not known.

    Attributes:
        status_code: HTTP status, 400 to 599.
        errors: The error objects of the response as plain dicts (`title`, `detail`, `code`, `status`, `source`,
            `meta`; any of them may be missing). Empty when the response carried none (an empty body, a proxy's page).
        request_id: The `X-Request-Id` of the response, for DIDWW's support; None when the server sent none.
        method: HTTP method of the request.
        path: Path of the request, without the query.
        attempts: How often the request was sent.
        retry_after: Seconds that the server asked to wait, or None.
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
    ) -> None:
        self.status_code = status_code
        self.errors: list[dict[str, Any]] = [] if isinstance(errors, str) else errors
        self.method = method
        self.path = path
        self.request_id = request_id
        self.attempts = attempts
        self.retry_after = retry_after
        super().__init__(errors if isinstance(errors, str) else self._sentence())

    def _said(self) -> str:
        """What the response says, in words."""
        texts = [text for error in self.errors if (text := _text(error))]
        return "; ".join(dict.fromkeys(texts)) or f"{_phrase(self.status_code)}; the response carried no error object"

    def _sentence(self) -> str:
        where = f" ({self.method} {self.path}" if self.method else " ("
        if self.request_id:
            where += f", request id {printable(self.request_id)}"
        if self.attempts > 1:
            where += f", {self.attempts} attempts"
        status = f"HTTP {self.status_code}: " if self.status_code else ""
        return f"{status}{self._said()}" + (where + ")" if where != " (" else "")


def _text(error: dict[str, Any]) -> str:
    text = str(error.get("detail") or error.get("title") or error.get("code") or "")
    return printable(text if len(text) <= 500 else text[:497] + "...")


def _phrase(status: int) -> str:
    """What a status means, e.g. `Service Unavailable`."""
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "not one of the statuses of HTTP"


class AuthenticationError(DidwwApiError):
    """401: the API key is missing, wrong, or belongs to another environment."""

    def _sentence(self) -> str:
        return (
            f"{super()._sentence()}. Check the API key: is it complete, and of this environment? Sandbox and "
            "production have keys of their own."
        )


class PermissionDeniedError(DidwwApiError):
    """403: the account may not do this (read-only customer, no outbound plan)."""


class NotFoundError(DidwwApiError):
    """404: no such record in this account, or no such path."""

    def _sentence(self) -> str:
        said = super()._sentence()
        *_, type, id = ("", *self.path.split("/"))
        if id.isdecimal() and type in _NUMBER_FILTERS:
            said += (
                f" {id} looks like a number, not an id: {type}().list(filter={{{_NUMBER_FILTERS[type]!r}: {id!r}}})."
            )
        elif f"identified by {id} " in said and not _ID.fullmatch(id):
            said += f" Ids are UUIDs, and {printable(id[:80])!r} is none: look the record up with list(filter=...)."
        return said


_ID = re.compile(r"[0-9a-fA-F-]{36}", re.ASCII)
_NUMBER_FILTERS = {"dids": "number", "available_dids": "number_contains"}


class ConflictError(DidwwApiError):
    """409: the record's present state does not allow it."""


class ValidationError(DidwwApiError):
    """422: the service refused values of the request."""

    @property
    def fields(self) -> dict[str, list[str]]:
        """The messages by Python field: `{"name": ["has already been taken"]}`.

        Lists and nested objects are written as in Python (`items[0].qty`, `configuration.host`); messages about the
        whole object stand under the empty string. A message about one of several linked records that the service
        names by its id ends in that id. Source: behaviour sheet, section 9 (pointers).
        """
        found: dict[str, list[str]] = {}
        for error in self.errors:
            source: Any = error.get("source")
            pointer: object = cast("dict[str, Any]", source).get("pointer") if isinstance(source, dict) else None
            message = str(error.get("title") or error.get("detail") or "is invalid")
            field, element = _field_of(pointer)
            found.setdefault(field, []).append(f"{message} ({element})" if element else message)
        return found


# Errors about a relationship may name its column, `capacity_pool_id` (behaviour sheet, section 9): the field is what
# stands before `_id`, but for columns with older names, and for attributes that are called so themselves.
_COLUMN_FIELDS = {
    "trunk_id": "voice_in_trunk",
    "trunk_group_id": "voice_in_trunk_group",
    "trunk_ids": "voice_in_trunks",
}
_IDS_OF_THEIR_OWN = frozenset({"external_reference_id", "vat_id", "personal_tax_id"})


def _field_of(pointer: object) -> tuple[str, str]:
    """The Python field that a pointer means, and the id of a linked record if it ends in one."""
    if not isinstance(pointer, str):
        return "", ""
    parts = pointer.strip("/").split("/")
    if parts[:2] not in (["data", "attributes"], ["data", "relationships"]) or len(parts) < 3 or parts[2] == "base":
        return "", ""
    column, element = parts[2], ""
    name = column if column in _IDS_OF_THEIR_OWN else _COLUMN_FIELDS.get(column) or column.removesuffix("_id")
    for part in parts[3:]:
        if part.isdecimal():
            name += f"[{part}]"
        elif parts[1] == "relationships" or "-" in part:
            element = part
        elif part != "attributes":
            name += f".{part}"
    return name, element


class InsufficientBalanceError(DidwwApiError):
    """400 `Insufficient balance`: the prepaid money and the credit do not cover the request; nothing was bought."""

    @property
    def available_balance(self) -> Decimal | None:
        """What the account could spend, in USD; None when the response did not say."""
        return self._amount("available_balance")

    @property
    def total_cost(self) -> Decimal | None:
        """What the request would have cost, in USD, VAT included; None when the response did not say."""
        return self._amount("total_cost")

    def _said(self) -> str:
        available, cost = self.available_balance, self.total_cost
        amounts = "" if available is None or cost is None else f": {cost} USD needed, {available} USD available"
        return super()._said() + amounts

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
    """429: more than 20 requests in a second with one key; `retry_after` says how long to wait, if the server did."""


class ServerError(DidwwApiError):
    """5xx: the service, or a proxy in front of it, failed."""

    def _sentence(self) -> str:
        later = "" if self.method == "POST" else ": retry later"  # what was not carried out for certain is not repeated
        return f"{super()._sentence()}. The service, or a proxy in front of it, is failing{later}."


class DidwwClientError(DidwwError):
    """No response of the service is behind this: a mistake found before sending, or a request that got no response."""


class InvalidValueError(DidwwClientError, ValueError):
    """A value, name or option that the service would refuse; `field` names it.

    Raised before anything is sent.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class ReadOnlyFieldError(InvalidValueError):
    """A field that this caller cannot write: the server sets it, or it is fixed once the record exists."""


class NotLoadedError(DidwwClientError, AttributeError):
    """The field is not in what was loaded; the message says how to get it.

    It is an `AttributeError` too, so that `hasattr` returns False, and tools that look at all attributes pass over it.
    """


class NotIncludedError(NotLoadedError):
    """The relationship was not included in the response; the message names the `include=` to add."""


class ClientClosedError(DidwwClientError):
    """The client was closed before this call."""


class ApiConnectionError(DidwwClientError):
    """The request got no response: no connection, or it broke.

    Attributes:
        request_sent: False when certainly nothing reached the server, so that even a purchase may be sent again.
        attempts: How often the request was sent, or tried to.
        elapsed: Seconds that the call had taken; None if it was not measured.
        phase: What the last attempt was at: `waiting for a connection` (all of the pool are in use), `connecting`
            (name lookup, TLS and a proxy's consent included), `sending`, `waiting for the response`, `reading the
            response`; of a call that came no further, `waiting for a permit` (the rate limit), `preparing the file`,
            `looking up a filter`, `looking for an earlier record`, `waiting for another call`,
            `waiting for the record`; empty if that is not known.
        transient: False if another attempt would fail in the same way, e.g. as a certificate file is missing.
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
        """Add the attempts and the time of the whole call."""
        self.attempts, self.elapsed = attempts, elapsed
        if self.args:
            times = f"{attempts} attempts" if attempts > 1 else "1 attempt"
            self.args = (f"{self.args[0]} ({times}, {elapsed:.1f} s)",)


class ApiTimeoutError(ApiConnectionError, TimeoutError):
    """The call's `timeout` ran out.

    It bounds the whole call: connecting, sending, waiting, reading; `phase` says which of these it was at.
    """


class UnexpectedResponseError(DidwwClientError):
    """The response is not what the API sends: no JSON:API, cut off, or a redirect.

    Attributes:
        status_code: HTTP status of that response.
        request_id: Its `X-Request-Id`, or None.
        transient: Whether it was damaged on its way, so that another attempt may succeed.
    """

    def __init__(
        self, message: str, *, status_code: int = 0, request_id: str | None = None, transient: bool = False
    ) -> None:
        self.status_code = status_code
        self.request_id = request_id
        self.transient = transient
        super().__init__(message)


class NotExactlyOneError(DidwwClientError):
    """`one()` found none or several; `found` says how many."""

    def __init__(self, message: str, *, found: int = 0) -> None:
        self.found = found
        super().__init__(message)


class BulkError(DidwwClientError):
    """`Report.raise_for_failures` found items that were not done; `report` has them all."""

    def __init__(self, message: str, *, report: Any = None) -> None:
        self.report = report
        super().__init__(message)


class WaitError(DidwwClientError):
    """What was waited for cannot come any more, e.g. the order was canceled.

    Attributes:
        resource: The record in its last state.
        reasons: Why, as far as the service says: the reasons of a rejection.
    """

    def __init__(self, message: str, *, resource: object = None, reasons: tuple[str, ...] = ()) -> None:
        self.resource = resource
        self.reasons = reasons
        super().__init__(message)


class CallbackRejectedError(DidwwError):
    """A request that says it comes from DIDWW, and is not taken for it.

    Attributes:
        reason: `missing`: it carries no signature, password or header at all; `malformed`: it cannot be read;
            `mismatch`: what it carries is not right; `too_large`: its body is over the bound.
        status: The HTTP status to respond with: 401, 400, 401 and 413.
    """

    def __init__(
        self, message: str, *, reason: Literal["missing", "malformed", "mismatch", "too_large"] = "malformed"
    ) -> None:
        self.reason: Literal["missing", "malformed", "mismatch", "too_large"] = reason
        self.status = {"missing": 401, "malformed": 400, "mismatch": 401, "too_large": 413}[reason]
        super().__init__(message)
