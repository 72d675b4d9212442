"""Verify raw callback requests and parse them into typed callbacks."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qsl

from didww._schema.forms import WEB_ADDRESS
from didww.callback.incoming import check_size, header, normalize_headers, objects_of
from didww.callback.request_validator import RequestValidator
from didww.callback.signature import parts_of, signature_of, signed_text, text_of, with_scheme
from didww.callback.typed import Callback, callback_of
from didww.exceptions import CallbackRejectedError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.callback.incoming import Headers

__all__ = ["CallbackVerifier"]

_SIGNATURE: Final = re.compile(r"[0-9a-f]{40}", re.ASCII)
_ORIGIN: Final = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_MAX_FIELDS: Final = 100


class CallbackVerifier:
    """Verifies the signature of a raw callback request and parses its callbacks.

    Args:
        secrets: Accepted callback secrets; pass both the old and the new one during rotation. They are never logged or
            shown.
        public_url: The URL that DIDWW calls, as set in `callback_url`. This is the signed URL; behind a proxy, the
            program may see another scheme, host, port or path. Without a path (`https://hooks.example.com`), the path
            and query come from each request; with one, only the query does. If None, pass the full URL to `verify`.
        max_bytes: Maximum size of a request body.

    Raises:
        InvalidValueError: `secrets` is empty or contains an empty secret, or `public_url` is not an http or https URL.

    Example:
        >>> verifier = CallbackVerifier(secrets=["test-callback-secret"], public_url="https://hooks.example.test/didww")
        >>> (callback,) = verifier.verify(
        ...     method="POST",
        ...     url="/internal/path",
        ...     headers={
        ...         "X-DIDWW-Signature": "271b763e3008f4e073d990ff2c9d5b65c4c2d74c",
        ...         "Content-Type": "application/x-www-form-urlencoded",
        ...     },
        ...     body=b"id=5da18706-be9f-49b0-aeec-0480aacd49ad&type=orders&status=completed",
        ... )
        >>> callback
        OrderCallback(type='orders', id='5da18706-be9f-49b0-aeec-0480aacd49ad', status=<OrderStatus.COMPLETED: 'completed'>)
    """  # noqa: E501 printed output

    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    """The HTTP methods of callbacks."""

    def __init__(self, *, secrets: Sequence[str], public_url: str | None = None, max_bytes: int = 1 << 20) -> None:
        if isinstance(secrets, (str, bytes)) or not secrets or not all(_is_secret(secret) for secret in secrets):
            hint = " Pass a list: secrets=[secret]." if isinstance(secrets, (str, bytes)) else ""
            raise InvalidValueError(
                f"secrets must be a list of non-empty strings, at least a single callback secret.{hint}",
                field="secrets",
            )
        if max_bytes < 1:
            raise InvalidValueError(f"max_bytes must be at least 1, got {max_bytes}.", field="max_bytes")
        self._secrets = [secret.encode("utf-8", "surrogatepass") for secret in secrets]
        self._origin = self._path = self._fragment = ""
        self.max_bytes = max_bytes
        if public_url is not None:
            valid = isinstance(public_url, str) and WEB_ADDRESS.fits(public_url)  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            parts = parts_of(with_scheme(public_url)) if valid else None
            if parts is None:
                raise InvalidValueError(
                    "public_url must be the URL that DIDWW calls, such as https://hooks.example.com/didww.",
                    field="public_url",
                )
            rest: str = parts["rest"] or ""
            self._path = re.split(r"[?#]", rest, maxsplit=1)[0]
            self._origin = parts.string[: len(parts.string) - len(rest)]
            # The fragment is signed, but not sent in requests.
            self._fragment = "".join(rest.partition("#")[1:])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(secrets={['***'] * len(self._secrets)})"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A CallbackVerifier holds secrets and cannot be pickled. Create a new one instead.")

    @property
    def event_type(self) -> type[Callback]:
        """Base class of all events that `verify` returns."""
        return Callback

    def verify(self, *, method: str, url: str, headers: Headers, body: bytes) -> list[Callback]:
        """Verify a request and return its callbacks: usually one, possibly several for outbound trunks.

        Args:
            method: HTTP method, GET or POST.
            url: Raw request URL, not decoded or re-encoded: path and query (`/didww?tenant=42`), or the full URL.
            headers: All request headers.
            body: Raw request body.

        Raises:
            CallbackRejectedError: The request is not a valid callback from DIDWW. `reason` says why, and `status` is
                the HTTP status to respond with.
            InvalidValueError: `url` is not a full URL, and no `public_url` is set.
        """
        check_size(body, self.max_bytes)
        called, named = self._called_url(url), normalize_headers(headers)
        signature = header(named, RequestValidator.HEADER)
        if not signature:
            raise CallbackRejectedError(f"The request has no {RequestValidator.HEADER} header.", reason="missing")
        if _SIGNATURE.fullmatch(signature.lower()) is None:
            raise CallbackRejectedError(f"{RequestValidator.HEADER} must be 40 hexadecimal digits.")
        for payload in self._candidate_payloads(method, called, named, body):
            address = called + self._fragment
            if self._signed(address, payload, signature.lower()):
                signed = signed_text(address, payload) or b""
                try:
                    return [callback_of(fields, signed, alone=len(payload) == 1) for fields in payload]
                except ValueError as error:
                    raise CallbackRejectedError(f"The signature is valid, but not the callback: {error}.") from None
        redacted_url = called.partition("?")[0].rpartition("@")[2]
        raise CallbackRejectedError(
            f"The signature does not match for {redacted_url!r:.200}. The secret is wrong, the URL is not the one that "
            "DIDWW calls (set public_url), or the request was modified.",
            reason="mismatch",
        )

    def _called_url(self, url: str) -> str:
        """Return the URL that DIDWW called."""
        target = url.partition("#")[0]
        origin = _ORIGIN.match(target)
        if origin is None and (not target.startswith("/") or not self._origin):
            raise InvalidValueError(
                "url must be the full URL. If you pass public_url= to the verifier, path and query are enough.",
                field="url",
            )
        if not self._origin:
            if parts_of(target) is None:  # e.g. an invalid Host header
                raise CallbackRejectedError("The URL of the request is invalid.")
            return target
        target = target[origin.end() :] if origin else target
        path, _, query = target.partition("?")
        return f"{self._origin}{self._path or path}{'?' if query else ''}{query}"

    @staticmethod
    def _candidate_payloads(
        method: str, called: str, named: dict[str, list[str]], body: bytes
    ) -> list[list[dict[str, Any]]]:
        """Return the possible signed payloads of the request."""
        if method.upper() == "GET":
            pairs = _pairs(called.partition("?")[2].encode("utf-8", "surrogatepass"))
            # DIDWW appends its fields to the URL's own query parameters; the signature shows where they start.
            starts = reversed(range(len(pairs)))
            return [[fields] for start in starts if "type" in (fields := _unique(pairs[start:]))]
        if method.upper() != "POST":
            raise CallbackRejectedError(f"Callbacks are sent by GET or POST, got {method:.20}.")
        kind = (header(named, "Content-Type") or "").partition(";")[0].strip().lower()
        if kind == "application/json" or (not kind and body.lstrip()[:1] in (b"[", b"{")):
            objects = objects_of(body)
            if not objects:
                raise CallbackRejectedError("The JSON array of the request is empty.")
            for name, value in (field for payload in objects for field in payload.items()):
                if text_of(value) is None:
                    raise CallbackRejectedError(f"{name!r:.80} must be a string, number, boolean or null.")
            return [objects]
        pairs = _pairs(body)
        fields = _unique(pairs)
        if not fields:
            raise CallbackRejectedError("The form of the request is empty or repeats a field.")
        return [[fields]]

    def _signed(self, url: str, payload: list[dict[str, Any]], signature: str) -> bool:
        valid = False
        for secret in self._secrets:  # always all of them, so that timing does not show which one matched
            expected = signature_of(secret, url, payload)
            valid |= expected is not None and hmac.compare_digest(expected, signature)
        return valid


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise CallbackRejectedError(f"The request must have at most {_MAX_FIELDS} fields, in UTF-8.") from None


def _unique(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields, or an empty dict if a field is repeated."""
    fields: dict[str, Any] = dict(pairs)
    return fields if len(fields) == len(pairs) else {}
