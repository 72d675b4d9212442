"""What a client is told once: where the API is, who asks, how long to wait.

The key lives in `ApiKey`, which shows itself to nobody but the request that it signs.
"""

from __future__ import annotations

import enum
import os
import random
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from didww.exceptions import DidwwClientError, InvalidValue
from didww.limits import Budget
from didww.plain import truth_value, whole_number
from didww.urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from didww.limits import Limiter

__all__ = ["DEFAULT_TIMEOUT", "NO_TIMEOUT", "ApiKey", "Configuration", "Credentials", "Environment"]

DEFAULT_RETRIES: Final = 2
"""How often a request is sent again unless told otherwise."""

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that a whole call may take unless told otherwise."""

NO_TIMEOUT: Final = float("inf")
"""Say this to wait without end; there is no other way to switch the deadline off."""


class Unset(enum.Enum):
    """Stands for an argument that was not given, where None would mean something."""

    UNSET = enum.auto()


UNSET: Final = Unset.UNSET


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

    White space around it, such as the line end of a file, is dropped.

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

    __slots__ = (
        "base_url",
        "budget",
        "credentials",
        "headers",
        "jitter",
        "limiter",
        "max_retries",
        "observers",
        "origin",
        "timeout",
        "tracing",
    )

    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str,
        timeout: float = DEFAULT_TIMEOUT,
        headers: Mapping[str, str] | None = None,
        max_retries: int = DEFAULT_RETRIES,
        limiter: Limiter | None = None,
        budget: Budget | None = None,
        jitter: Callable[[], float] = random.random,
        observers: tuple[tuple[type, Callable[[Any], object]], ...] = (),
        tracing: Any = None,
    ) -> None:
        self.credentials = credentials
        self.max_retries = checked_retries(max_retries)
        self.limiter = limiter
        self.budget = budget or Budget()
        self.jitter = jitter
        self.observers = observers
        self.tracing = tracing
        self.base_url = checked_base_url(base_url)
        self.origin = origin_of(self.base_url)
        self.timeout = checked_timeout(timeout)
        self.headers = checked_headers(headers or {})

    def replaced(
        self,
        *,
        timeout: float | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        max_retries: int | Unset = UNSET,
    ) -> Configuration:
        """The same settings with another timeout or number of retries, or with `headers` added."""
        return Configuration(
            credentials=self.credentials,
            base_url=self.base_url,
            timeout=self.timeout if isinstance(timeout, Unset) else timeout,
            headers={**self.headers, **checked_headers(headers or {})},
            max_retries=self.max_retries if isinstance(max_retries, Unset) else max_retries,
            limiter=self.limiter,
            budget=self.budget,
            jitter=self.jitter,
            observers=self.observers,
            tracing=self.tracing,
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


def environment_at(base_url: str) -> Environment | None:
    """The environment whose API is at this address; None if it is an address of none."""
    return next((one for one in Environment if one.base_url == base_url), None)


def not_copied(what: str) -> DidwwClientError:
    """The error for copying what holds connections and the key."""
    return DidwwClientError(
        f"{what}: it holds connections and the API key. Make a client in each process, e.g. DidwwClient.from_env(), "
        "and hand ids or records over; for other options of the same client: client.with_options()."
    )


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
        InvalidValue: It is no plain http or https address, or has a query or fragment.
    """
    url = value.strip().rstrip("/") if isinstance(value, str) else value  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
    if origin_of(url) is None or "?" in url or "#" in url:
        raise InvalidValue(
            "base_url must be an address like https://api.didww.com/v3: http or https, a host in ASCII letters, no "
            "user name, spaces, query or fragment.",
            field="base_url",
        )
    return url


def checked_timeout(value: float) -> float:
    """`value` as seconds.

    Raises:
        InvalidValue: It is not a number above 0.
    """
    try:
        # Numbers of other libraries have `__float__`; so have truth values, which are none.
        seconds = float(value) if hasattr(value, "__float__") and truth_value(value) is None else 0.0
        if seconds > 0:
            return seconds
    except (OverflowError, ValueError, TypeError):
        pass
    raise InvalidValue(
        "timeout must be a number of seconds above 0; of a timedelta, its total_seconds(); to wait without end: "
        "didww.NO_TIMEOUT.",
        field="timeout",
    )


def checked_retries(value: int) -> int:
    """`value` as a number of repetitions.

    Raises:
        InvalidValue: It is no whole number from 0.
    """
    whole = whole_number(value)
    if whole is None or not 0 <= whole <= 100:
        raise InvalidValue(
            "max_retries is a whole number from 0 to 100; 0 sends each request once.", field="max_retries"
        )
    return whole


# What the SDK says about a request itself; another value would break it or forge it.
_OWN_HEADERS = frozenset({"api-key", "authorization", "host", "content-length", "content-type", "transfer-encoding"})

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` as a dict.

    Raises:
        InvalidValue: One of them is the SDK's own, or is none that HTTP can carry.
    """
    if not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValue("headers takes a dict of names and values.", field="headers")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] the same
            raise InvalidValue("headers takes names and values as text.", field="headers")
        if name.lower() in _OWN_HEADERS:
            raise InvalidValue(f"headers: {name} is set by the SDK and cannot be replaced.", field="headers")
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidValue(f"headers: {name!r} is no name of a header.", field="headers")
        if not value.isprintable() or not value.isascii() or value != value.strip():
            raise InvalidValue(f"headers: the value of {name} holds characters that no header may.", field="headers")
    return dict(headers)
