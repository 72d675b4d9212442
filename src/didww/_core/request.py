"""Build HTTP requests: URL, headers and body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec.structs import replace

from didww._core.effects import Request
from didww._jsonapi.encode import encode
from didww._schema.resource import checked_id
from didww.exceptions import ReadOnlyClientError
from didww.services import AUDIENCES
from didww.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._core.effects import Stream
    from didww.configuration import Configuration
    from didww.query_params import QueryParams
    from didww.services import Service

__all__ = ["build", "build_download", "check_writable", "follow"]

MEDIA_TYPE = "application/vnd.api+json"
USER_AGENT = f"didww-python/{__version__}"
_READING: Final = frozenset({"GET", "HEAD"})


def build(
    configuration: Configuration,
    method: str,
    path: str,
    *,
    id: str | None = None,
    query: QueryParams | None = None,
    document: Mapping[str, Any] | None = None,
    service: Service = "api",
) -> Request:
    """Build an authenticated JSON:API request to a service."""
    url = f"{configuration.base_url if service == 'api' else configuration.url_of(service)}/{path}"
    if id is not None:
        url = f"{url}/{checked_id(id, path)}"
    encoded = query.encode() if query is not None else ""
    if encoded:
        url = f"{url}?{encoded}"
    return follow(configuration, method, url, body=None if document is None else encode(document), service=service)


def follow(
    configuration: Configuration,
    method: str,
    url: str,
    *,
    body: bytes | Stream | None = None,
    content_type: str = MEDIA_TYPE,
    service: Service = "api",
) -> Request:
    """Build a request to an absolute `url` of a service, such as a pagination link.

    It is authenticated only if `url` has the origin of the service: with the API key now, or with a token when it is
    sent.

    Raises:
        ReadOnlyClientError: The request writes, and the client may only read.
    """
    headers = {
        "Accept": MEDIA_TYPE,
        "User-Agent": USER_AGENT,
        **configuration.own_headers,
    }
    if configuration.read_only:
        check_writable(configuration, method)
    if body is not None:
        headers["Content-Type"] = content_type
        if not isinstance(body, bytes):
            headers["Content-Length"] = str(len(body))
    return _authenticated(configuration, Request(method, url, headers, body), service)


def check_writable(configuration: Configuration, method: str = "POST") -> None:
    """Reject a request that writes if the client may only read.

    Raises:
        ReadOnlyClientError: It does.
    """
    if configuration.read_only and method not in _READING:
        raise ReadOnlyClientError(
            f"The client has scope={configuration.scope!r} and can only read; the {method} was not sent. To write, "
            'create a client with scope="full".'
        )


def build_download(
    configuration: Configuration, url: str, service: Service = "api", *, method: Literal["GET", "HEAD"] = "GET"
) -> Request:
    """Build a request for a file, authenticated only if `url` has the origin of the service."""
    headers = {
        "Accept": "*/*",
        # With a content encoding, a download could not be resumed or checked for length.
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
    }
    if configuration.has_origin(url, service):
        headers.update(configuration.own_headers)
    return _authenticated(configuration, Request(method, url, headers), service)


def _authenticated(configuration: Configuration, request: Request, service: Service) -> Request:
    """Return `request` with the API key or the audience of its token, if its URL has the origin of the service."""
    if not configuration.has_origin(request.url, service):
        return request
    if configuration.key is None:
        return replace(request, audience=AUDIENCES[service])
    configuration.key._sign(request.headers)
    return request
