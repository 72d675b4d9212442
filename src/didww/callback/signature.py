"""Compute the signature of a callback.

Source: DIDWW's documentation of `X-DIDWW-Signature`: HMAC-SHA1 of the URL and the fields of the callback.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from didww._schema.forms import WEB_ADDRESS

__all__ = ["Payload", "encode", "parts_of", "signature_of", "signed_text", "text_of", "with_scheme"]

Payload: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""The fields of a callback, or a list of them (callbacks of outbound trunks)."""

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^:/?#@\[\]]+)(?::(?P<port>\d*))?(?P<rest>[/?#].*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_PORTS: Final = {"http": "80", "https": "443"}


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
    return None if normalized is None or fields is None else encode(normalized + fields)


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
        for name in sorted(texts, key=lambda name: encode(name) if isinstance(name, str) else b""):
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


def encode(text: str) -> bytes:
    """Return text as UTF-8, whatever it contains."""
    return text.encode("utf-8", "surrogatepass")
