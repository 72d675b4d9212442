"""Whether a request comes from DIDWW, from the bytes that arrived to typed callbacks."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qsl

from didww._schema.forms import WEB_ADDRESS
from didww.callback.incoming import check_size, header, normalize_headers, objects_of
from didww.callback.request_validator import RequestValidator, parts_of, signature_of, signed_text, text_of, with_scheme
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
    """Takes the raw request of a callback apart, checks its signature, and gives what it tells.

    Args:
        secrets: The callback secrets that are taken, the new one and the old one while they are exchanged. They are
            shown nowhere.
        public_url: The address that DIDWW calls, as it was given as `callback_url`. Behind a proxy the program sees
            another scheme, host, port or path; what is signed is this one. Without a path (`https://hooks.example.com`)
            path and query of each request are taken, with one the query only. If None, the `url` of each call has to be
            the whole address.
        max_bytes: The largest body that is read.

    Raises:
        InvalidValueError: No secret, an empty one, or `public_url` is no http address.

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
    """  # noqa: E501 what a program prints

    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    """The HTTP methods of callbacks."""

    def __init__(self, *, secrets: Sequence[str], public_url: str | None = None, max_bytes: int = 1 << 20) -> None:
        if isinstance(secrets, (str, bytes)) or not secrets or not all(_is_secret(one) for one in secrets):
            alone = " Pass a list: secrets=[secret]." if isinstance(secrets, (str, bytes)) else ""
            raise InvalidValueError(
                f"secrets must be a list of callback secrets as text, none of them empty.{alone}", field="secrets"
            )
        if max_bytes < 1:
            raise InvalidValueError(f"max_bytes is at least 1, not {max_bytes}.", field="max_bytes")
        self._secrets = [one.encode("utf-8", "surrogatepass") for one in secrets]
        self._origin = self._path = self._fragment = ""
        self.max_bytes = max_bytes
        if public_url is not None:
            taken = isinstance(public_url, str) and WEB_ADDRESS.fits(public_url)  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            found = parts_of(with_scheme(public_url)) if taken else None
            if found is None:
                raise InvalidValueError(
                    "public_url is the address that DIDWW calls, such as https://hooks.example.com/didww.",
                    field="public_url",
                )
            rest: str = found["rest"] or ""
            self._path = re.split(r"[?#]", rest, maxsplit=1)[0]
            self._origin = found.string[: len(found.string) - len(rest)]
            # It is signed, and no request carries it.
            self._fragment = "".join(rest.partition("#")[1:])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(secrets={['***'] * len(self._secrets)})"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A CallbackVerifier holds secrets and is not pickled; make a new one.")

    @property
    def event_type(self) -> type[Callback]:
        """The class of all that it gives."""
        return Callback

    def verify(self, *, method: str, url: str, headers: Headers, body: bytes) -> list[Callback]:
        """What a request tells; of outbound trunks there may be several, else there is one.

        Args:
            method: GET or POST.
            url: The address as it arrived, neither decoded nor encoded anew: `/didww?tenant=42`, or the whole of it.
            headers: All headers.
            body: The bytes of the body, as they arrived.

        Raises:
            CallbackRejectedError: It is not a callback of DIDWW: `reason` says why, `status` what to respond with.
            InvalidValueError: `url` is not the whole address, and there is no `public_url`.
        """
        check_size(body, self.max_bytes)
        called, named = self._called(url), normalize_headers(headers)
        signature = header(named, RequestValidator.HEADER)
        if not signature:
            raise CallbackRejectedError(f"The request has no header {RequestValidator.HEADER}.", reason="missing")
        if _SIGNATURE.fullmatch(signature.lower()) is None:
            raise CallbackRejectedError(f"{RequestValidator.HEADER} is not 40 hexadecimal digits.")
        for payload in self._readings(method, called, named, body):
            address = called + self._fragment
            if self._signed(address, payload, signature.lower()):
                signed = signed_text(address, payload) or b""
                try:
                    return [callback_of(fields, signed, alone=len(payload) == 1) for fields in payload]
                except ValueError as error:
                    raise CallbackRejectedError(f"The request is signed, but no callback: {error}.") from None
        shown = called.partition("?")[0].rpartition("@")[2]
        raise CallbackRejectedError(
            f"The signature is not right for {shown!r:.200}: it was made with another secret, for another address "
            f"(then public_url has to be the one that DIDWW calls), or the request was changed.",
            reason="mismatch",
        )

    def _called(self, url: str) -> str:
        """The address that DIDWW called."""
        target = url.partition("#")[0]
        found = _ORIGIN.match(target)
        if found is None and (not target.startswith("/") or not self._origin):
            raise InvalidValueError(
                "url is the whole address; with public_url=, the address that DIDWW calls, its path and query will do.",
                field="url",
            )
        if not self._origin:
            if parts_of(target) is None:  # what a stranger wrote into the header Host
                raise CallbackRejectedError("The request asks for an address that is none.")
            return target
        target = target[found.end() :] if found else target
        path, _, query = target.partition("?")
        return f"{self._origin}{self._path or path}{'?' if query else ''}{query}"

    @staticmethod
    def _readings(method: str, called: str, named: dict[str, list[str]], body: bytes) -> list[list[dict[str, Any]]]:
        """What the request may have been signed for: the objects, or the fields, that it holds."""
        if method.upper() == "GET":
            pairs = _pairs(called.partition("?")[2].encode("utf-8", "surrogatepass"))
            # DIDWW adds its fields after those that the address had: which ones are its own, the signature tells.
            starts = reversed(range(len(pairs)))
            return [[fields] for start in starts if "type" in (fields := _unique(pairs[start:]))]
        if method.upper() != "POST":
            raise CallbackRejectedError("Callbacks are sent by GET or POST.")
        kind = (header(named, "Content-Type") or "").partition(";")[0].strip().lower()
        if kind == "application/json" or (not kind and body.lstrip()[:1] in (b"[", b"{")):
            objects = objects_of(body)
            if not objects:
                raise CallbackRejectedError("The array of the request is empty.")
            for name, value in (field for one in objects for field in one.items()):
                if text_of(value) is None:
                    raise CallbackRejectedError(f"Fields must be text, numbers, booleans or null; {name!r:.80} is not.")
            return [objects]
        pairs = _pairs(body)
        fields = _unique(pairs)
        if not fields:
            raise CallbackRejectedError("The form of the request is empty, or has a field twice.")
        return [[fields]]

    def _signed(self, url: str, payload: list[dict[str, Any]], signature: str) -> bool:
        right = False
        for secret in self._secrets:  # all of them, whichever is right
            expected = signature_of(secret, url, payload)
            right |= expected is not None and hmac.compare_digest(expected, signature)
        return right


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise CallbackRejectedError(f"The fields of the request are no UTF-8, or more than {_MAX_FIELDS}.") from None


def _unique(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The fields; none if one is there twice."""
    fields: dict[str, Any] = dict(pairs)
    return fields if len(fields) == len(pairs) else {}
