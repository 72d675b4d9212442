"""Verify that a callback comes from DIDWW: compute its signature and compare.

Source: DIDWW's documentation of `X-DIDWW-Signature`: HMAC-SHA1 of the URL and the fields of the callback.
"""

from __future__ import annotations

import hmac
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard, cast, overload

from didww.callback.signature import Payload, encode, signature_of
from didww.exceptions import InvalidValueError

__all__ = ["RequestValidator"]


_HINT: Final = (
    "Copy it from the user panel (API 3, Callback Secrets), or check that the environment variable that holds it is "
    "set."
)


class RequestValidator:
    """Checks the signatures of callbacks.

    Args:
        callback_secret: The callback secret of the account (user panel, API 3, Callback Secrets).
        api_key: Former name of `callback_secret`. Deprecated: use `callback_secret`.

    Raises:
        InvalidValueError: The secret is empty or not a string.
        TypeError: Both arguments were passed, or neither.

    Example:
        >>> validator = RequestValidator("test-callback-secret")
        >>> payload = {"id": "5da18706-be9f-49b0-aeec-0480aacd49ad", "type": "orders", "status": "completed"}
        >>> signature = "271b763e3008f4e073d990ff2c9d5b65c4c2d74c"
        >>> validator.validate("https://hooks.example.test/didww", payload, signature)
        True
        >>> validator.validate("https://hooks.example.test/didww", {**payload, "status": "canceled"}, signature)
        False
    """

    HEADER: Final = "X-DIDWW-Signature"
    """Name of the header that holds the signature."""

    @overload
    def __init__(self, callback_secret: str) -> None: ...
    @overload
    def __init__(self, *, api_key: str) -> None: ...

    def __init__(self, callback_secret: str | None = None, *, api_key: str | None = None) -> None:
        if callback_secret is not None and api_key is not None:
            raise TypeError("RequestValidator takes either callback_secret or api_key (deprecated), not both.")
        if callback_secret is None and api_key is None:
            raise TypeError(f"callback_secret must be the callback secret of the account, got None. {_HINT}")
        name, secret = "callback_secret", callback_secret
        if api_key is not None:
            _deprecated("api_key")
            name, secret = "api_key", api_key
        if not isinstance(secret, str) or not secret:
            raise InvalidValueError(
                f"{name} must be the callback secret of the account as text, got "
                f"{repr(secret) if not secret else type(secret).__name__}. {_HINT}",
                field=name,
            )
        self._secret = secret

    @property
    def callback_secret(self) -> str:
        """The callback secret."""
        return self._secret

    @property
    def api_key(self) -> str:
        """The callback secret. Deprecated: use `callback_secret`."""
        _deprecated("api_key")
        return self._secret

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A RequestValidator holds a secret and cannot be pickled. Create a new one instead.")

    def validate(self, url: str, payload: Payload, signature: str | None) -> bool:
        """Return whether `signature` is valid for this callback.

        Malformed requests return False; they do not raise.

        Args:
            url: The public URL that DIDWW called, with its query. Behind a proxy, use the public scheme, host and port.
                Without a scheme, http is assumed. Include the fragment if `callback_url` was set with one.
            payload: The fields that DIDWW sent. For POST, the parsed form. For GET, the fields that DIDWW added to the
                query, without your own query parameters. For outbound trunks, the parsed JSON array.
            signature: Value of the `X-DIDWW-Signature` header; None if it is missing.

        Raises:
            InvalidValueError: An argument has a type that could never match: `url` is not a string, `payload` is not
                parsed, or `signature` is bytes.
        """
        _check_types(url, payload, signature)
        # `urllib.parse.parse_qs` returns each value as a list with one item.
        plain: Payload = _unlisted(payload) if isinstance(payload, Mapping) else payload
        expected = signature_of(encode(self._secret), url, plain)
        if signature is None or expected is None:
            return False
        return hmac.compare_digest(encode(expected), encode(signature))


def _deprecated(name: str) -> None:
    warnings.warn(f"{name} is deprecated: use callback_secret.", DeprecationWarning, stacklevel=3)


def _unlisted(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value[0] if _is_list(value) and len(value) == 1 else value for name, value in fields.items()}


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


_PARSE: Final = (
    "Parse the body first: dict(urllib.parse.parse_qsl(text, keep_blank_values=True)) for a form, json.loads(body) for "
    "the JSON array of outbound trunks."
)
_BINARY: Final = (bytes, bytearray, memoryview)


def _check_types(url: object, payload: object, signature: object) -> None:
    """Check the argument types; a wrong type is a bug in the caller, not a bad request.

    Raises:
        InvalidValueError: An argument has a type that no request can cause.
    """
    if not isinstance(url, str):
        raise InvalidValueError(f"url must be a string, got {type(url).__name__}. Use str(url).", field="url")
    if signature is not None and not isinstance(signature, str):
        raise InvalidValueError(
            f"signature must be a string, or None if the header is missing, got {type(signature).__name__}.",
            field="signature",
        )
    kind = type(payload).__name__
    if isinstance(payload, (str, *_BINARY)):
        raise InvalidValueError(f"payload must be the parsed body, got {kind}. {_PARSE}", field="payload")
    # A request may contain any JSON, even a single number.
    if not isinstance(payload, (Mapping, Sequence, int, float, type(None))):
        raise InvalidValueError(f"payload must be a mapping of fields, or a list of them, got {kind}.", field="payload")
    for fields in cast("Sequence[object]", payload if isinstance(payload, Sequence) else (payload,)):
        for name, value in cast("Mapping[object, object]", fields).items() if isinstance(fields, Mapping) else ():
            values = value if _is_list(value) else [value]
            if not isinstance(name, str) or any(isinstance(item, _BINARY) for item in values):
                raise InvalidValueError(
                    f"payload must have names and values as strings, got bytes. {_PARSE}", field="payload"
                )
