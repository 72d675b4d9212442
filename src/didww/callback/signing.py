"""Making callbacks as DIDWW makes them: for tests of receivers, the command line, and the emulator.

Source: DIDWW's documentation of callbacks, https://doc.didww.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlencode

import msgspec

from didww.callback.request_validator import RequestValidator, signature_of, text_of, with_scheme
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww.callback.request_validator import Payload

__all__ = ["CallbackRequest", "sign_callback"]


class CallbackRequest(msgspec.Struct, frozen=True):
    """A callback as it goes over the wire.

    Attributes:
        method: GET or POST.
        url: The address to call; of a GET with the fields in its query.
        headers: Its headers, the signature among them.
        body: The form or JSON of a POST; empty for a GET.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: str


def sign_callback(
    url: str, payload: Payload, *, secret: str, method: Literal["GET", "POST", "get", "post"] = "POST"
) -> CallbackRequest:
    """A signed callback, to be sent to a receiver that is tested.

    Args:
        url: The URL that DIDWW would call, its own query included; without a scheme, by HTTP.
        payload: The fields, `type` among them; a list of them is sent as JSON, as those of outbound trunks are.
        secret: The callback secret.
        method: `GET` has the fields in the query, `POST` in a form.

    Raises:
        InvalidValueError: Something of it cannot be sent or signed.

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
        raise InvalidValueError("secret is empty; callbacks are signed with it.", field="secret")
    method = cast("Any", method.upper())
    if method not in ("GET", "POST"):
        raise InvalidValueError(f"method is GET or POST, not {method!r}.", field="method")
    if isinstance(payload, Mapping) and payload.get("type") == "voice_out_trunks":
        if method == "GET":
            raise InvalidValueError("method is POST for outbound trunks: they have no other.", field="method")
        payload = [payload]
    for fields in [payload] if isinstance(payload, Mapping) else payload:
        wrong = next((name for name, value in fields.items() if text_of(value) is None), None)
        if wrong is not None:
            raise InvalidValueError(f"payload: {wrong!r} must be text, a number, a boolean or None.", field="payload")
    headers: dict[str, str] = {}
    body, url = "", with_scheme(url)
    if not isinstance(payload, Mapping):
        if method == "GET":
            raise InvalidValueError("method is POST for a list: it is sent as JSON.", field="method")
        try:
            body = msgspec.json.encode(payload).decode()
        except (TypeError, ValueError, RecursionError):  # a name that is no text, a lone surrogate
            raise InvalidValueError("payload holds what JSON cannot carry.", field="payload") from None
        headers["Content-Type"] = "application/json"
    else:
        texts = {name: text_of(value) for name, value in payload.items()}
        if method == "GET":
            address, mark, fragment = url.partition("#")
            # As DIDWW sends them: after the URL's own query, sorted by name, before the fragment.
            url = f"{address}{'&' if '?' in address else '?'}{urlencode(sorted(texts.items()))}{mark}{fragment}"
        else:
            body = urlencode(texts)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
    signature = signature_of(secret.encode("utf-8", "surrogatepass"), url, payload)
    if signature is None:
        raise InvalidValueError(
            f"url is no http address, or payload no fields of a callback: {url[:200]!r}.", field="url"
        )
    headers[RequestValidator.HEADER] = signature
    return CallbackRequest(method, url, headers, body)
