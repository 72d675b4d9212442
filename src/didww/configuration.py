"""The settings of a client: base URL, credentials, timeout, retries and limits.

`ApiKey` holds the API key and reveals it only in the header of a request.
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
from didww.services import SERVICES, ServiceUrls, default_urls
from didww.version import API_VERSION, API_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime

    from didww._util.urls import Origin
    from didww.rate_limit.local import Limiter
    from didww.services import Service
    from didww.version import ApiVersion

__all__ = ["DEFAULT_TIMEOUT", "NO_TIMEOUT", "ApiKey", "Configuration", "Credentials", "Environment"]

DEFAULT_RETRIES: Final = 2
"""Default maximum number of retries of a request."""

DEFAULT_TIMEOUT: Final = 60.0
"""Default timeout of a whole call in seconds."""

NO_TIMEOUT: Final = float("inf")
"""Disables the deadline. The only way to wait indefinitely."""


class Unset(enum.Enum):
    """Marks an omitted argument where None is a valid value."""

    UNSET = enum.auto()


UNSET: Final = Unset.UNSET


class Environment(enum.StrEnum):
    """The environments of the API: DIDWW's production and sandbox, and the emulator. Each has its own API keys.

    See https://doc.didww.com for DIDWW's environments and docs/how-to/emulator.md for the emulator.
    """

    PRODUCTION = "production"
    """Real numbers, real money."""
    SANDBOX = "sandbox"
    """DIDWW's hosted test environment: free, without real numbers."""
    LOCAL = "local"
    """The emulator on this machine at its default port, started by `didww emulator`."""

    @property
    def base_url(self) -> str:
        """The base URL of the API, without a trailing slash."""
        return _BASE_URLS[self]


_BASE_URLS = {
    Environment.PRODUCTION: "https://api.didww.com/v3",
    Environment.SANDBOX: "https://sandbox-api.didww.com/v3",
    Environment.LOCAL: "http://127.0.0.1:8750/v3",
}


class Credentials(Protocol):
    """Authenticates a request by adding headers."""

    def sign(self, headers: MutableMapping[str, str]) -> None:
        """Add the authentication headers to `headers`."""


class ApiKey:
    """An API key, sent in the `Api-Key` header. It never appears in repr or str and cannot be pickled.

    Surrounding white space, such as the newline of a file, is removed.

    Raises:
        DidwwClientError: The key is empty, or has characters that a header cannot contain.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str) or not value.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise DidwwClientError(
                "api_key must not be empty. Create a key in the user panel (API > API keys) and pass it as api_key=, "
                "or set DIDWW_API_KEY."
            )
        value = value.strip()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise DidwwClientError(
                "api_key must be printable ASCII without spaces, got other characters. Copy the key again."
            )
        self._value = value

    def sign(self, headers: MutableMapping[str, str]) -> None:
        """Add the `Api-Key` header."""
        headers["Api-Key"] = self._value

    def __repr__(self) -> str:
        return "ApiKey('***')"

    def __reduce__(self) -> tuple[object, ...]:
        raise DidwwClientError("An API key cannot be pickled. Create a client in each process.")


class ServerClock:
    """The server time of the latest response."""

    __slots__ = ("_date",)

    def __init__(self) -> None:
        self._date = ""

    def hear(self, headers: Mapping[str, str]) -> None:
        """Store the `Date` header of a response, if it has one."""
        self._date = headers.get("date", "") or self._date

    def time(self) -> datetime | None:
        """Return the time of the latest response, or None before the first one."""
        return http_date(self._date)


class Configuration:
    """The settings of a client. Immutable by convention: `replaced` returns a changed copy."""

    __slots__ = (
        "allow_insecure",
        "api_version",
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
        "origins",
        "server_clock",
        "service_urls",
        "timeout",
        "tracing",
    )

    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str,
        service_urls: ServiceUrls | None = None,
        api_version: ApiVersion = API_VERSION,
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
        self.api_version: ApiVersion = api_version
        self.in_progress = {} if in_progress is None else in_progress  # records being created, by type, field and value
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
        self.service_urls = self._resolved(service_urls)
        self.origins: dict[Service, Origin | None] = {service: origin_of(self.url_of(service)) for service in SERVICES}
        self.timeout = checked_timeout(timeout)
        self.headers = checked_headers(headers or {})

    def replaced(
        self,
        *,
        timeout: float | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        max_retries: int | Unset = UNSET,
    ) -> Configuration:
        """Return a copy with a different timeout or number of retries, or with more headers."""
        return Configuration(
            credentials=self.credentials,
            base_url=self.base_url,
            service_urls=self.service_urls,
            api_version=self.api_version,
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

    def url_of(self, service: Service) -> str:
        """Return the base URL of a service, without a trailing slash."""
        return self.base_url if service == "api" else str(getattr(self.service_urls, service))

    def _resolved(self, urls: ServiceUrls | None) -> ServiceUrls:
        """Return the URLs of all services, those of the environment where `urls` has none."""
        urls = ServiceUrls() if urls is None else urls
        if not isinstance(urls, ServiceUrls):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"service_urls must be ServiceUrls(token=..., ...), got {type(urls).__name__}.", field="service_urls"
            )
        resolved = ServiceUrls(
            *(
                default if url is None else checked_base_url(url, f"service_urls.{name}")
                for name, url, default in zip(urls._fields, urls, default_urls(self.base_url), strict=True)
            )
        )
        for name, url in zip(resolved._fields, resolved, strict=True):
            self.check_secure(str(url), f"service_urls.{name}")
        return resolved

    def check_secure(self, url: str, name: str) -> None:
        """Reject a URL that would send the API key or call records over a network without encryption.

        Raises:
            InvalidValueError: `url` is http to a host other than this machine, and `allow_insecure` is not set. The
                message calls it `name`.
        """
        origin = origin_of(url)
        if origin is not None and origin.scheme == "http" and not self.allow_insecure and not is_loopback(origin.host):
            raise InvalidValueError(
                f"{name} must be an https URL, got {origin}: http would expose the API key and the data to the "
                "network. Only this machine (127.0.0.1, ::1, localhost) is exempt. In a trusted private network, pass "
                "allow_insecure=True to the client.",
                field=name,
            )

    def __repr__(self) -> str:
        return f"Configuration(base_url={self.base_url!r}, timeout={self.timeout:g}, credentials={self.credentials!r})"


def api_key_from(argument: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the API key: the argument, or `DIDWW_API_KEY`.

    Raises:
        DidwwClientError: Neither is set.
    """
    key = environ.get("DIDWW_API_KEY", "") if argument is None else argument
    if argument is None and not key.strip():
        from didww._util.shells import set_variable

        raise DidwwClientError(
            "api_key must be set, but api_key= was not passed and DIDWW_API_KEY is not set. Pass api_key=, or set the "
            f"variable: {set_variable('DIDWW_API_KEY', '...')} (any key, such as local-key, for the emulator)."
        )
    return key


def base_url_from(
    base_url: str | None, environment: Environment | str | None, environ: Mapping[str, str] = os.environ
) -> str:
    """Return the base URL of the API: `base_url`, or else that of the environment.

    `environment` defaults to `DIDWW_ENVIRONMENT`. `DIDWW_BASE_URL` overrides the URL of the environment, so that a
    program can run against another server without changes, but never that of an explicit `Environment.PRODUCTION`.

    Raises:
        InvalidValueError: The environment does not exist, or the URL is not valid.
    """
    if environment is None:
        selected = checked_environment(environ.get("DIDWW_ENVIRONMENT") or "sandbox", "DIDWW_ENVIRONMENT")
    else:
        selected = checked_environment(environment)
    if base_url is not None:
        return checked_base_url(base_url)
    if environment is None or selected is not Environment.PRODUCTION:
        override = environ.get("DIDWW_BASE_URL")
        if override:
            return checked_base_url(override, "DIDWW_BASE_URL")
    return selected.base_url


_SERVICE_VARIABLES: Final[Mapping[str, str]] = {
    "token": "DIDWW_TOKEN_URL",
    "voice_in_prices": "DIDWW_VOICE_IN_PRICES_URL",
    "voice_out_prices": "DIDWW_VOICE_OUT_PRICES_URL",
    "sms_prices": "DIDWW_SMS_PRICES_URL",
}


def service_urls_from(
    service_urls: ServiceUrls | None,
    base_url: str | None,
    environment: Environment | str | None,
    environ: Mapping[str, str] = os.environ,
) -> ServiceUrls:
    """Return the URLs of the other services: those of `service_urls`, or else of their environment variables.

    The variables apply where `DIDWW_BASE_URL` does: not to a client with `base_url` or an explicit
    `Environment.PRODUCTION`.

    Raises:
        InvalidValueError: A URL is not valid.
    """
    urls = ServiceUrls() if service_urls is None else service_urls
    production = environment is not None and checked_environment(environment) is Environment.PRODUCTION
    if base_url is not None or production or not isinstance(urls, ServiceUrls):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        return urls
    variables = {
        name: checked_base_url(value, variable)
        for name, variable in _SERVICE_VARIABLES.items()
        if getattr(urls, name) is None and (value := environ.get(variable, "").strip())
    }
    return urls._replace(**variables)


def api_version_from(argument: str | None, environ: Mapping[str, str] = os.environ) -> ApiVersion:
    """Return the API version: the argument, or `DIDWW_API_VERSION`, or the default.

    Raises:
        InvalidValueError: The version is not supported.
    """
    name = "api_version" if argument is not None else "DIDWW_API_VERSION"
    value = argument if argument is not None else environ.get("DIDWW_API_VERSION", "").strip() or API_VERSION
    for version in API_VERSIONS:
        if value == version:
            return version
    known = " or ".join(repr(version) for version in API_VERSIONS)
    raise InvalidValueError(f"{name} must be {known}, got {shown(value)}.", field=name)


def environment_at(base_url: str) -> Environment | None:
    """Return the environment with this base URL, or None."""
    return next((environment for environment in Environment if environment.base_url == base_url), None)


def not_copied(what: str) -> DidwwClientError:
    """Return the error for copying an object that holds connections and the API key."""
    return DidwwClientError(
        f"{what}: it holds connections and the API key. Create a client in each process, such as "
        "DidwwClient.from_env(), and pass ids or records instead. To change options, use client.with_options()."
    )


def checked_environment(value: str, name: str = "environment") -> Environment:
    """Return the environment named `value`, ignoring case.

    Args:
        value: The name of the environment.
        name: The name of the argument or variable, for the error.

    Raises:
        InvalidValueError: The environment does not exist.
    """
    try:
        return Environment(value.strip().lower())
    except (ValueError, AttributeError):
        known = ", ".join(repr(str(member)) for member in Environment)
        raise InvalidValueError(f"{name} must be one of {known}, got {value!r}.", field=name) from None


def checked_base_url(value: str, name: str = "base_url") -> str:
    """Return `value` without a trailing slash.

    Args:
        value: The URL.
        name: The name of the argument or variable, for the error.

    Raises:
        InvalidValueError: `value` is not an http or https URL, or has a user name, query or fragment.
    """
    url = value.strip().rstrip("/") if isinstance(value, str) else value  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
    if origin_of(url) is None or "?" in url or "#" in url:
        if isinstance(url, str) and "://" not in url and origin_of(f"http://{url}") is not None:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            scheme = "http" if is_loopback(url.partition("/")[0].rpartition(":")[0] or url) else "https"
            raise InvalidValueError(
                f"{name} must start with http:// or https://, got {url!r}. Did you mean {scheme}://{url}?",
                field="base_url",
            )
        raise InvalidValueError(
            f"{name} must be a URL such as https://api.didww.com/v3: http or https, an ASCII host name, and no user "
            "name, spaces, query or fragment.",
            field="base_url",
        )
    return url


def _checked_flag(value: bool, name: str) -> bool:  # noqa: FBT001 the value to check
    if not isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"{name} must be True or False, got {value!r}.", field=name)
    return value


def checked_timeout(value: float) -> float:
    """Return `value` as seconds.

    Raises:
        InvalidValueError: `value` is not a number above 0.
    """
    try:
        # Numbers of other libraries have `__float__`, but so have booleans.
        seconds = float(value) if hasattr(value, "__float__") and truth_value(value) is None else 0.0
        if seconds > 0:
            return seconds
    except (OverflowError, ValueError, TypeError):
        pass
    raise InvalidValueError(
        f"timeout must be a number of seconds above 0, got {shown(value)}. Pass total_seconds() of a timedelta, or "
        "didww.NO_TIMEOUT to disable the deadline.",
        field="timeout",
    )


def checked_retries(value: int) -> int:
    """Return `value` as a number of retries.

    Raises:
        InvalidValueError: `value` is not a whole number from 0 to 100.
    """
    whole = whole_number(value)
    if whole is None or not 0 <= whole <= 100:
        raise InvalidValueError(
            f"max_retries must be a whole number from 0 to 100, got {shown(value)}. 0 disables retries.",
            field="max_retries",
        )
    return whole


# Headers that only the SDK may set.
_OWN_HEADERS = frozenset({"api-key", "authorization", "host", "content-length", "content-type", "transfer-encoding"})

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` as a dict.

    Raises:
        InvalidValueError: A header is reserved for the SDK, or is not valid in HTTP.
    """
    if not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(
            f"headers must be a dict of names and values, got {type(headers).__name__}.", field="headers"
        )
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] the same
            raise InvalidValueError(
                f"headers must have text as names and values, got {type(name).__name__} and {type(value).__name__}.",
                field="headers",
            )
        if name.lower() in _OWN_HEADERS:
            raise InvalidValueError(f"headers must not set {name}, which the SDK sets. Remove it.", field="headers")
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidValueError(f"headers must have valid header names, got {name!r}.", field="headers")
        if not value.isprintable() or not value.isascii() or value != value.strip():
            raise InvalidValueError(
                f"headers must have printable ASCII values without surrounding spaces; that of {name} is not.",
                field="headers",
            )
    return dict(headers)
