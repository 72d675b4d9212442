"""The settings of a client: base URL, credentials, timeout, retries and limits."""

from __future__ import annotations

import enum
import os
import random
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from didww._util.coerce import truth_value, whole_number
from didww._util.datetimes import http_date
from didww._util.text import shown
from didww._util.urls import is_loopback, origin_of, path_of
from didww.credentials import ApiKey, BearerToken, Credentials, TokenProvider, narrowed
from didww.exceptions import DidwwClientError, InvalidValueError
from didww.rate_limit.local import Budget
from didww.services import SERVICES, ServiceUrls, _default_urls
from didww.version import API_VERSION, API_VERSIONS, TOKENS_SINCE

if TYPE_CHECKING:
    from collections.abc import Callable
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


VERSION_HEADER: Final = "X-DIDWW-API-Version"
"""The header with the API version of a request with an API key."""


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


class ServerClock:
    """The server time of the latest response."""

    __slots__ = ("_date",)

    def __init__(self) -> None:
        self._date = ""

    def update(self, headers: Mapping[str, str]) -> None:
        """Store the `Date` header of a response, if it has one."""
        self._date = headers.get("date", "") or self._date

    def time(self) -> datetime | None:
        """Return the time of the latest response, or None before the first one."""
        return http_date(self._date)


class VersionCheck:
    """Whether the API version of the service was compared with that of a client and its copies."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False


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
        "key",
        "limiter",
        "max_retries",
        "observers",
        "origin",
        "origins",
        "own_headers",
        "read_only",
        "scope",
        "server_clock",
        "service_urls",
        "timeout",
        "tokens",
        "tracing",
        "version_check",
        "version_header",
    )

    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str,
        service_urls: ServiceUrls | None = None,
        api_version: ApiVersion = API_VERSION,
        scope: str | None = None,
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
        check_credentials(credentials, api_version)
        self.credentials = credentials
        self.key = credentials if isinstance(credentials, ApiKey) else None
        self.api_version: ApiVersion = api_version
        self.tokens = api_version >= TOKENS_SINCE
        # The version of a request with a token is that of the token.
        self.version_header = {} if self.key is None else {VERSION_HEADER: str(api_version)}
        self.version_check = VersionCheck()
        provided = credentials.scope if isinstance(credentials, TokenProvider) else "full"
        self.scope = narrowed(provided, scope)
        self.read_only = self.scope != "full"
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
        self.origins: dict[Service, Origin | None] = {"api": self.origin}
        if self.tokens:
            self.origins |= {service: origin_of(self.url_of(service)) for service in SERVICES[1:]}
        self.timeout = checked_timeout(timeout)
        self.headers = self._checked(headers or {})
        self.own_headers = {**self.version_header, **self.headers}

    def replaced(
        self,
        *,
        timeout: float | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        max_retries: int | Unset = UNSET,
        limited: bool = True,
    ) -> Configuration:
        """Return a copy with a different timeout or number of retries, with more headers, or without rate limit."""
        copy = object.__new__(Configuration)
        for name in Configuration.__slots__:
            setattr(copy, name, getattr(self, name))
        if not isinstance(timeout, Unset):
            copy.timeout = checked_timeout(timeout)
        if not isinstance(max_retries, Unset):
            copy.max_retries = checked_retries(max_retries)
        if not limited:
            copy.limiter = None
        if headers:
            copy.headers = {**self.headers, **self._checked(headers)}
            copy.own_headers = {**self.version_header, **copy.headers}
        return copy

    def url_of(self, service: Service) -> str:
        """Return the base URL of a service, without a trailing slash."""
        return self.base_url if service == "api" else str(getattr(self.service_urls, service))

    def has_origin(self, url: str, service: Service) -> bool:
        """Return whether `url` has the origin of a service, so that it may get the credentials."""
        origin = origin_of(url)
        return origin is not None and origin == self.origins.get(service)

    def _resolved(self, urls: ServiceUrls | None) -> ServiceUrls:
        """Return the URLs of all services, those of the environment where `urls` has none.

        API versions without tokens have no other services, and need no defaults.
        """
        urls = ServiceUrls() if urls is None else urls
        if not isinstance(urls, ServiceUrls):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"service_urls must be ServiceUrls(token=..., ...), got {type(urls).__name__}.", field="service_urls"
            )
        given = {
            name: checked_service_url(url, name)
            for name, url in zip(urls._fields, urls, strict=True)
            if url is not None
        }
        for name, url in given.items():
            self.check_secure(url, f"service_urls.{name}")
        return _default_urls(self.base_url)._replace(**given) if self.tokens else urls._replace(**given)

    def _checked(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return more headers of all requests.

        Raises:
            InvalidValueError: A header is not valid, or states a version, which only the token does.
        """
        checked = checked_headers(headers)
        if self.tokens and any(name.lower() == VERSION_HEADER.lower() for name in checked):
            raise InvalidValueError(
                f"headers must not set {VERSION_HEADER}, as the version is that of the token. Pass api_version=.",
                field="headers",
            )
        return checked

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


def credentials_from(
    api_key: str | None,
    credentials: Credentials | None,
    api_version: ApiVersion,
    environ: Mapping[str, str] = os.environ,
) -> Credentials:
    """Return the credentials of a client: the argument, or those for the API key, in the form of the API version.

    Raises:
        DidwwClientError: There is no key, or both arguments are passed.
    """
    if credentials is None:
        key = api_key_from(api_key, environ)
        return TokenProvider(key) if api_version >= TOKENS_SINCE else ApiKey(key)
    if api_key is not None:
        raise InvalidValueError(
            "api_key= and credentials= must not both be passed. Omit api_key= to use the credentials.",
            field="credentials",
        )
    return credentials


def check_credentials(credentials: object, api_version: ApiVersion) -> None:
    """Check that the service accepts these credentials in this version of the API.

    Raises:
        InvalidValueError: It does not.
    """
    if not isinstance(credentials, (ApiKey, TokenProvider, BearerToken)):
        raise InvalidValueError(
            "credentials must be an ApiKey, a TokenProvider or a BearerToken, got "
            f"{type(credentials).__name__}. To pass an API key as text, use api_key=.",
            field="credentials",
        )
    tokens = api_version >= TOKENS_SINCE
    if isinstance(credentials, ApiKey) and tokens:
        raise InvalidValueError(
            f"credentials must be a TokenProvider or a BearerToken with api_version={api_version!r}, which refuses API "
            "keys, got an ApiKey. Pass the key as api_key=, or use TokenProvider(key).",
            field="credentials",
        )
    if not isinstance(credentials, ApiKey) and not tokens:
        raise InvalidValueError(
            f"credentials must be an ApiKey with api_version={api_version!r}, which takes no tokens, got a "
            f"{type(credentials).__name__}. Pass api_version={TOKENS_SINCE!r}, or use ApiKey(key).",
            field="credentials",
        )


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
    api_version: ApiVersion,
    environ: Mapping[str, str] = os.environ,
) -> ServiceUrls:
    """Return the URLs of the other services: those of `service_urls`, or else of their environment variables.

    The variables apply where `DIDWW_BASE_URL` does: not to a client with `base_url` or an explicit
    `Environment.PRODUCTION`. API versions without tokens do not use them.

    Raises:
        InvalidValueError: A URL is not valid.
    """
    urls = ServiceUrls() if service_urls is None else service_urls
    production = environment is not None and checked_environment(environment) is Environment.PRODUCTION
    other = base_url is not None or production or api_version < TOKENS_SINCE
    if other or not isinstance(urls, ServiceUrls):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        return urls
    variables = {
        name: checked_service_url(value, name, variable)
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
    """Return the error for copying an object that holds connections and credentials."""
    return DidwwClientError(
        f"{what}: it holds connections and credentials. Create a client in each process, such as "
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


def checked_service_url(value: str, service: str, variable: str = "") -> str:
    """Return the URL of a service, which has the name `service` in `ServiceUrls`, without a trailing slash.

    Raises:
        InvalidValueError: It is not valid; the message names `variable` if it is from there.
    """
    example = str(getattr(_default_urls(Environment.PRODUCTION.base_url), service))
    name = f"service_urls.{service}"
    url = checked_base_url(value, variable or name, example, name)
    if service == "token" and not path_of(url).strip("/"):
        raise InvalidValueError(f"{variable or name} must have a path, as in {example}, got {url!r}.", field=name)
    return url


def checked_base_url(
    value: str, name: str = "base_url", example: str = "https://api.didww.com/v3", field: str = "base_url"
) -> str:
    """Return `value` without a trailing slash.

    Args:
        value: The URL.
        name: The name of the argument or variable, for the error.
        example: A valid URL, for the error.
        field: The name of the argument, for the error's `field`.

    Raises:
        InvalidValueError: `value` is not an http or https URL, or has a user name, query or fragment.
    """
    url = value.strip().rstrip("/") if isinstance(value, str) else value  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
    if origin_of(url) is None or "?" in url or "#" in url:
        if isinstance(url, str) and "://" not in url and origin_of(f"http://{url}") is not None:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            scheme = "http" if is_loopback(url.partition("/")[0].rpartition(":")[0] or url) else "https"
            raise InvalidValueError(
                f"{name} must start with http:// or https://, got {url!r}. Did you mean {scheme}://{url}?",
                field=field,
            )
        raise InvalidValueError(
            f"{name} must be a URL such as {example}: http or https, an ASCII host name, and no user name, spaces, "
            "query or fragment.",
            field=field,
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
