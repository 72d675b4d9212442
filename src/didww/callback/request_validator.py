"""Verify that a callback comes from DIDWW: compute its signature and compare.

Source: DIDWW's documentation of `X-DIDWW-Signature`: HMAC-SHA1 of the URL and the fields of the callback.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeGuard, cast, overload

from didww._schema.forms import WEB_ADDRESS
from didww.exceptions import InvalidValueError

__all__ = ["Payload", "RequestValidator", "parts_of", "signature_of", "signed_text", "text_of", "with_scheme"]

Payload: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""The fields of a callback, or a list of them (callbacks of outbound trunks)."""

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^:/?#@\[\]]+)(?::(?P<port>\d*))?(?P<rest>[/?#].*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_PORTS: Final = {"http": "80", "https": "443"}

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
        expected = signature_of(_bytes(self._secret), url, plain)
        if signature is None or expected is None:
            return False
        return hmac.compare_digest(_bytes(expected), _bytes(signature))


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


def signature_of(secret: bytes, url: str, payload: Payload) -> str | None:
    """Return the signature of a callback, or None if it is not a valid callback.

    Args:
        secret: The callback secret, UTF-8.
        url: The URL that is called.
        payload: The fields.
    """
    signed = signed_text(url, payload)
    return None if signed is None else hmac.new(secret, signed, hashlib.sha1).hexdigest()


def signed_text(url: object, payload: object) -> bytes | None:
    """Return the signed text of a callback in UTF-8, or None if it is not a valid callback."""
    normalized, fields = _normalize(url), _payload_text(payload)
    return None if normalized is None or fields is None else _bytes(normalized + fields)


def with_scheme(url: str) -> str:
    """Return a callback URL as DIDWW calls it, with http as the default scheme."""
    return f"http://{url}" if not _SCHEME.match(url) and WEB_ADDRESS.fits(url) else url


def parts_of(url: object) -> re.Match[str] | None:
    """Split an http URL into scheme, user (with its @), host, port and rest. Return None if it is not one."""
    return _URL.fullmatch(url) if isinstance(url, str) else None


def _normalize(url: object) -> str | None:
    """Return the URL with an explicit port, otherwise unchanged. Return None if it is not an http URL."""
    parts = parts_of(with_scheme(url)) if isinstance(url, str) else None
    if parts is None:
        return None
    port = parts["port"] or _PORTS[parts["scheme"].lower()]
    return f"{parts['scheme']}://{parts['user'] or ''}{parts['host']}:{port}{parts['rest'] or ''}"


def _payload_text(payload: object) -> str | None:
    """Return the signed text of the fields, or None if no callback can have them."""
    signed = ""
    for fields in cast("Sequence[object]", payload if isinstance(payload, Sequence) else (payload,)):
        if not isinstance(fields, Mapping):
            return None
        texts = {name: text_of(value) for name, value in cast("Mapping[object, object]", fields).items()}
        for name in sorted(texts, key=lambda name: _bytes(name) if isinstance(name, str) else b""):
            text = texts[name]
            if text is None or not isinstance(name, str):
                return None
            signed += name + text
    return signed


def text_of(value: object) -> str | None:
    """Return a callback value as text, or None if no callback can have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    # Python refuses to convert integers with thousands of digits.
    short = not isinstance(value, int) or value.bit_length() < 1000
    return str(value) if isinstance(value, (str, int, float)) and short else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
