"""Authenticate and parse the requests of DIDWW's Call Events and CDR Streaming.

Source: DIDWW's documentation of Call Events, https://doc.didww.com.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Any, ClassVar

from didww.callback.call_events import CallEvent, call_event_of
from didww.callback.incoming import check_size, gunzip, header, normalize_headers, objects_of
from didww.exceptions import CallbackRejectedError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww.callback.incoming import Headers

__all__ = ["CallEventVerifier"]


class CallEventVerifier:
    """Authenticates requests of Call Events and CDR Streaming by password or headers, and parses their events.

    These requests are not signed. Set a password, custom headers, or both in the user panel (API, Call Events API).

    Args:
        basic_auth: User name and password.
        headers: Required headers and their values. Passwords and header values are never logged or shown.
        max_bytes: Maximum size of a request body, before and after decompression. A batch holds up to 1,000 records of
            about 2 KB each.
        unprotected: Accept requests from anyone, because access is restricted elsewhere, e.g. by a firewall.

    Raises:
        InvalidValueError: No credentials were given, or a value cannot occur in a request.

    Example:
        >>> verifier = CallEventVerifier(headers={"X-Auth-Token": "test-token"})
        >>> (event,) = verifier.verify(
        ...     method="POST",
        ...     url="/calls",
        ...     headers={"X-Auth-Token": "test-token"},
        ...     body=b'{"type": "incoming-call-start-event", "id": "1", "attributes": {"did_number": "12025550101"}}',
        ... )
        >>> event.did_number
        '12025550101'
    """

    methods: ClassVar[tuple[str, ...]] = ("POST",)
    """The HTTP methods of these requests."""

    def __init__(
        self,
        *,
        basic_auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 16 << 20,
        unprotected: bool = False,
    ) -> None:
        expected = dict(headers or {})
        for name, value in expected.items():
            if not name or not value or value != value.strip():
                raise InvalidValueError(
                    f"headers must have non-empty names, and non-empty values without leading or trailing spaces: "
                    f"check {name!r}.",
                    field="headers",
                )
        if basic_auth is not None and not _is_login(basic_auth):
            raise InvalidValueError(
                "basic_auth must be a pair of a user name without a colon and a non-empty password.",
                field="basic_auth",
            )
        if basic_auth is None and not expected and not unprotected:
            raise InvalidValueError(
                "basic_auth or headers is required, otherwise anyone could send events. Pass the values set in the "
                "user panel, or unprotected=True if access is restricted elsewhere.",
                field="basic_auth",
            )
        if max_bytes < 1:
            raise InvalidValueError(f"max_bytes must be at least 1, got {max_bytes}.", field="max_bytes")
        self._headers = {name: _bytes(value) for name, value in expected.items()}
        self._login = None if basic_auth is None else _bytes(":".join(basic_auth))
        self.max_bytes = max_bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A CallEventVerifier holds secrets and cannot be pickled. Create a new one instead.")

    @property
    def event_type(self) -> type[CallEvent]:
        """Base class of all events that `verify` returns."""
        return CallEvent

    def verify(self, *, method: str, url: str, headers: Headers, body: bytes) -> list[CallEvent]:  # noqa: ARG002
        """Return the events or records of a request, in order.

        Args:
            method: HTTP method; must be POST.
            url: Ignored.
            headers: All request headers.
            body: Raw request body: a JSON object, an array of objects, or one object per line. May be gzipped.

        Raises:
            CallbackRejectedError: The request is not authentic, or cannot be parsed. `reason` says why, and `status` is
                the HTTP status to respond with.
        """
        check_size(body, self.max_bytes)
        named = normalize_headers(headers)
        if method.upper() != "POST":
            raise CallbackRejectedError(f"Call events are sent by POST, got {method:.20}.")
        if self._login is not None:
            self._compare("Authorization", _login_in(header(named, "Authorization")), self._login)
        for name, value in self._headers.items():
            received = header(named, name)
            self._compare(name, None if received is None else received.encode("latin-1", "replace"), value)
        encoding = (header(named, "Content-Encoding") or "identity").lower()
        if encoding in ("gzip", "x-gzip"):
            body = gunzip(body, self.max_bytes)
        elif encoding != "identity":
            raise CallbackRejectedError(f"Content-Encoding must be gzip or identity, got {encoding:.40}.")
        return [call_event_of(raw) for raw in objects_of(body)]

    @staticmethod
    def _compare(name: str, received: bytes | None, expected: bytes) -> None:
        if received is None:
            raise CallbackRejectedError(f"The {name} header is missing or invalid.", reason="missing")
        if not hmac.compare_digest(received, expected):
            raise CallbackRejectedError(f"The {name} header does not match.", reason="mismatch")


def _is_login(value: object) -> bool:
    match value:
        case (str(name), str(password)):
            return password != "" and ":" not in name
        case _:
            return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _login_in(value: str | None) -> bytes | None:
    scheme, _, rest = (value or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
