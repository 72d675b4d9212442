"""Create signed callbacks like DIDWW's: for tests of receivers, the command line and the emulator.

Source: DIDWW's documentation of callbacks, https://doc.didww.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlencode

import msgspec

from didww.callback.request_validator import RequestValidator
from didww.callback.signature import signature_of, text_of, with_scheme
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww.callback.signature import Payload

__all__ = ["CallbackRequest", "sign_callback"]


class CallbackRequest(msgspec.Struct, frozen=True):
    """The HTTP request of a callback.

    Attributes:
        method: GET or POST.
        url: The URL to call. For GET, its query includes the fields.
        headers: The headers, including the signature.
        body: The form or JSON of a POST; empty for GET.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: str


def sign_callback(
    url: str, payload: Payload, *, secret: str, method: Literal["GET", "POST", "get", "post"] = "POST"
) -> CallbackRequest:
    """Create a signed callback to send to a receiver under test.

    Args:
        url: The URL that DIDWW would call, including its own query. Without a scheme, http is assumed.
        payload: The fields, including `type`. A list of them is sent as JSON, like callbacks of outbound trunks.
        secret: The callback secret.
        method: `GET` sends the fields in the query, `POST` in a form.

    Raises:
        InvalidValueError: An argument cannot be sent or signed.

    Example:
        >>> request = sign_callback(
        ...     "https://hooks.example.test/didww",
        ...     {"id": "5da18706-be9f-49b0-aeec-0480aacd49ad", "type": "orders", "status": "completed"},
        ...     secret="test-callback-secret",
        ... )
        >>> request.headers["X-DIDWW-Signature"]
        '271b763e3008f4e073d990ff2c9d5b65c4c2d74c'
        >>> request.body
        'id=5da18706-be9f-49b0-aeec-0480aacd49ad&type=orders&status=completed'
    """
    if not secret:
        raise InvalidValueError("secret must be the callback secret, got an empty string.", field="secret")
    method = cast("Any", method.upper())
    if method not in ("GET", "POST"):
        raise InvalidValueError(f"method must be GET or POST, got {method!r}.", field="method")
    if isinstance(payload, Mapping) and payload.get("type") == "voice_out_trunks":
        if method == "GET":
            raise InvalidValueError(
                "method must be POST for outbound trunks, got 'GET'. Their callbacks are JSON.", field="method"
            )
        payload = [payload]
    for fields in [payload] if isinstance(payload, Mapping) else payload:
        invalid = next((name for name, value in fields.items() if text_of(value) is None), None)
        if invalid is not None:
            raise InvalidValueError(f"payload: {invalid!r} must be a string, number, boolean or None.", field="payload")
    headers: dict[str, str] = {}
    body, url = "", with_scheme(url)
    if not isinstance(payload, Mapping):
        if method == "GET":
            raise InvalidValueError(
                "method must be POST for a list of payloads, got 'GET'. A list is sent as JSON.", field="method"
            )
        try:
            body = msgspec.json.encode(payload).decode()
        except (TypeError, ValueError, RecursionError):  # a name that is not a string, a lone surrogate
            raise InvalidValueError("payload must be encodable as JSON.", field="payload") from None
        headers["Content-Type"] = "application/json"
    else:
        texts = {name: text_of(value) for name, value in payload.items()}
        if method == "GET":
            address, mark, fragment = url.partition("#")
            # Like DIDWW: after the URL's own query, sorted by name, before the fragment.
            url = f"{address}{'&' if '?' in address else '?'}{urlencode(sorted(texts.items()))}{mark}{fragment}"
        else:
            body = urlencode(texts)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
    signature = signature_of(secret.encode("utf-8", "surrogatepass"), url, payload)
    if signature is None:
        raise InvalidValueError(
            f"url must be an http or https URL, and payload the fields of a callback, got {url[:200]!r}.", field="url"
        )
    headers[RequestValidator.HEADER] = signature
    return CallbackRequest(method, url, headers, body)
