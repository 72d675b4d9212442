"""Profiles: API keys, environments and API versions by name, in a file that only the user can read.

What is used: the options of the command line; then a profile that is named (`--profile`, `DIDWW_PROFILE`); then the
environment variables of the client; then the profile `default`.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from didww.cli import key_store
from didww.cli.messages import say
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww.cli.session import Settings
    from didww.version import ApiVersion

__all__ = [
    "FULL",
    "PLACE",
    "READ_ONLY",
    "Account",
    "Version",
    "account",
    "account_options",
    "check_name",
    "client_url",
    "delete",
    "is_private",
    "is_read_only",
    "names",
    "profile_file",
    "read",
    "store",
    "used",
    "used_name",
    "version",
    "version_in_words",
]

DEFAULT: Final = "default"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
PLACE: Final = ("environment", "base_url")
"""The fields of a profile that say where the account is. It has one of them."""
FULL: Final = "full"
READ_ONLY: Final = "read"
"""The scope of a profile that must not change anything."""


class Account(NamedTuple):
    """What the client is created with.

    Attributes:
        options: The arguments of the client.
        key_from: Where the key is from, for people.
        place_from: Where the environment or URL is from, for people.
    """

    options: dict[str, Any]
    key_from: str
    place_from: str

    def __repr__(self) -> str:
        return f"Account(key_from={self.key_from!r}, place_from={self.place_from!r})"  # without the key


class Version(NamedTuple):
    """The API version that a command uses, and where it is from, for people."""

    value: ApiVersion
    source: str


def profile_file() -> Path:
    """Return the file of the profiles."""
    import platformdirs

    return Path(
        os.environ.get("DIDWW_CONFIG_FILE")
        or Path(platformdirs.user_config_dir("didww", appauthor=False)) / "profiles.ini"
    )


def read() -> configparser.ConfigParser:
    """Return the profiles.

    Raises:
        ClickException: The file cannot be read.
    """
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    path = profile_file()
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise click.ClickException(f"{path} cannot be read: it is not a regular file.")
        parser.read_string(path.read_text(encoding="utf-8-sig"), source=str(path))
    except (FileNotFoundError, NotADirectoryError):
        return parser
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from None
    except (configparser.Error, UnicodeDecodeError) as error:  # without the line, which may have a key
        raise click.ClickException(
            f"{path}, line {_line(error)}: this is not a profile file. Correct the line, or remove the file and log in "
            "to each profile again."
        ) from None
    return parser


def _line(error: Exception) -> int:
    """Return the line of an error in the file."""
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    return getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), 1)


def is_private() -> bool:
    """Return whether only the user can read the file of the profiles."""
    path = profile_file()
    return os.name != "posix" or not path.exists() or not stat.S_IMODE(path.stat().st_mode) & 0o077


def _warn_if_public(name: str, parser: configparser.ConfigParser) -> None:
    if parser.has_option(name, "api_key") and not is_private():
        path = profile_file()
        say(f"Warning: others can read {path}, which has API keys. Run: {shlex.join(['chmod', '600', str(path)])}")


def names(parser: configparser.ConfigParser) -> str:
    """Return the names of the profiles as text."""
    return ", ".join(parser.sections()) or "none"


def _write(parser: configparser.ConfigParser) -> None:
    """Replace the file at once, so that it is complete at each moment and only the user can ever read it."""
    path = profile_file()
    if path.is_symlink():
        raise click.ClickException(
            f"{path} is a symbolic link and was not written. Set DIDWW_CONFIG_FILE to the file itself."
        )
    scratch: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, scratch = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            parser.write(file)
        Path(scratch).replace(path)
        scratch = None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)


def check_name(name: str) -> str:
    """Return the name of a profile.

    Raises:
        InvalidValueError: It cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise InvalidValueError(
            f"The name of a profile must be up to 64 letters, digits, dots, dashes and underscores, got {name!r:.80}.",
            field="profile",
        )
    return name


def account_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of the client.

    Raises:
        UsageError: There is no API key.
    """
    chosen = account(settings)
    if settings.profile is not None:
        _warn_if_public(settings.profile, read())
    if not chosen.key_from:
        raise click.UsageError(
            "There is no API key. Run didww login, or set DIDWW_API_KEY. Without an account, try didww --emulator."
        )
    return chosen.options


def account(settings: Settings) -> Account:
    """Return what the client is created with. The name of the profile is stored in `settings`.

    Raises:
        InvalidValueError: There is no such profile, or it has no key.
    """
    variable = bool(os.environ.get("DIDWW_API_KEY", "").strip())
    place, place_from = _place(settings)
    if settings.profile is None and variable:
        return Account(place, "DIDWW_API_KEY", place_from)
    parser = read()
    name = settings.profile or DEFAULT
    if not parser.has_section(name):
        if settings.profile is None:
            return Account(place, "", place_from)
        raise InvalidValueError(
            f"There is no profile {name!r:.80}. Profiles: {names(parser)}. Make one: didww login --profile NAME.",
            field="profile",
        )
    section = parser[name]
    key = section.get("api_key") or key_store.read(_user(name))
    if key is None:
        raise InvalidValueError(
            f"The profile {name!r} has no API key any more. Run: didww login --profile {name}.", field="profile"
        )
    stored = {field: section[field] for field in PLACE if section.get(field)}
    by_variable = settings.profile is None and bool(_place_variable())
    settings.client_version = version(settings)  # before the name hides that it was not given
    settings.profile = name
    if stored and not place and not by_variable:
        place, place_from = _url(stored), f"profile {name}"
    stored_scope = _scope(name, section.get("scope", ""))
    scope = {} if stored_scope == FULL else {"scope": stored_scope}
    return Account({"api_key": key, **place, **scope}, f"profile {name}", place_from)


def version(settings: Settings) -> Version:
    """Return the API version: that of the option, a profile that is named, the variable, or the profile `default`.

    Raises:
        InvalidValueError: It is not supported.
    """
    from didww.configuration import api_version_from

    if settings.client_version is not None:
        return settings.client_version
    if settings.api_version is not None:
        return Version(api_version_from(settings.api_version), "--api-version")
    by_variable = api_version_from(None)  # checked even if a profile comes before it
    variable, stored = _variable(), _stored_version(settings)
    if stored and (settings.profile is not None or not variable):
        name = str(used_name(settings))
        return Version(_known(stored, name), f"profile {name}")
    return Version(by_variable, "DIDWW_API_VERSION" if variable else "the default")


def version_in_words(settings: Settings) -> str:
    """Return the API version that commands use, where it is from, and what it comes before."""
    value, source = version(settings)
    profile = f"that of profile {used_name(settings)}"
    others = {"DIDWW_API_VERSION": _variable(), profile: _stored_version(settings)}
    passed_over = [f"{name} ({other})" for name, other in others.items() if other not in ("", value)]
    return f"{value}, from {source}" + (f", which comes before {' and '.join(passed_over)}" if passed_over else "")


def _variable() -> str:
    return os.environ.get("DIDWW_API_VERSION", "").strip()


def _stored_version(settings: Settings) -> str:
    """Return the API version of the profile in use; empty if there is none."""
    name = None if settings.emulated else used_name(settings)
    return "" if name is None else read().get(name, "api_version", fallback="")


def _known(text: str, name: str) -> ApiVersion:
    from didww.version import API_VERSIONS

    for known in API_VERSIONS:
        if text == known:
            return known
    raise InvalidValueError(
        f"The profile {name!r} has the API version {text!r:.80}, which is not one of {', '.join(API_VERSIONS)}. "
        f"Log in again: didww login --profile {name}.",
        field="api_version",
    )


def _scope(name: str, text: str) -> str:
    """Return the scope of a profile.

    Raises:
        InvalidValueError: It is not valid.
    """
    from didww.credentials import is_scope

    if not text:
        return FULL
    if not is_scope(text):
        raise InvalidValueError(
            f"The profile {name!r} has the scope {text!r:.80}, which is not valid. Log in again: didww login --profile "
            f"{name}.",
            field="scope",
        )
    return text


def is_read_only(settings: Settings) -> bool:
    """Return whether the profile in use must not change anything."""
    name = None if settings.emulated else used_name(settings)
    return name is not None and _scope(name, read().get(name, "scope", fallback="")) != FULL


def _place(settings: Settings) -> tuple[dict[str, str], str]:
    """Return the base URL that the options name, and where it is from otherwise."""
    if settings.base_url:
        return {"base_url": settings.base_url}, "--base-url"
    if settings.environment:
        return _url({"environment": settings.environment}), "--environment"
    return {}, _place_variable() or "the default"


def _place_variable() -> str:
    return next((name for name in ("DIDWW_BASE_URL", "DIDWW_ENVIRONMENT") if os.environ.get(name)), "")


def _url(place: dict[str, str]) -> dict[str, str]:
    """Return a place as a base URL, so that DIDWW_BASE_URL does not replace what was chosen."""
    return {"base_url": client_url(place)}


def client_url(place: dict[str, str]) -> str:
    """Return the base URL of `environment` or `base_url`."""
    from didww.configuration import checked_environment

    return place.get("base_url") or checked_environment(place["environment"]).base_url


def used_name(settings: Settings) -> str | None:
    """Return the name of the profile that commands use, whether or not it exists; None if they use another key."""
    variable = bool(os.environ.get("DIDWW_API_KEY", "").strip())
    return settings.profile or (None if variable else DEFAULT)


def used(settings: Settings) -> tuple[configparser.ConfigParser, str | None]:
    """Return the profiles, and the name of the one that commands use; None if they use another key."""
    return read(), used_name(settings)


def _user(name: str) -> str:
    """Return the name of a key in the key store: profiles of several files are kept apart."""
    return f"{name} in {profile_file()}"


def store(name: str, key: str, place: dict[str, str], *, in_file: bool) -> str:
    """Store a profile and return where its key is.

    Args:
        name: Name of the profile.
        key: The API key.
        place: `environment` or `base_url`, `api_version`, and `scope` if it is not everything.
        in_file: Whether to store the key in the file even if there is a key store.
    """
    parser = read()
    parser[check_name(name)] = place
    kept = not in_file and key_store.write(_user(name), key)
    if not kept:
        key_store.delete(_user(name))
        parser[name]["api_key"] = key
    _write(parser)
    return "the system's key store" if kept else str(profile_file())


def delete(name: str) -> bool:
    """Delete a profile and its key; return False if the key store still has the key.

    Raises:
        InvalidValueError: There is no such profile.
    """
    parser = read()
    if not parser.remove_section(name):
        raise InvalidValueError(f"There is no profile {name!r:.80}. Profiles: {names(parser)}.", field="profile")
    _write(parser)
    return key_store.delete(_user(name))
