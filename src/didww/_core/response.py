"""Convert a response to records, or to the matching error.

`_BY_STATUS` maps statuses to errors. Error objects without title or code, empty bodies, HTML of proxies and truncated
JSON are all handled (tests/contract/facts/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from didww._core.retry import retry_after_of
from didww._jsonapi.document import Document, NotJsonApiError, decode, decode_errors, decode_raw
from didww._jsonapi.graph import Graph
from didww._schema.resource import Resource, load
from didww._schema.tables import RecordList
from didww._util.coerce import Slotted
from didww._util.masking import masked, secrets_of
from didww._util.text import printable
from didww._util.urls import path_of
from didww.exceptions import (
    AuthenticationError,
    ConflictError,
    DidwwApiError,
    InsufficientBalanceError,
    NotFoundError,
    PermissionDeniedError,
    PriceNotFoundError,
    PricePlanNotAssignedError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from didww._core.effects import Request, Response

__all__ = [
    "ApiResponse",
    "accepted",
    "api_response",
    "class_of_status",
    "error_for",
    "expect",
    "request_id_of",
    "unexpected",
]

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


class ApiResponse(Slotted, Generic[T]):
    """A response of the service, with its records in `data`.

    Attributes:
        data: A record, a list of records, or None (after a delete).
        meta: The document's `meta`, such as `api_version`.
        links: The document's pagination links: `first`, `last`, and `next` and `prev` where such pages exist.
        status_code: HTTP status.
        headers: HTTP headers with lowercase names.
        attempts: Number of times the request was sent.
    """

    __slots__ = ("_body", "attempts", "data", "headers", "links", "meta", "status_code")

    def __init__(
        self,
        data: T,
        *,
        meta: Mapping[str, Any],
        links: Mapping[str, Any],
        response: Response,
        attempts: int = 1,
    ) -> None:
        self.data: T = data
        self.meta = meta
        self.links = links
        self.status_code = response.status
        self.headers = response.headers
        self.attempts = attempts
        self._body = response.body

    @property
    def total_records(self) -> int | None:
        """Number of matching records on all pages; None if the service does not report it."""
        for name in ("total_records", "total_count"):
            value = self.meta.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        return None

    @property
    def request_id(self) -> str | None:
        """The `X-Request-Id` of the response, to quote to DIDWW support."""
        return self.headers.get("x-request-id")

    @property
    def api_version(self) -> str | None:
        """The API version of the response; newer than requested if the account is pinned to a newer one."""
        value = self.meta.get("api_version")
        return value if isinstance(value, str) else None

    @property
    def raw(self) -> dict[str, Any]:
        """The document as plain dicts and lists, decoded at each access; empty if there is none."""
        try:
            return decode_raw(self._body) if self._body.strip() else {}
        except NotJsonApiError:  # updates and deletes need no document
            return {}

    if not TYPE_CHECKING:  # a checker must see a misspelled name as an error

        def __iter__(self) -> Any:
            raise TypeError("ApiResponse is not iterable. Iterate over its .data, or use iterate() for all pages.")

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"ApiResponse has no {name!r}. The records are in its .data.", name=name, obj=self)

    def _repr_html_(self) -> str | None:
        show = getattr(self.data, "_repr_html_", None)
        return None if show is None else show()

    def __repr__(self) -> str:
        total = "" if self.total_records is None else f"total_records={self.total_records}, "
        return f"ApiResponse(status_code={self.status_code}, {total}data={self.data!r})"


_BY_STATUS: dict[int, type[DidwwApiError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitError,
}
_BY_CODE: dict[tuple[int, str], type[DidwwApiError]] = {
    (404, "price_not_found"): PriceNotFoundError,
    (404, "price_plan_not_assigned"): PricePlanNotAssignedError,
}
_NO_MONEY = ("insufficient balance", "insufficient funds")  # the second is an older title


def api_response(
    request: Request,
    response: Response,
    fieldsets: Mapping[str, Sequence[str]] | None = None,
    attempts: int = 1,
    *,
    stores: bool = True,
    record_class: type[Resource] | None = None,
) -> ApiResponse[Any]:
    """Parse the response to `request` and load its records.

    Args:
        request: The request that was sent.
        response: The response.
        fieldsets: The sparse fieldsets of the request, by type.
        attempts: Number of times the request was sent.
        stores: Whether a POST stores a record, which the response must contain.
        record_class: The class of the records of its type, if the service and not the type decides it.

    Raises:
        DidwwApiError: The service returned an error.
        UnexpectedResponseError: The response is not a JSON:API document.
    """
    accepted(request, response, attempts)
    # Updates and deletes need no document: the status is enough.
    optional = request.method == "DELETE" or (
        not response.body.strip() and (request.method == "PATCH" or (response.status == 204 and not stores))
    )
    try:
        document: Document = decode(response.body)
    except NotJsonApiError:
        if optional:
            return ApiResponse(None, meta={}, links={}, response=response, attempts=attempts)
        raise unexpected(request, response) from None
    graph = Graph(document, load if record_class is None else record_class._loader(), fieldsets)
    data: Any = (
        RecordList(graph.nodes) if isinstance(document.data, list) else (graph.nodes[0] if graph.nodes else None)
    )
    return ApiResponse(data, meta=document.meta, links=document.links, response=response, attempts=attempts)


def accepted(request: Request, response: Response, attempts: int = 1) -> None:
    """Check that the status of the response is a success.

    Raises:
        DidwwApiError: The service returned an error.
        UnexpectedResponseError: The response is a redirect.
    """
    if response.status >= 400:
        raise error_for(request, response.status, response.headers, response.body, attempts)
    if response.status >= 300:
        raise UnexpectedResponseError(
            f"{request.method} {request.redacted_url} returned a redirect (HTTP {response.status}). Redirects are not "
            "followed, to protect the credentials. Check the URL of the service.",
            status_code=response.status,
            request_id=request_id_of(request, response.headers),
        )


def unexpected(request: Request, response: Response) -> UnexpectedResponseError:
    """Return the error for a response that is not a JSON:API document."""
    return UnexpectedResponseError(
        f"{request.method} {path_of(request.url)} returned {_looks_like(response)} (HTTP {response.status}) "
        "instead of a JSON:API document. Check base_url and any proxy.",
        status_code=response.status,
        request_id=request_id_of(request, response.headers),
    )


def request_id_of(request: Request, headers: Mapping[str, str]) -> str | None:
    """Return the `X-Request-Id` of a response to `request`, without its secrets."""
    return masked(headers.get("x-request-id"), secrets_of(request.headers))


def _looks_like(response: Response) -> str:
    start = response.body[:200].lstrip().lower()
    if not start:
        return "an empty body"
    if start.startswith(b"<"):
        return "an HTML or XML page"
    return "truncated or invalid JSON" if start[:1] in (b"{", b"[") else "content other than JSON"


def error_for(
    request: Request, status: int, headers: Mapping[str, str], body: bytes, attempts: int = 1
) -> DidwwApiError:
    """Return the error for a response with a status of 400 or more, without the secrets of `request`."""
    errors = masked(decode_errors(body), secrets_of(request.headers))
    cls = class_of_status(status)
    for error in errors:
        cls = _BY_CODE.get((status, str(error.get("code"))), cls)
    if any(str(error.get("title", "")).lower() in _NO_MONEY for error in errors):
        cls = InsufficientBalanceError
    return cls(
        errors,
        status,
        method=request.method,
        path=path_of(request.url),
        request_id=request_id_of(request, headers),
        attempts=attempts,
        retry_after=retry_after_of(headers),
        hint=_token_hint(status, headers, request.audience) if request.audience else "",
    )


def class_of_status(status: int) -> type[DidwwApiError]:
    """Return the error class of a status of 400 or more."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else DidwwApiError)


def _token_hint(status: int, headers: Mapping[str, str], audience: str) -> str:
    """Return the advice for a request that was refused because of its token, or an empty string."""
    if status == 401:
        return (
            "The service refused the token. It must not have expired, must belong to this environment and have the "
            f"audience {audience}, and its list of IP addresses must include yours."
        )
    if status == 403 and "insufficient_scope" in headers.get("www-authenticate", ""):
        return 'The scope of the token does not allow this request. Create the client with scope="full".'
    return ""


def expect(
    cls: type[R], response: ApiResponse[Any], request: Request, *, many: bool = False, id: str | None = None
) -> ApiResponse[Any]:
    """Return `response` after checking that its data matches the request.

    Args:
        cls: The class of the record or records.
        response: The response.
        request: The request that was sent.
        many: Whether a list is expected.
        id: The id of the expected record.

    Raises:
        UnexpectedResponseError: The data does not match, as in the response to another request.
    """
    data = response.data
    if (
        isinstance(data, list)
        if many
        else isinstance(data, cls) and (id is None or (data.id or "").lower() == id.lower())
    ):
        return response
    expected = "a list" if many else cls._type_name if id is None else f"{cls._type_name} {id}"
    got = "a list" if isinstance(data, list) else f"{data.type} {data.id}" if isinstance(data, Resource) else "no data"
    got = printable(got)
    raise UnexpectedResponseError(
        f"{request.method} {cls._path} returned {got} instead of {expected}.",
        status_code=response.status_code,
        request_id=response.request_id,
    )
