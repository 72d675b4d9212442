"""Whether a request comes from DIDWW's Call Events or CDR Streaming, and what it tells.

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
    """Takes a request of Call Events or CDR Streaming apart, checks its password or headers, and gives its events.

    These requests carry no signature: set a password, own headers, or both in the user panel (API, Call Events API).

    Args:
        basic_auth: User name and password.
        headers: Headers that have to be there, with their values. Passwords and values are shown nowhere.
        max_bytes: The largest body that is read, packed and unpacked. A batch holds up to 1,000 records of some 2 KB.
        unprotected: Take requests of anybody: something else, such as a firewall, keeps strangers away.

    Raises:
        InvalidValueError: Nothing to tell DIDWW from others by, or something that no request can hold.

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
        wanted = dict(headers or {})
        for name, value in wanted.items():
            if not name or not value or value != value.strip():
                raise InvalidValueError(f"headers: {name!r} is empty, or begins or ends with a space.", field="headers")
        if basic_auth is not None and not _is_login(basic_auth):
            raise InvalidValueError(
                "basic_auth is a pair: a user name without a colon, and a password that is not empty.",
                field="basic_auth",
            )
        if basic_auth is None and not wanted and not unprotected:
            raise InvalidValueError(
                "Anybody could send events: give basic_auth or headers as they are set in the user panel, or "
                "unprotected=True if something else keeps strangers away.",
                field="basic_auth",
            )
        if max_bytes < 1:
            raise InvalidValueError(f"max_bytes is at least 1, not {max_bytes}.", field="max_bytes")
        self._headers = {name: _bytes(value) for name, value in wanted.items()}
        self._login = None if basic_auth is None else _bytes(":".join(basic_auth))
        self.max_bytes = max_bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A CallEventVerifier holds secrets and is not pickled; make a new one.")

    @property
    def event_type(self) -> type[CallEvent]:
        """The class of all that it gives."""
        return CallEvent

    def verify(self, *, method: str, url: str, headers: Headers, body: bytes) -> list[CallEvent]:  # noqa: ARG002
        """The events or records that a request holds, in its order.

        Args:
            method: POST.
            url: Not looked at.
            headers: All headers.
            body: The bytes of the body, as they arrived: JSON objects, one, in an array, or one a line; gzip as well.

        Raises:
            CallbackRejectedError: It is not DIDWW's, or cannot be read: `reason` says why, `status` the HTTP status.
        """
        check_size(body, self.max_bytes)
        named = normalize_headers(headers)
        if method.upper() != "POST":
            raise CallbackRejectedError("Call events are sent by POST.")
        if self._login is not None:
            self._compare("Authorization", _login_in(header(named, "Authorization")), self._login)
        for name, value in self._headers.items():
            found = header(named, name)
            self._compare(name, None if found is None else found.encode("latin-1", "replace"), value)
        encoding = (header(named, "Content-Encoding") or "identity").lower()
        if encoding in ("gzip", "x-gzip"):
            body = gunzip(body, self.max_bytes)
        elif encoding != "identity":
            raise CallbackRejectedError("The body is packed by something else than gzip.")
        return [call_event_of(one) for one in objects_of(body)]

    @staticmethod
    def _compare(name: str, found: bytes | None, wanted: bytes) -> None:
        if found is None:
            raise CallbackRejectedError(f"The request has no header {name} that can be read.", reason="missing")
        if not hmac.compare_digest(found, wanted):
            raise CallbackRejectedError(f"The header {name} is not right.", reason="mismatch")


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
