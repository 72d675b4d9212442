"""What a client is told once: where the API is, who asks, how long to wait.

The key lives in `ApiKey`, which shows itself to nobody but the request that it signs.
"""

from __future__ import annotations

import enum
import os
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from didww.exceptions import DidwwClientError, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

__all__ = ["DEFAULT_TIMEOUT", "NO_TIMEOUT", "ApiKey", "Configuration", "Credentials", "Environment"]

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that a whole call may take unless told otherwise."""

NO_TIMEOUT: Final = float("inf")
"""Say this to wait without end; there is no other way to switch the deadline off."""


class Environment(enum.StrEnum):
    """The two installations of DIDWW; accounts and keys of one are unknown in the other.

    Source: behaviour sheet, section 1.
    """

    PRODUCTION = "production"
    """Real numbers, real money."""
    SANDBOX = "sandbox"
    """DIDWW's own test installation: costs nothing, touches no real number."""

    @property
    def base_url(self) -> str:
        """The address of the API, without a slash at the end."""
        return _BASE_URLS[self]


_BASE_URLS = {
    Environment.PRODUCTION: "https://api.didww.com/v3",
    Environment.SANDBOX: "https://sandbox-api.didww.com/v3",
}


class Credentials(Protocol):
    """Something that signs a request by adding headers to it."""

    def sign(self, headers: MutableMapping[str, str]) -> None:
        """Add to `headers` what proves who asks."""


class ApiKey:
    """A secret API key: signs requests with the `Api-Key` header, absent from repr, str and pickles.

    Raises:
        DidwwClientError: The key is empty, or has characters that no header may carry.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str) or not value.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise DidwwClientError(
                "The API key is empty. Make one in the user panel (API > API keys) and pass it as api_key=, "
                "or set DIDWW_API_KEY and use DidwwClient.from_env()."
            )
        value = value.strip()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise DidwwClientError("The API key holds characters that cannot be sent in a header; check the copy.")
        self._value = value

    def sign(self, headers: MutableMapping[str, str]) -> None:
        """Add the `Api-Key` header."""
        headers["Api-Key"] = self._value

    def __repr__(self) -> str:
        return "ApiKey('***')"

    def __reduce__(self) -> tuple[object, ...]:
        raise DidwwClientError("An API key is not pickled: make the client anew in the other process.")


class Configuration:
    """A client's settings; copied, never changed (`replaced`)."""

    __slots__ = ("base_url", "credentials", "headers", "origin", "timeout")

    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str,
        timeout: float = DEFAULT_TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.credentials = credentials
        self.base_url = checked_base_url(base_url)
        self.origin = origin_of(self.base_url)
        self.timeout = checked_timeout(timeout)
        self.headers = checked_headers(headers or {})

    def replaced(self, *, timeout: float | None = None, headers: Mapping[str, str] | None = None) -> Configuration:
        """The same settings with another timeout, or with `headers` added."""
        return Configuration(
            credentials=self.credentials,
            base_url=self.base_url,
            timeout=self.timeout if timeout is None else timeout,
            headers={**self.headers, **(headers or {})},
        )

    def __repr__(self) -> str:
        return f"Configuration(base_url={self.base_url!r}, timeout={self.timeout:g}, credentials={self.credentials!r})"


def environment_settings(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """A client's arguments from `DIDWW_API_KEY`, `DIDWW_ENVIRONMENT` and `DIDWW_BASE_URL`.

    Raises:
        DidwwClientError: The key is missing, or the environment is no known one.
    """
    key = environ.get("DIDWW_API_KEY", "")
    if not key.strip():
        raise DidwwClientError("DIDWW_API_KEY is not set. Set it to your API key, e.g. export DIDWW_API_KEY=...")
    return {
        "api_key": key,
        "environment": checked_environment(environ.get("DIDWW_ENVIRONMENT") or "sandbox"),
        "base_url": environ.get("DIDWW_BASE_URL") or None,
    }


def checked_environment(value: str) -> Environment:
    """The environment named by `value`, whatever its case.

    Raises:
        InvalidValue: There is no such environment.
    """
    try:
        return Environment(value.strip().lower())
    except (ValueError, AttributeError):
        known = " or ".join(repr(str(member)) for member in Environment)
        raise InvalidValue(f"environment must be {known}, not {value!r}.", field="environment") from None


def checked_base_url(value: str) -> str:
    """`value` without a slash at the end.

    Raises:
        InvalidValue: It is no http or https address, or carries a user name, query or fragment.
    """
    try:
        parts = urlsplit(value.strip())
        _ = parts.port
    except (ValueError, AttributeError):
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidValue(
            f"base_url must be an address like https://api.didww.com/v3, not {value!r}.", field="base_url"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidValue("base_url takes no user name, query or fragment.", field="base_url")
    return value.strip().rstrip("/")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of `url`: the only place that a key is sent to. An address that is none has no host."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", "", 0
    return parts.scheme.lower(), (parts.hostname or "").lower(), port


def checked_timeout(value: float) -> float:
    """`value` as seconds.

    Raises:
        InvalidValue: It is not a number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValue(
            f"timeout must be seconds above 0 (or didww.configuration.NO_TIMEOUT), not {value!r}.", field="timeout"
        )
    return float(value)


# What the SDK says about a request itself; another value would break it or forge it.
_OWN_HEADERS = frozenset({"api-key", "authorization", "host", "content-length", "content-type", "transfer-encoding"})


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` as a dict.

    Raises:
        InvalidValue: One of them is the SDK's own, or holds a line break.
    """
    for name, value in headers.items():
        if name.lower() in _OWN_HEADERS:
            raise InvalidValue(f"headers: {name} is set by the SDK and cannot be replaced.", field="headers")
        if not (name + value).isprintable() or not (name + value).isascii():
            raise InvalidValue(f"headers: {name!r} holds characters that no header may carry.", field="headers")
    return dict(headers)
