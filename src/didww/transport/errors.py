"""The errors of all transports, in the same words: what went wrong, and the way out.

The HTTP libraries' own exceptions hold the request, and with it the key. So the errors made here are raised outside of
any `except` block (`raise ... from None` would still keep the other as `__context__`), and their texts show a method, a
host and a path: no header, no query, no body. Telling which error it is, is left to the transports.
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

# What an exchange can be at (`ApiConnectionError.phase`).
POOL: Final = "waiting for a connection"
CONNECTING: Final = "connecting"
SENDING: Final = "sending"
RESPONSE: Final = "waiting for the response"
READING: Final = "reading the response"


def client_closed() -> ClientClosedError:
    """The transport was closed before."""
    return ClientClosedError("This client is closed; make a new one, or keep the `with` block open.")


def closed_meanwhile(request: Request, phase: str) -> ApiConnectionError:
    """The transport was closed, by another thread or task, before the response arrived."""
    return connection_lost(request, "the client was closed before the response arrived", phase=phase)


def deadline_exceeded(request: Request, *, request_sent: bool, phase: str = "") -> ApiTimeoutError:
    """The deadline came first."""
    when = f"before its timeout ran out{f' while {phase}' if phase else ''}"
    if phase == POOL:
        text = f"could not be sent {when}: all are in use. Make fewer calls at once, or raise `timeout=`."
    elif not request_sent:
        text = f"could not be sent {when}. Check the network and base_url, or raise `timeout=`."
    elif request.method in ("GET", "HEAD"):
        text = f"got no complete response {when}. Raise `timeout=`."
    else:
        text = (
            f"got no complete response {when}. The server may have processed the request: "
            "check before retrying, or raise `timeout=`."
        )
    return ApiTimeoutError(f"{_place(request)} {text}", request_sent=request_sent, phase=phase)


def connection_lost(request: Request, what: str, *, request_sent: bool = True, phase: str = "") -> ApiConnectionError:
    """The exchange broke off."""
    return ApiConnectionError(f"{_place(request)} failed: {what}.", request_sent=request_sent, phase=phase)


def unsendable(request: Request, what: str, *, transient: bool = False) -> ApiConnectionError:
    """The request was refused on this side: nothing was sent."""
    return ApiConnectionError(f"{_place(request)} was not sent: {what}.", request_sent=False, transient=transient)


def unreachable(request: Request, error: BaseException, *, request_sent: bool = False) -> ApiConnectionError:
    """No connection came about."""
    found = list(causes(error))
    root = next((cause for cause in found if isinstance(cause, OSError) and cause.errno), None)
    reason, way_out = _reason(root)
    dialed = next((str(where) for cause in found if (where := getattr(cause, "dialed", None))), "")
    address = origin_of(request.url)
    if address is not None and dialed not in ("", f"{address.host.strip('[]')}:{address.port}"):
        reason = f"{reason}; dialed {dialed}, the proxy"
        way_out = "Check the proxy: proxy=, or HTTPS_PROXY / HTTP_PROXY / ALL_PROXY / NO_PROXY in the environment."
    return ApiConnectionError(
        f"Cannot connect to {address} ({reason}). {way_out}", request_sent=request_sent, phase=CONNECTING
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was made from.

    `__context__` is left out: it may lead to an error that the caller was handling when it called.
    """
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            # urllib3 has a `reason`, a group of errors `exceptions`.
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
        # asyncio has a text of its own in place of the system's.
        reason = os.strerror(root.errno) if root is not None and root.errno else "no connection"
    return (
        reason,
        "Is it running? Check base_url / DIDWW_BASE_URL; the local emulator is started with: didww emulator",
    )


def _place(request: Request) -> str:
    return f"{request.method} {without_query(request.url)}"
