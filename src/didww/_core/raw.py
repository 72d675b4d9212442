"""Send raw requests to any path of the API and return plain JSON documents.

For features that this SDK does not support yet. Authentication, timeouts, rate limits and retries are those of all
other calls; names are not checked, and documents are not converted to records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

from didww._core.attempts import exchange, mark_unknown
from didww._core.request import follow
from didww._core.response import accepted, unexpected
from didww._core.trace import CallTrace
from didww._core.version_check import check_version
from didww._jsonapi.document import NotJsonApiError, decode_raw
from didww._jsonapi.encode import encode
from didww._util.urls import origin_of, path_of
from didww.exceptions import InvalidValueError
from didww.query_params import QueryParams, encoded, param_text

if TYPE_CHECKING:
    from didww._core.effects import Call, Response
    from didww.configuration import Configuration

__all__ = ["METHODS", "RawResponse", "request"]

METHODS: Final = ("GET", "POST", "PATCH", "DELETE")


class RawResponse(dict[str, Any]):
    """The JSON document of a response as a dict: `response["data"]`. Empty without a document, as after a delete.

    Attributes:
        status_code: HTTP status.
        headers: HTTP headers with lowercase names.
        attempts: Number of times the request was sent.

    Example:
        >>> from didww.emulator import Emulator
        >>> document = Emulator().client().get("/countries", {"filter[iso]": "GB"})
        >>> document["data"][0]["attributes"]["name"], document.status_code
        ('United Kingdom', 200)
    """

    __slots__ = ("attempts", "headers", "status_code")

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(document)
        self.status_code = status_code
        self.headers: Mapping[str, str] = headers or {}
        self.attempts = attempts

    @property
    def raw(self) -> dict[str, Any]:
        """The document as a plain dict."""
        return dict(self)

    @property
    def request_id(self) -> str | None:
        """The `X-Request-Id` of the response, to quote to DIDWW support."""
        return self.headers.get("x-request-id")


def request(
    configuration: Configuration,
    method: str,
    path: str,
    params: QueryParams | Mapping[str, object] | None = None,
    json: Mapping[str, Any] | None = None,
) -> Call[RawResponse]:
    """Send a request and return the document of its response.

    A POST may create or buy something, so it is retried only if it had no effect. If its response is lost, the error
    has `outcome_unknown` set.
    """
    verb = _method(method)
    http_request = follow(configuration, verb, _address(configuration, path, params), body=_body(verb, json))
    trace = CallTrace(http_request)
    try:
        exchanged = yield from exchange(configuration, http_request, creating=verb == "POST", trace=trace)
        # Such a 404 means that an earlier attempt deleted the record.
        if not (verb == "DELETE" and exchanged.uncertain and exchanged.response.status == 404):
            accepted(http_request, exchanged.response, exchanged.attempts)
        try:
            document = _document(verb, exchanged.response)
        except NotJsonApiError:
            raise unexpected(http_request, exchanged.response) from None
        if not configuration.version_check.done and isinstance(document.get("meta"), dict):
            yield from check_version(configuration, document["meta"])
    except BaseException as error:
        if verb == "POST" and trace.in_doubt:
            mark_unknown(error, "It is unknown whether the server processed the request. Check before you retry.")
        raise
    response = exchanged.response
    return RawResponse(document, status_code=response.status, headers=response.headers, attempts=exchanged.attempts)


def _document(method: str, response: Response) -> dict[str, Any]:
    """Return the document of a response; empty if the request does not need one.

    Raises:
        NotJsonApiError: The document is missing or cannot be parsed.
    """
    if response.status >= 400 or (method != "GET" and not response.body.strip()):
        return {}
    return decode_raw(response.body)


def _method(method: object) -> str:
    verb = method.upper() if isinstance(method, str) else ""
    if verb not in METHODS:
        raise InvalidValueError(f"method must be one of {', '.join(METHODS)}, got {method!r:.80}.", field="method")
    return verb


def _address(configuration: Configuration, path: object, params: QueryParams | Mapping[str, object] | None) -> str:
    """Return the absolute URL of `path` with its query. Only the origin of the API is allowed.

    Raises:
        InvalidValueError: `path` leads to another origin, or is ambiguous.
    """
    if not isinstance(path, str) or not path.strip("/"):
        raise InvalidValueError(f"path must be a path of the API such as '/dids', got {path!r:.80}.", field="path")
    absolute = "://" in path.partition("?")[0]
    url = path if absolute else f"{configuration.base_url}/{path.lstrip('/')}"
    if absolute and origin_of(url) not in (None, configuration.origin):
        raise InvalidValueError(
            f"path must lead to {configuration.origin}, the only origin that gets the credentials, got "
            f"{origin_of(url)}. Pass a path such as '/dids', or a URL of that origin.",
            field="path",
        )
    if origin_of(url) is None or "#" in url or not {".", ".."}.isdisjoint(unquote(path_of(url)).split("/")):
        raise InvalidValueError(
            f"path must be ASCII without spaces, '#' or '..', got {path.partition('?')[0]!r:.80}. "
            "Percent-encode other characters, and pass the query in params.",
            field="path",
        )
    query = _query(params)
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _query(params: object) -> str:
    if params is None:
        return ""
    if isinstance(params, QueryParams):
        return params.encode()
    if not isinstance(params, Mapping):
        raise InvalidValueError(
            f"params must be a dict such as {{'page[size]': 10}} or a QueryParams, got {type(params).__name__}.",
            field="params",
        )
    members = cast("Mapping[object, object]", params)
    if not all(isinstance(name, str) and name for name in members):
        raise InvalidValueError("params must have non-empty text names, such as 'page[size]'.", field="params")
    return encoded((str(name), param_text(str(name), value)) for name, value in members.items())


def _body(method: str, json: object) -> bytes | None:
    if json is None:
        return None
    if method == "GET":
        raise InvalidValueError("json must not be set for a GET. Pass its query in params.", field="json")
    if not isinstance(json, Mapping):
        raise InvalidValueError(
            f"json must be a dict such as {{'data': {{'type': 'dids', ...}}}}, got {type(json).__name__}.", field="json"
        )
    try:
        return encode(cast("Mapping[str, Any]", json))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        reason = type(error).__name__
    # Raised outside the `except` block, because the original error may show the value.
    raise InvalidValueError(f"json must hold only values that JSON can represent ({reason}).", field="json")
