"""Whether a callback comes from DIDWW: its signature, worked out again and compared.

Source: DIDWW's documentation of `X-DIDWW-Signature`: HMAC-SHA1 of the URL and the fields of the callback.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from didww.exceptions import InvalidValue

__all__ = ["Payload", "RequestValidator", "parts_of", "signature_of", "text_of"]

Payload: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""The fields of a callback, or of each in a list of them (callbacks of outbound trunks)."""

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^:/?#@\[\]]+)(?::(?P<port>\d*))?(?P<rest>[/?#].*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_PORTS: Final = {"http": "80", "https": "443"}


class RequestValidator:
    """Checks the signatures of callbacks.

    Args:
        api_key: The callback secret of the account (user panel, API 3, Callback Secrets); accounts that have none yet
            are signed for with their API key. It is shown nowhere.

    Raises:
        InvalidValue: The secret is empty.

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

    def __init__(self, api_key: str) -> None:
        if not isinstance(api_key, str) or not api_key:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValue(
                "api_key is empty or no text: RequestValidator needs the callback secret of the account (or its API "
                "key, if no secret is enabled).",
                field="api_key",
            )
        self._secret = _bytes(api_key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A RequestValidator holds a secret and is not pickled; make a new one.")

    def validate(self, url: str, payload: Payload, signature: str | None) -> bool:
        """Whether `signature` is right for this callback. Whatever a stranger sends, the answer is True or False.

        Args:
            url: The address that DIDWW called, with its query, as it is known outside: behind a proxy, the public
                scheme, host and port.
            payload: The fields that DIDWW sent: the form of a POST; of a GET the fields that DIDWW added to the query,
                without those your address had before; for outbound trunks the parsed JSON array.
            signature: The header `X-DIDWW-Signature`; None if the request had none.

        Raises:
            InvalidValue: `payload` is the raw body, text or bytes; parse it first.
        """
        given: object = payload
        if isinstance(given, (str, bytes, bytearray, memoryview)):
            raise InvalidValue(
                "payload is the body parsed: dict(urllib.parse.parse_qsl(text, keep_blank_values=True)) of a form, "
                "json.loads(body) of the JSON array of outbound trunks.",
                field="payload",
            )
        expected = signature_of(self._secret, url, payload)
        if not isinstance(signature, str) or expected is None:
            return False
        return hmac.compare_digest(_bytes(expected), _bytes(signature))


def signature_of(secret: bytes, url: str, payload: Payload) -> str | None:
    """The signature of a callback; None for what no callback is.

    Args:
        secret: The callback secret, UTF-8.
        url: The address as it is called.
        payload: The fields.
    """
    normal, fields = _normalised(url), _text_of(payload)
    if normal is None or fields is None:
        return None
    return hmac.new(secret, _bytes(normal + fields), hashlib.sha1).hexdigest()


def parts_of(url: object) -> re.Match[str] | None:
    """An http address by its parts: scheme, user (with its @), host, port, rest. None if it is no address."""
    return _URL.fullmatch(url) if isinstance(url, str) else None


def _normalised(url: object) -> str | None:
    """The address with its port written out; the rest as it is. None if it is no address."""
    found = parts_of(url)
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
    if isinstance(value, list) and len(cast("list[object]", value)) == 1:
        value = cast("list[object]", value)[0]  # as `urllib.parse.parse_qs` has them
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    # A number of thousands of digits has no text in Python.
    short = not isinstance(value, int) or value.bit_length() < 1000
    return str(value) if isinstance(value, (str, int, float)) and short else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
