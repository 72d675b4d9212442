"""HTTP headers of responses: validators, caching, CORS and compression, as in recorded responses of the service."""

from __future__ import annotations

import gzip
from hashlib import md5
from typing import TYPE_CHECKING, Final

import msgspec

from didww._core.effects import Response
from didww.emulator.engine.services import API, path_of
from didww.transport.inprocess import Streamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._core.effects import Request

__all__ = ["CROSS_ORIGIN", "add_validators", "compress", "get_header"]

CROSS_ORIGIN: Final = {
    "access-control-allow-methods": "GET, POST, DELETE, PUT, PATCH, OPTIONS",
    "access-control-allow-credentials": "true",
    "access-control-allow-headers": (
        "accept, api-key, authorization, content-type, x-didww-api-version, x-requested-with"
    ),
    "access-control-expose-headers": "Date, X-Request-Id, Content-Disposition, Last-Modified, Retry-After, "
    "WWW-Authenticate",
}
"""CORS headers besides `access-control-allow-origin`."""

_SMALLEST: Final = 1024
"""Minimum size in bytes for compression."""
_FAST: Final = 1


def get_header(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header (case-insensitive); empty if absent."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def add_validators(request: Request, response: Response, seconds: float) -> Response:
    """Return a response with `ETag`, `Cache-Control`, `Vary` and `X-Runtime` headers.

    It is 304 if `If-None-Match` of the request matches. The responses of other services than the main API are
    unchanged: a token is never cached, and prices have headers of their own.
    """
    if not path_of(request.url).startswith(API.prefix):
        return response
    headers = {"vary": "Accept-Encoding, Origin", "x-runtime": f"{seconds:.6f}", "cache-control": "no-cache"}
    if response.status in (200, 201) and response.body and not isinstance(response, Streamed):
        tag = response.headers.get("etag") or f'W/"{md5(response.body, usedforsecurity=False).hexdigest()}"'
        headers |= {"etag": tag, "cache-control": "max-age=0, private, must-revalidate"}
        if request.method in ("GET", "HEAD") and tag in get_header(request.headers, "if-none-match"):
            kept = {name: value for name, value in response.headers.items() if name != "content-type"}
            return Response(304, {**headers, **kept}, b"")
    return msgspec.structs.replace(response, headers={**headers, **response.headers})


def compress(request: Request, response: Response) -> Response:
    """Return a JSON response compressed with gzip, if the request accepts that."""
    if (
        len(response.body) < _SMALLEST
        or "json" not in response.headers.get("content-type", "")
        or not _takes_gzip(get_header(request.headers, "accept-encoding"))
    ):
        return response
    headers = {**response.headers, "content-encoding": "gzip"}
    return msgspec.structs.replace(response, headers=headers, body=gzip.compress(response.body, _FAST, mtime=0))


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return quality.strip().removeprefix("q=").strip("0.") != "" or not quality.strip()
    return False
