"""Whether a callback comes from DIDWW: its signature, worked out again and compared.

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
"""The fields of a callback, or of each in a list of them (callbacks of outbound trunks)."""

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^:/?#@\[\]]+)(?::(?P<port>\d*))?(?P<rest>[/?#].*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_PORTS: Final = {"http": "80", "https": "443"}

_WHERE: Final = "It is in the user panel: API 3, Callback Secrets. Is the variable set that it comes from?"


class RequestValidator:
    """Checks the signatures of callbacks.

    Args:
        callback_secret: The callback secret of the account (user panel, API 3, Callback Secrets).
        api_key: The same, under the name that it had before. Deprecated: use `callback_secret`.

    Raises:
        InvalidValueError: The secret is empty or no text.
        TypeError: Both were given, or neither.

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
    """The header that holds the signature."""

    @overload
    def __init__(self, callback_secret: str) -> None: ...
    @overload
    def __init__(self, *, api_key: str) -> None: ...

    def __init__(self, callback_secret: str | None = None, *, api_key: str | None = None) -> None:
        if callback_secret is not None and api_key is not None:
            raise TypeError("RequestValidator takes callback_secret, or api_key (deprecated), and not both.")
        if callback_secret is None and api_key is None:
            raise TypeError(f"callback_secret must be the callback secret of the account, got None. {_WHERE}")
        name, secret = "callback_secret", callback_secret
        if api_key is not None:
            _deprecated("api_key")
            name, secret = "api_key", api_key
        if not isinstance(secret, str) or not secret:
            raise InvalidValueError(
                f"{name} must be the callback secret of the account as text, got "
                f"{repr(secret) if not secret else type(secret).__name__}. {_WHERE}",
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
        raise TypeError("A RequestValidator holds a secret and is not pickled; make a new one.")

    def validate(self, url: str, payload: Payload, signature: str | None) -> bool:
        """Whether `signature` is right for this callback. Whatever a stranger sends, the response is True or False.

        Args:
            url: The URL that DIDWW called, with its query, as it is known outside: behind a proxy, the public
                scheme, host and port. Without a scheme it is an HTTP one; a fragment that was set with it counts.
            payload: The fields that DIDWW sent: the form of a POST; of a GET the fields that DIDWW added to the query,
                without those your address had before; for outbound trunks the parsed JSON array.
            signature: The header `X-DIDWW-Signature`; None if the request had none.

        Raises:
            InvalidValueError: An argument is of a type that makes every signature wrong: a `url` that is not text, a
                `payload` that is not parsed, a signature in bytes.
        """
        _check_types(url, payload, signature)
        # As `urllib.parse.parse_qs` has them, each value is a list of one.
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
    "Parse the body first: dict(urllib.parse.parse_qsl(text, keep_blank_values=True)) of a form, json.loads(body) of "
    "the JSON array of outbound trunks."
)
_BINARY: Final = (bytes, bytearray, memoryview)


def _check_types(url: object, payload: object, signature: object) -> None:
    """Check what no request can be the cause of, but only the program.

    Raises:
        InvalidValueError: An argument is of a type that no request leads to.
    """
    if not isinstance(url, str):
        raise InvalidValueError(f"url must be text, got {type(url).__name__}. Use str(url).", field="url")
    if signature is not None and not isinstance(signature, str):
        raise InvalidValueError(
            f"signature must be text, or None if the request has no such header, got {type(signature).__name__}.",
            field="signature",
        )
    kind = type(payload).__name__
    if isinstance(payload, (str, *_BINARY)):
        raise InvalidValueError(f"payload must be the parsed body, got {kind}. {_PARSE}", field="payload")
    # A stranger may send any JSON, even a number alone.
    if not isinstance(payload, (Mapping, Sequence, int, float, type(None))):
        raise InvalidValueError(f"payload must be a mapping of fields, or a list of them, got {kind}.", field="payload")
    for fields in cast("Sequence[object]", payload if isinstance(payload, Sequence) else (payload,)):
        for name, value in cast("Mapping[object, object]", fields).items() if isinstance(fields, Mapping) else ():
            values = value if _is_list(value) else [value]
            if not isinstance(name, str) or any(isinstance(one, _BINARY) for one in values):
                raise InvalidValueError(
                    f"payload must have names and values of text, not bytes. {_PARSE}", field="payload"
                )


def signature_of(secret: bytes, url: str, payload: Payload) -> str | None:
    """The signature of a callback; None for what no callback is.

    Args:
        secret: The callback secret, UTF-8.
        url: The address as it is called.
        payload: The fields.
    """
    signed = signed_text(url, payload)
    return None if signed is None else hmac.new(secret, signed, hashlib.sha1).hexdigest()


def signed_text(url: object, payload: object) -> bytes | None:
    """Return what the signature of a callback covers, in UTF-8; None for what no callback is."""
    normal, fields = _normalised(url), _text_of(payload)
    return None if normal is None or fields is None else _bytes(normal + fields)


def with_scheme(url: str) -> str:
    """Return a callback URL as DIDWW calls it: without a scheme, it is an HTTP one."""
    return f"http://{url}" if not _SCHEME.match(url) and WEB_ADDRESS.fits(url) else url


def parts_of(url: object) -> re.Match[str] | None:
    """An http address by its parts: scheme, user (with its @), host, port, rest. None if it is no address."""
    return _URL.fullmatch(url) if isinstance(url, str) else None


def _normalised(url: object) -> str | None:
    """The address with its port written out; the rest as it is. None if it is no address."""
    found = parts_of(with_scheme(url)) if isinstance(url, str) else None
    if found is None:
        return None
    port = found["port"] or _PORTS[found["scheme"].lower()]
    return f"{found['scheme']}://{found['user'] or ''}{found['host']}:{port}{found['rest'] or ''}"


def _text_of(payload: object) -> str | None:
    """What is signed of the fields; None for what no callback has."""
    several = isinstance(payload, Sequence)
    signed = ""
    for fields in cast("Sequence[object]", payload if several else (payload,)):
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
    """A value of a callback as text; None for what no callback holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    # A number of thousands of digits has no text in Python.
    short = not isinstance(value, int) or value.bit_length() < 1000
    return str(value) if isinstance(value, (str, int, float)) and short else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
