"""Raw calls: any method and path of the API, sent with all that protects the other calls, and a plain document back.

For what the service has and this SDK does not know yet. Only the shape is missing: names are not checked, and nothing
becomes a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

from didww._core.attempts import exchange
from didww._core.in_doubt import mark_unknown
from didww._core.request import follow
from didww._core.response import accepted, unexpected
from didww._core.trace import CallTrace
from didww._jsonapi.document import NotJsonApi, decode_raw
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
    """The JSON document of a response as a dict: `response["data"]`; empty if there was none, as after a delete.

    Attributes:
        status_code: HTTP status.
        headers: HTTP headers, names in lower case.
        attempts: How often the request was sent.

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
        """The `X-Request-Id` of the response, for DIDWW's support."""
        return self.headers.get("x-request-id")


def request(
    configuration: Configuration,
    method: str,
    path: str,
    params: QueryParams | Mapping[str, object] | None = None,
    json: Mapping[str, Any] | None = None,
) -> Call[RawResponse]:
    """Send a request and return the document of its response.

    A POST may create or buy something: it is sent again only if nothing was done, and if its response is lost, the
    error says so (`outcome_unknown`).
    """
    verb = _method(method)
    sent = follow(configuration, verb, _address(configuration, path, params), body=_body(verb, json))
    trace = CallTrace(sent)
    try:
        done = yield from exchange(configuration, sent, creating=verb == "POST", trace=trace)
        if not (verb == "DELETE" and done.uncertain and done.response.status == 404):  # the first attempt did it
            accepted(sent, done.response, done.attempts)
        try:
            document = _document(verb, done.response)
        except NotJsonApi:
            raise unexpected(sent, done.response) from None
    except BaseException as error:
        if verb == "POST" and trace.in_doubt:
            mark_unknown(error, "It is not known whether the request was carried out: check before you send it again.")
        raise
    response = done.response
    return RawResponse(document, status_code=response.status, headers=response.headers, attempts=done.attempts)


def _document(method: str, response: Response) -> dict[str, Any]:
    """The document of a response; empty where none is needed.

    Raises:
        NotJsonApi: There is none, or it cannot be read.
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
    """The absolute URL of `path` with the query; nothing but the API itself, so that the key goes nowhere else.

    Raises:
        InvalidValueError: It leads elsewhere, or can be read in more than one way.
    """
    if not isinstance(path, str) or not path.strip("/"):
        raise InvalidValueError(f"path must be a path of the API such as '/dids', got {path!r:.80}.", field="path")
    absolute = "://" in path.partition("?")[0]
    url = path if absolute else f"{configuration.base_url}/{path.lstrip('/')}"
    if absolute and origin_of(url) not in (None, configuration.origin):
        raise InvalidValueError(
            f"path leads to {origin_of(url)}, but this client sends its key to {configuration.origin} only. Give a "
            "path such as '/dids', or an address of that origin.",
            field="path",
        )
    if origin_of(url) is None or "#" in url or not {".", ".."}.isdisjoint(unquote(path_of(url)).split("/")):
        raise InvalidValueError(
            f"path must be made of ASCII letters without spaces, '#' or '..', got {path.partition('?')[0]!r:.80}. "
            "Percent-encode other characters; the query goes into params.",
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
        raise InvalidValueError("params must have text as names, e.g. 'page[size]'.", field="params")
    return encoded((str(name), param_text(str(name), value)) for name, value in members.items())


def _body(method: str, json: object) -> bytes | None:
    if json is None:
        return None
    if method == "GET":
        raise InvalidValueError(
            "json goes with POST, PATCH and DELETE; the query of a GET goes into params.", field="json"
        )
    if not isinstance(json, Mapping):
        raise InvalidValueError(
            f"json must be a dict such as {{'data': {{'type': 'dids', ...}}}}, got {type(json).__name__}.", field="json"
        )
    try:
        return encode(cast("Mapping[str, Any]", json))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        reason = type(error).__name__
    # Raised outside of the `except` block: the other error may show the value.
    raise InvalidValueError(f"json holds something that JSON cannot carry ({reason}).", field="json")
