"""HTTP requests of the emulator to programs under test: callbacks, call events and call records."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Final

import msgspec

from didww.callback.signature import with_scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RESPONSE_TIMEOUT", "Attempt", "host_of", "is_allowed", "send_request"]

RESPONSE_TIMEOUT: Final = 60.0
"""Timeout of an attempt, in real seconds."""


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at a delivery.

    Attributes:
        at: Time by the emulator's clock.
        status: Status of the response, or None.
        error: Error message; None if the status was 200 to 298.
        seconds: Duration in real seconds.
        body: Beginning of the response body.
    """

    at: str
    status: int | None
    error: str | None
    seconds: float
    body: str = ""


def send_request(
    method: str, url: str, headers: Mapping[str, str], content: bytes, *, at: str, highest: int = 298
) -> Attempt:
    """Send a request and return what came of it; a status from 200 to `highest` is a success."""
    import httpx2

    from didww.transport import httpx_deadlines
    from didww.transport.httpx_common import default_verification

    started = time.perf_counter()
    status, error, body = None, None, ""
    # A deadline for the whole attempt: HTTP libraries only limit single reads.
    until = httpx_deadlines.DeadlineTimeout(time.monotonic() + RESPONSE_TIMEOUT)
    timeouts = {"connect": until, "read": until, "write": until, "pool": until}
    try:
        with httpx2.Client(trust_env=False, verify=default_verification()) as client:
            httpx_deadlines.bind(client)
            request = client.build_request(
                method, url, headers=dict(headers), content=content, extensions={"timeout": timeouts}
            )
            response = client.send(request, stream=True)
            try:
                status = response.status_code
                body = next(response.iter_raw(), b"")[:500].decode("utf-8", "replace")
            finally:
                response.close()
        if not 200 <= status <= highest:
            error = f"responded with {status}"
    except httpx2.HTTPError as failure:
        error = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
    except OSError as failure:
        error = f"cannot be sent: {failure}"  # such as certificates that cannot be loaded
    except (ValueError, TypeError, httpx2.InvalidURL) as failure:
        error = f"cannot be called: {failure}"
    return Attempt(at, status, error, round(time.perf_counter() - started, 3), body)


def host_of(url: str) -> str:
    """Return the host of a URL as the HTTP client reads it; empty if invalid."""
    import httpx2

    try:
        return httpx2.URL(with_scheme(url)).host.lower()
    except (ValueError, TypeError, httpx2.InvalidURL):
        return ""


def is_allowed(host: str, hosts: frozenset[str]) -> bool:
    """Return whether requests may go to a host: a loopback address, or one of `hosts`, where `*` is any."""
    if host == "localhost" or host in hosts or "*" in hosts:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
