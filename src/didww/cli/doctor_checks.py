"""The checks of `didww doctor`. Each returns what it found; none raises, and one request serves several."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import ssl
import stat
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import click

from didww._core.events import ScopeDiffers
from didww._util.urls import is_loopback
from didww.exceptions import (
    ApiVersionWarning,
    AuthenticationError,
    DidwwApiError,
    DidwwError,
    PermissionDeniedError,
)
from didww.version import API_VERSIONS, TOKENS_SINCE, __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from didww import DidwwClient
    from didww._core.response import ApiResponse
    from didww.cli.profiles import Account
    from didww.cli.session import Session
    from didww.resources.balance import Balance
    from didww.version import ApiVersion

__all__ = ["OK", "PROBLEM", "WARNING", "Finding", "run_checks"]

OK: Final = "ok"
WARNING: Final = "warning"
PROBLEM: Final = "problem"

SECONDS: Final = 10.0
"""Timeout of a request."""
SLOW: Final = 3.0
MAX_SKEW: Final = 60.0

_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_VARIABLES: Final = frozenset(
    {
        "DIDWW_API_KEY",
        "DIDWW_API_VERSION",
        "DIDWW_BASE_URL",
        "DIDWW_CALLBACK_SECRET",
        "DIDWW_CONFIG_FILE",
        "DIDWW_EMULATOR_API_KEY",
        "DIDWW_EMULATOR_CALLBACK_SECRET",
        "DIDWW_ENVIRONMENT",
        "DIDWW_PROFILE",
        "DIDWW_SMS_PRICES_URL",
        "DIDWW_TOKEN_URL",
        "DIDWW_VOICE_IN_PRICES_URL",
        "DIDWW_VOICE_OUT_PRICES_URL",
    }
)
# Extra, and the distributions that it installs. Source: pyproject.toml.
EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "cli": ("click", "rich", "platformdirs", "jmespath", "pyyaml"),
    "emulator": ("uvicorn", "jinja2", "pyyaml", "click"),
    "otel": ("opentelemetry-api",),
    "redis": ("redis",),
}


class Finding(NamedTuple):
    """The result of a check.

    Attributes:
        check: What was checked.
        state: ok, warning or problem.
        finding: What was found.
        advice: What to do; empty if nothing.
    """

    check: str
    state: str
    finding: str
    advice: str = ""


def run_checks(session: Session) -> Iterator[Finding]:
    """Yield the results, those of this machine first."""
    yield _package()
    yield _other_package()
    yield _extras()
    yield from _variables()
    yield _profile_file()
    yield _emulator_file(session)
    yield _proxy()
    yield _certificates()
    yield from _account(session)


def _package() -> Finding:
    python = f"Python {platform.python_version()} on {platform.system()}"
    return Finding("package", OK, f"didww-sdk {__version__} for API {' and '.join(API_VERSIONS)}, {python}.")


def _other_package() -> Finding:
    """Both distributions install the package `didww`: files of one may replace those of the other."""
    try:
        version = importlib.metadata.version("didww")
    except importlib.metadata.PackageNotFoundError:
        return Finding("other package", OK, "DIDWW's own package is not installed, which has the same import name.")
    advice = "pip uninstall didww didww-sdk, then install didww-sdk again."
    return Finding("other package", PROBLEM, f"DIDWW's own package, didww {version}, is installed too.", advice)


def _extras() -> Finding:
    present = [name for name, needed in EXTRAS.items() if all(map(_installed, needed))]
    absent = [name for name in EXTRAS if name not in present]
    store = "Keyring is installed" if _installed("keyring") else "Keyring is not installed: keys are kept in a file"
    more = f" Not installed: {', '.join(absent)}." if absent else ""
    return Finding("extras", OK, f"Installed: {', '.join(present) or 'none'}.{more} {store}.")


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _variables() -> Iterator[Finding]:
    """Report variables that nothing reads."""
    from didww._util.suggest import did_you_mean

    for name in sorted(os.environ):
        if name.startswith("DIDWW_") and name not in _VARIABLES:
            yield Finding(
                "environment variables",
                WARNING,
                f"{name} is set, but nothing reads it.",
                did_you_mean(name, _VARIABLES).strip(),
            )


def _profile_file() -> Finding:
    from didww.cli.profiles import names, profile_file, read

    path, check = profile_file(), "profile file"
    try:
        parser = read()
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
    except click.ClickException as error:
        return Finding(check, PROBLEM, error.format_message())
    except OSError as error:
        return Finding(check, PROBLEM, f"{path} cannot be read: {error.strerror}.")
    if not parser.sections():
        return Finding(check, OK, "There are no profiles.")
    if os.name == "posix" and mode & 0o077:
        return Finding(check, WARNING, f"Other users can read {path} (mode {mode:04o}).", f"chmod 600 {path}")
    return Finding(check, OK, f"{path}, profiles: {names(parser)}.")


def _emulator_file(session: Session) -> Finding:
    from didww.cli.emulator_file import emulator_path, fault_of

    path, check = emulator_path(session.settings.emulator_file), "emulator file"
    try:
        if not path.exists():
            return Finding(check, OK, f"None yet; --emulator creates {path}.")
        if fault := fault_of(path):
            return Finding(check, PROBLEM, fault, "Remove it, or pass --emulator-file.")
        if not os.access(path, os.W_OK):
            return Finding(check, PROBLEM, f"{path} is not writable.", "Make it writable, or pass --emulator-file.")
        return Finding(check, OK, f"{path}, {path.stat().st_size // 1024} KB.")
    except OSError as error:
        return Finding(check, PROBLEM, f"{path} cannot be read: {error.strerror}.", "Pass --emulator-file.")


def _proxy() -> Finding:
    found = {
        name: value
        for upper in (*_PROXIES, "NO_PROXY")
        for name in (upper, upper.lower())
        if (value := os.environ.get(name))
    }
    if not any(name.upper() in _PROXIES for name in found):
        return Finding("proxy", OK, "None.")
    shown = ", ".join(f"{name}={_without_credentials(value)}" for name, value in found.items())
    return Finding("proxy", OK, f"{shown}. Not used for this machine itself.")


def _without_credentials(url: str) -> str:
    return re.sub(r"^([a-z0-9+.-]*://)?[^/@]*@", r"\1***@", url, flags=re.IGNORECASE)


def _certificates() -> Finding:
    from didww.transport import certificates

    files = certificates.from_environment()
    if problem := certificates.fault(files):
        return Finding("certificates", PROBLEM, f"{problem}.", "Correct the variable, or unset it.")
    if files:
        return Finding("certificates", OK, ", ".join(f"{file.setting}={file.path}" for file in files) + ".")
    if platform.system() in ("Windows", "Darwin"):
        return Finding("certificates", OK, "Those of the system.")
    import httpx2

    paths = ssl.get_default_verify_paths()
    if not httpx2.create_ssl_context().cert_store_stats()["x509_ca"] and not Path(paths.openssl_capath).is_dir():
        advice = "Install the certificates of the system (ca-certificates), or set SSL_CERT_FILE."
        return Finding("certificates", PROBLEM, f"There are none at {paths.openssl_cafile}.", advice)
    return Finding("certificates", OK, "Those of the system.")


# The account and the service


def _account(session: Session) -> Iterator[Finding]:
    from didww.cli.profiles import account, version

    try:
        version(session.settings)
    except (DidwwError, click.ClickException) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        yield Finding("API version", PROBLEM, text)
        return
    if session.emulated:
        yield Finding("API key", OK, "The emulator needs none.")
        yield from _service(session, None)
        return
    try:
        chosen = account(session.settings)
        if not chosen.key_from:
            advice = "didww login, or set DIDWW_API_KEY. Without an account: didww --emulator."
            yield Finding("API key", PROBLEM, "None: there is no profile, and DIDWW_API_KEY is not set.", advice)
            return
        client = session.client
    except (DidwwError, click.ClickException) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        yield Finding("API key", PROBLEM, text, "didww login; see also: didww profiles.")
        return
    environment = f"{client.environment}, " if client.environment is not None else ""
    yield Finding("environment", OK, f"{environment}{client.base_url}, from {chosen.place_from}.")
    yield from _service(session, chosen)


def _service(session: Session, chosen: Account | None) -> Iterator[Finding]:
    """Check connection, key, token, API version and clock with one request, before which a token may be requested."""
    client: DidwwClient = session.client.with_options(max_retries=0, timeout=session.settings.timeout or SECONDS)
    scopes: list[ScopeDiffers] = []
    configuration = client._configuration
    configuration.observers = (*configuration.observers, (ScopeDiffers, scopes.append))
    source = "" if chosen is None else f", from {chosen.key_from}"
    only = " The profile can only read." if chosen is not None and "scope" in chosen.options else ""
    started = time.monotonic()
    response: ApiResponse[Balance] | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ApiVersionWarning)  # it is a finding
            response = client.balance().find()
        key = Finding("API key", OK, f"Accepted{source}.{only}")
    except PermissionDeniedError:
        key = Finding("API key", OK, f"Accepted{source}; it may not read the balance.")
    except AuthenticationError:
        key = Finding("API key", PROBLEM, f"Refused{source}.", _why_refused(session, chosen))
    except DidwwApiError as error:
        yield Finding(_part(error), PROBLEM, str(error), "Try again later.")
        return
    except DidwwError as error:
        here = is_loopback(urlsplit(client.base_url).hostname or "")
        advice = "" if here else "Is this machine online? See also: proxy and certificates."
        yield Finding(_part(error), PROBLEM, str(error), advice)
        return
    yield _latency(time.monotonic() - started)
    if chosen is not None:
        yield key
        yield _clock(session)
    if response is not None:
        yield from _token(session, scopes)
        yield _api_version(session, response.api_version)


def _part(error: DidwwError) -> str:
    """Return what an error is about: the connection to the token service, or to the API."""
    return "token service" if error._unsent else "connection"


def _token(session: Session, scopes: Sequence[ScopeDiffers]) -> Iterator[Finding]:
    """Report the token that was issued, if the API version has tokens."""
    configuration = session.client._configuration
    if session.settings.version < TOKENS_SINCE:
        return
    url = configuration.service_urls.token
    if not scopes:
        yield Finding("token service", OK, f"{url} issued a token with the scope {configuration.scope}.")
        return
    text = f"{url} issued a token with the scope {scopes[-1].granted}, not {scopes[-1].requested}."
    yield Finding("token service", WARNING, text, "Commands of a read-only profile refuse changes nevertheless.")


def _latency(seconds: float) -> Finding:
    text = f"The first response took {seconds * 1000:.0f} ms."
    return Finding(
        "connection",
        OK if seconds < SLOW else WARNING,
        text,
        "" if seconds < SLOW else "Check the network and the proxy.",
    )


def _api_version(session: Session, spoken: str | None) -> Finding:
    from didww.cli.profiles import version, version_in_words

    value, source = version(session.settings)
    if spoken == value:
        return Finding("API version", OK, f"{version_in_words(session.settings)}.")
    text = f"The service uses {spoken or 'an unknown version'}, not {value}, which is from {source}."
    advice = "Set the API version of the account in the user panel, or update didww-sdk."
    if spoken in API_VERSIONS:
        advice = f"Pass --api-version {spoken}, or log in again with it."
    return Finding("API version", WARNING, text, advice)


def _clock(session: Session) -> Finding:
    server = session.client.server_time
    if server is None:
        return Finding("clock", OK, "The service did not say its time.")
    skew = (datetime.now(UTC) - server).total_seconds()
    if abs(skew) < MAX_SKEW:
        return Finding("clock", OK, f"Within {max(1, round(abs(skew)))} s of the service's.")
    direction = "ahead of" if skew > 0 else "behind"
    text = f"The clock of this machine is {abs(skew):.0f} s {direction} that of the service."
    return Finding("clock", WARNING, text, "Synchronize it. If the service is an emulator, its clock may be shifted.")


def _why_refused(session: Session, chosen: Account | None) -> str:
    """Return advice for a key that was refused.

    The account may have moved to another API version, or the key may belong to the other environment of DIDWW.
    """
    from didww import Environment

    other = {Environment.PRODUCTION: Environment.SANDBOX, Environment.SANDBOX: Environment.PRODUCTION}.get(
        session.client.environment
    )
    advice = "Copy the key again: user panel, API, API keys. Sandbox and production have separate keys."
    if chosen is None:
        return advice
    version = session.settings.version
    if version < TOKENS_SINCE and _accepted(chosen, session.client.base_url, TOKENS_SINCE):
        return (
            f"The account has moved to API version {TOKENS_SINCE}, where requests need a token, not the key: pass "
            f"--api-version {TOKENS_SINCE}, or log in again with it."
        )
    if other is not None and _accepted(chosen, other.base_url, version):
        return f"The key belongs to {other}: pass --environment {other}, or log in again."
    return advice


def _accepted(chosen: Account, base_url: str, version: ApiVersion) -> bool:
    """Return whether a service accepts the key in an API version."""
    from didww import DidwwClient

    try:
        with DidwwClient(
            chosen.options.get("api_key"), base_url=base_url, api_version=version, timeout=SECONDS, max_retries=0
        ) as client:
            client.balance().find()
    except PermissionDeniedError:
        pass
    except DidwwError:
        return False
    return True
