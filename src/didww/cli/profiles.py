"""Profiles: API keys and environments by name, in a file that only the user can read."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww.cli.session import Settings

__all__ = ["account_options", "delete", "profile_file", "read", "store"]

_SERVICE = "didww"


def profile_file() -> Path:
    """Return the file of the profiles."""
    import platformdirs

    return Path(
        os.environ.get("DIDWW_CONFIG_FILE")
        or Path(platformdirs.user_config_dir("didww", appauthor=False)) / "profiles.ini"
    )


def read() -> configparser.ConfigParser:
    """Return the profiles."""
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    try:
        parser.read(profile_file(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise click.ClickException(f"{profile_file()} cannot be read: {str(error).splitlines()[0]}") from None
    return parser


def _write(parser: configparser.ConfigParser) -> None:
    path = profile_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        parser.write(file)
    scratch.replace(path)


def _keyring() -> Any:
    """Return the system's key store; None if keyring is not installed or has no store here."""
    try:
        import keyring
        from keyring.backends import fail
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), fail.Keyring) else keyring


def account_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of the client: options first, then the environment, then the profile."""
    options: dict[str, Any] = {}
    if settings.environment:
        options["environment"] = settings.environment
    if settings.base_url:
        options["base_url"] = settings.base_url
    name = settings.profile or ("" if os.environ.get("DIDWW_API_KEY") else "default")
    if not name:
        return options
    parser = read()
    if not parser.has_section(name):
        if settings.profile is None:
            return options
        known = ", ".join(parser.sections()) or "none"
        raise InvalidValueError(
            f"--profile: there is no profile {name!r}. Profiles: {known}. Make one: didww login --profile {name}.",
            field="profile",
        )
    settings.profile = name
    section = parser[name]
    key = section.get("api_key")
    if key is None and (store := _keyring()) is not None:
        key = store.get_password(_SERVICE, name)
    if key is None:
        raise InvalidValueError(
            f"The profile {name!r} has no API key any more. Run: didww login --profile {name}.", field="profile"
        )
    options["api_key"] = key
    if not settings.environment and not settings.base_url and (section.get("environment") or section.get("base_url")):
        for field in ("environment", "base_url"):
            if section.get(field):
                options[field] = section[field]
    return options


def store(name: str, key: str, **place: str) -> str:
    """Store a profile and return where its key is.

    Args:
        name: Name of the profile.
        key: The API key.
        place: `environment` or `base_url`.
    """
    parser = read()
    parser[name] = place
    keyring = _keyring()
    if keyring is not None:
        keyring.set_password(_SERVICE, name, key)
    else:
        parser[name]["api_key"] = key
    _write(parser)
    return "the system's key store" if keyring is not None else str(profile_file())


def delete(name: str) -> None:
    """Delete a profile and its key.

    Raises:
        InvalidValueError: There is no such profile.
    """
    parser = read()
    if not parser.remove_section(name):
        known = ", ".join(parser.sections()) or "none"
        raise InvalidValueError(f"There is no profile {name!r}. Profiles: {known}.", field="profile")
    _write(parser)
    keyring = _keyring()
    if keyring is not None and keyring.get_password(_SERVICE, name) is not None:
        keyring.delete_password(_SERVICE, name)
