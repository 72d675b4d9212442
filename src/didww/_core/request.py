"""Building of requests: address, headers, document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww._core.effects import Request
from didww._jsonapi.encode import encode
from didww._schema.resource import checked_id
from didww._util.urls import origin_of
from didww.version import API_VERSION, __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._core.effects import Stream
    from didww.configuration import Configuration
    from didww.query_params import QueryParams

__all__ = ["build", "build_download", "follow"]

MEDIA_TYPE = "application/vnd.api+json"
USER_AGENT = f"didww-python/{__version__}"


def build(
    configuration: Configuration,
    method: str,
    path: str,
    *,
    id: str | None = None,
    query: QueryParams | None = None,
    document: Mapping[str, Any] | None = None,
) -> Request:
    """A JSON:API request, signed."""
    url = f"{configuration.base_url}/{path}"
    if id is not None:
        url = f"{url}/{checked_id(id, path)}"
    encoded = query.encode() if query is not None else ""
    if encoded:
        url = f"{url}?{encoded}"
    return follow(configuration, method, url, body=None if document is None else encode(document))


def follow(
    configuration: Configuration,
    method: str,
    url: str,
    *,
    body: bytes | Stream | None = None,
    content_type: str = MEDIA_TYPE,
) -> Request:
    """A request to an absolute `url` of the API, e.g. a pagination link; its body defaults to JSON:API."""
    headers = {
        "Accept": MEDIA_TYPE,
        "User-Agent": USER_AGENT,
        "X-DIDWW-API-Version": API_VERSION,
        **configuration.headers,
    }
    if body is not None:
        headers["Content-Type"] = content_type
        if not isinstance(body, bytes):
            headers["Content-Length"] = str(len(body))
    if origin_of(url) == configuration.origin:
        configuration.credentials.sign(headers)
    return Request(method, url, headers, body)


def build_download(configuration: Configuration, url: str) -> Request:
    """A request for a file; signed only if `url` is of the API's own origin."""
    headers = {
        "Accept": "*/*",
        # Unpacked on the way, a file could neither be resumed nor checked for length.
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
    }
    if origin_of(url) == configuration.origin:
        headers["X-DIDWW-API-Version"] = API_VERSION
        headers.update(configuration.headers)
        configuration.credentials.sign(headers)
    return Request("GET", url, headers)
