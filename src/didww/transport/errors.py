"""Create the errors of all transports: what went wrong, and how to fix it.

The exceptions of the HTTP libraries hold the request, and with it the API key. So the errors created here are raised
outside of any `except` block (`raise ... from None` would still keep the original as `__context__`), and their messages
show only method, host and path: no header, query or body. The transports decide which error applies.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, Final

from didww._util.urls import origin_of, without_query
from didww.exceptions import ApiConnectionError, ApiTimeoutError, ClientClosedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww._core.effects import Request

__all__ = [
    "CONNECTING",
    "POOL",
    "READING",
    "RESPONSE",
    "SENDING",
    "causes",
    "client_closed",
    "closed_meanwhile",
    "connection_lost",
    "deadline_exceeded",
    "unreachable",
    "unsendable",
]

# Phases of an exchange (`ApiConnectionError.phase`).
POOL: Final = "waiting for a connection"
CONNECTING: Final = "connecting"
SENDING: Final = "sending"
RESPONSE: Final = "waiting for the response"
READING: Final = "reading the response"


def client_closed() -> ClientClosedError:
    """Return the error for a call after the transport was closed."""
    return ClientClosedError("This client is closed. Create a new one, or make the call inside the `with` block.")


def closed_meanwhile(request: Request, phase: str) -> ApiConnectionError:
    """Return the error for a transport that another thread or task closed before the response arrived."""
    return connection_lost(request, "the client was closed before the response arrived", phase=phase)


def deadline_exceeded(request: Request, *, request_sent: bool, phase: str = "") -> ApiTimeoutError:
    """Return the error for an exceeded deadline."""
    when = f"before its timeout ran out{f' while {phase}' if phase else ''}"
    if phase == POOL:
        text = f"could not be sent {when}: all are in use. Make fewer concurrent calls, or raise `timeout=`."
    elif not request_sent:
        text = f"could not be sent {when}. Check the network and base_url, or raise `timeout=`."
    elif request.method in ("GET", "HEAD"):
        text = f"got no complete response {when}. Raise `timeout=`."
    else:
        text = (
            f"got no complete response {when}. The server may have processed the request: "
            "check before retrying, or raise `timeout=`."
        )
    return ApiTimeoutError(f"{_describe(request)} {text}", request_sent=request_sent, phase=phase)


def connection_lost(
    request: Request, problem: str, *, request_sent: bool = True, phase: str = ""
) -> ApiConnectionError:
    """Return the error for an exchange that failed midway."""
    return ApiConnectionError(f"{_describe(request)} failed: {problem}.", request_sent=request_sent, phase=phase)


def unsendable(request: Request, problem: str, *, transient: bool = False) -> ApiConnectionError:
    """Return the error for a request that could not be sent at all."""
    return ApiConnectionError(f"{_describe(request)} was not sent: {problem}.", request_sent=False, transient=transient)


def unreachable(request: Request, error: BaseException, *, request_sent: bool = False) -> ApiConnectionError:
    """Return the error for a connection that could not be established."""
    chain = list(causes(error))
    root = next((cause for cause in chain if isinstance(cause, OSError) and cause.errno), None)
    reason, hint = _reason(root)
    dialed = next((str(host) for cause in chain if (host := getattr(cause, "dialed", None))), "")
    address = origin_of(request.url)
    if address is not None and dialed not in ("", f"{address.host.strip('[]')}:{address.port}"):
        reason = f"{reason}; dialed {dialed}, the proxy"
        hint = "Check the proxy: proxy=, or HTTPS_PROXY / HTTP_PROXY / ALL_PROXY / NO_PROXY in the environment."
    return ApiConnectionError(
        f"Cannot connect to {address} ({reason}). {hint}", request_sent=request_sent, phase=CONNECTING
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """Iterate over `error` and its causes.

    `__context__` is ignored: it may be an unrelated error that the caller was handling.
    """
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            # urllib3 errors have a `reason`, exception groups have `exceptions`.
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, *getattr(cause, "exceptions", ())]


def _reason(root: OSError | None) -> tuple[str, str]:
    import ssl

    if isinstance(root, socket.gaierror):
        return root.strerror or "unknown host", "Check the name in base_url / DIDWW_BASE_URL, and the network."
    if isinstance(root, ssl.SSLCertVerificationError):
        return (
            root.verify_message or "its certificate is not trusted",
            "Behind a company's proxy, trust its certificate: verify=ssl.create_default_context(cafile=...).",
        )
    if isinstance(root, ssl.SSLError):
        return (
            (root.reason or "the TLS handshake failed").replace("_", " ").lower(),
            "Check base_url / DIDWW_BASE_URL: is it https, with the right port?",
        )
    if isinstance(root, ConnectionRefusedError):
        reason = "Connection refused"
    else:
        # asyncio replaces the system's text with its own.
        reason = os.strerror(root.errno) if root is not None and root.errno else "no connection"
    return (
        reason,
        "Is the server running? Check base_url / DIDWW_BASE_URL. Start the local emulator with: didww emulator",
    )


def _describe(request: Request) -> str:
    return f"{request.method} {without_query(request.url)}"
