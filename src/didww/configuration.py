"""The settings of a client: base URL, credentials, timeout, retries, limits.

The key lives in `ApiKey`, which shows itself to nobody but the request that it signs.
"""

from __future__ import annotations

import enum
import os
import random
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from didww._util.coerce import truth_value, whole_number
from didww._util.datetimes import http_date
from didww._util.text import shown
from didww._util.urls import is_loopback, origin_of
from didww.exceptions import DidwwClientError, InvalidValueError
from didww.rate_limit.local import Budget
from didww.version import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime

    from didww.rate_limit.local import Limiter

__all__ = ["DEFAULT_TIMEOUT", "NO_TIMEOUT", "ApiKey", "Configuration", "Credentials", "Environment"]

DEFAULT_RETRIES: Final = 2
"""Retries of a request by default."""

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that a whole call may take by default."""

NO_TIMEOUT: Final = float("inf")
"""Say this to wait without end; there is no other way to switch the deadline off."""


class Unset(enum.Enum):
    """Stands for an argument that was not given, where None would mean something."""

    UNSET = enum.auto()


UNSET: Final = Unset.UNSET


class Environment(enum.StrEnum):
    """The two installations of DIDWW, and the emulator; accounts and keys of one are unknown in the others.

    See https://doc.didww.com for DIDWW's two, and docs/emulator.md for the emulator.
    """

    PRODUCTION = "production"
    """Real numbers, real money."""
    SANDBOX = "sandbox"
    """DIDWW's own test installation: costs nothing, touches no real number."""
    LOCAL = "local"
    """The emulator on this machine at its default port, as `didww emulator` starts it."""

    @property
    def base_url(self) -> str:
        """The address of the API, without a slash at the end."""
        return _BASE_URLS[self]


_BASE_URLS = {
    Environment.PRODUCTION: "https://api.didww.com/v3",
    Environment.SANDBOX: "https://sandbox-api.didww.com/v3",
    Environment.LOCAL: "http://127.0.0.1:8750/v3",
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
                "or set DIDWW_API_KEY and leave it out."
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


class ServerClock:
    """The service's time, as the responses tell it."""

    __slots__ = ("_date",)

    def __init__(self) -> None:
        self._date = ""

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the `Date` of a response, if it has one."""
        self._date = headers.get("date", "") or self._date

    def time(self) -> datetime | None:
        """What the last response told; None if none told anything."""
        return http_date(self._date)


class Configuration:
    """A client's settings; copied, never changed (`replaced`)."""

    __slots__ = (
        "allow_insecure",
        "base_url",
        "budget",
        "credentials",
        "headers",
        "in_progress",
        "jitter",
        "limiter",
        "max_retries",
        "observers",
        "origin",
        "server_clock",
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
        server_clock: ServerClock | None = None,
        jitter: Callable[[], float] = random.random,
        observers: tuple[tuple[type, Callable[[Any], object]], ...] = (),
        tracing: Any = None,
        allow_insecure: bool = False,
        in_progress: dict[tuple[str, str, str], object] | None = None,
    ) -> None:
        self.credentials = credentials
        self.in_progress = {} if in_progress is None else in_progress  # what is being created: type, field, value
        self.max_retries = checked_retries(max_retries)
        self.limiter = limiter
        self.budget = budget or Budget()
        self.server_clock = server_clock or ServerClock()
        self.jitter = jitter
        self.observers = observers
        self.tracing = tracing
        self.allow_insecure = _checked_flag(allow_insecure, "allow_insecure")
        self.base_url = checked_base_url(base_url)
        self.check_secure(self.base_url, "base_url")
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
            server_clock=self.server_clock,
            jitter=self.jitter,
            observers=self.observers,
            tracing=self.tracing,
            allow_insecure=self.allow_insecure,
            in_progress=self.in_progress,
        )

    def check_secure(self, url: str, name: str) -> None:
        """Refuse an address by which the key, or call records, would go over a network in clear.

        Raises:
            InvalidValueError: `url`, which `name` names, is http to another host than this one, and that is not
                allowed.
        """
        origin = origin_of(url)
        if origin is not None and origin.scheme == "http" and not self.allow_insecure and not is_loopback(origin.host):
            raise InvalidValueError(
                f"{name} must be an https address, got {origin}: over http, anybody on the way can read the API key "
                "and the data. Only this machine (127.0.0.1, ::1, localhost) is exempt. In a network of your own that "
                "you trust, pass allow_insecure=True to the client.",
                field=name,
            )

    def __repr__(self) -> str:
        return f"Configuration(base_url={self.base_url!r}, timeout={self.timeout:g}, credentials={self.credentials!r})"


def api_key_from(argument: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the API key: the argument, or `DIDWW_API_KEY`.

    Raises:
        DidwwClientError: Neither is given.
    """
    key = environ.get("DIDWW_API_KEY", "") if argument is None else argument
    if argument is None and not key.strip():
        raise DidwwClientError(
            "No API key was given, and DIDWW_API_KEY is not set. Pass api_key=, or set the variable: "
            "export DIDWW_API_KEY=..."
        )
    return key


def base_url_from(
    base_url: str | None, environment: Environment | str | None, environ: Mapping[str, str] = os.environ
) -> str:
    """Return the address of the API: `base_url`, or else that of the environment.

    `DIDWW_BASE_URL` replaces the address of `SANDBOX` and `LOCAL`, so that programs written for either run against
    another server unedited. It never replaces that of `Environment.PRODUCTION` as an argument. `environment` defaults
    to `DIDWW_ENVIRONMENT`.

    Raises:
        DidwwClientError: `DIDWW_API_VERSION` is a version that this client does not speak.
        InvalidValueError: There is no such environment, or the address cannot be used.
    """
    version = environ.get("DIDWW_API_VERSION", "").strip()
    if version not in ("", API_VERSION):
        raise DidwwClientError(f"DIDWW_API_VERSION must be {API_VERSION} or unset, got {version!r}.")
    if environment is None:
        named = checked_environment(environ.get("DIDWW_ENVIRONMENT") or "sandbox", "DIDWW_ENVIRONMENT")
    else:
        named = checked_environment(environment)
    if base_url is not None:
        return checked_base_url(base_url)
    if environment is None or named is not Environment.PRODUCTION:
        elsewhere = environ.get("DIDWW_BASE_URL")
        if elsewhere:
            return checked_base_url(elsewhere, "DIDWW_BASE_URL")
    return named.base_url


def environment_at(base_url: str) -> Environment | None:
    """Return the environment whose API is at this address, or None."""
    return next((one for one in Environment if one.base_url == base_url), None)


def not_copied(what: str) -> DidwwClientError:
    """The error for copying what holds connections and the key."""
    return DidwwClientError(
        f"{what}: it holds connections and the API key. Make a client in each process, e.g. DidwwClient.from_env(), "
        "and hand ids or records over; for other options of the same client: client.with_options()."
    )


def checked_environment(value: str, name: str = "environment") -> Environment:
    """`value` as an environment, whatever its case.

    Args:
        value: Its name.
        name: Where it comes from, for the error.

    Raises:
        InvalidValueError: There is no such environment.
    """
    try:
        return Environment(value.strip().lower())
    except (ValueError, AttributeError):
        known = ", ".join(repr(str(member)) for member in Environment)
        raise InvalidValueError(f"{name} must be one of {known}, got {value!r}.", field=name) from None


def checked_base_url(value: str, name: str = "base_url") -> str:
    """`value` without a slash at the end.

    Args:
        value: The address.
        name: Where it comes from, for the error.

    Raises:
        InvalidValueError: It is no plain http or https address, or has a query or fragment.
    """
    url = value.strip().rstrip("/") if isinstance(value, str) else value  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
    if origin_of(url) is None or "?" in url or "#" in url:
        raise InvalidValueError(
            f"{name} must be an address like https://api.didww.com/v3: http or https, a host in ASCII letters, no "
            "user name, spaces, query or fragment.",
            field="base_url",
        )
    return url


def _checked_flag(value: bool, name: str) -> bool:  # noqa: FBT001 what it checks
    if not isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"{name} must be True or False, got {value!r}.", field=name)
    return value


def checked_timeout(value: float) -> float:
    """`value` as seconds.

    Raises:
        InvalidValueError: It is not a number above 0.
    """
    try:
        # Numbers of other libraries have `__float__`; so have truth values, which are none.
        seconds = float(value) if hasattr(value, "__float__") and truth_value(value) is None else 0.0
        if seconds > 0:
            return seconds
    except (OverflowError, ValueError, TypeError):
        pass
    raise InvalidValueError(
        f"timeout must be a number of seconds above 0, got {shown(value)}. Of a timedelta, pass its total_seconds(); "
        "didww.NO_TIMEOUT disables the deadline.",
        field="timeout",
    )


def checked_retries(value: int) -> int:
    """`value` as a number of retries.

    Raises:
        InvalidValueError: It is no whole number from 0.
    """
    whole = whole_number(value)
    if whole is None or not 0 <= whole <= 100:
        raise InvalidValueError(
            f"max_retries must be a whole number from 0 to 100, got {shown(value)}. 0 sends each request once.",
            field="max_retries",
        )
    return whole


# What the SDK says about a request itself; another value would break it or forge it.
_OWN_HEADERS = frozenset({"api-key", "authorization", "host", "content-length", "content-type", "transfer-encoding"})

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` as a dict.

    Raises:
        InvalidValueError: One of them is the SDK's own, or is none that HTTP can carry.
    """
    if not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError("headers takes a dict of names and values.", field="headers")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] the same
            raise InvalidValueError("headers takes names and values as text.", field="headers")
        if name.lower() in _OWN_HEADERS:
            raise InvalidValueError(f"headers: {name} is set by the SDK and cannot be replaced.", field="headers")
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidValueError(f"headers: {name!r} is no name of a header.", field="headers")
        if not value.isprintable() or not value.isascii() or value != value.strip():
            raise InvalidValueError(
                f"headers: the value of {name} holds characters that no header may.", field="headers"
            )
    return dict(headers)
