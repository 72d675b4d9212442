"""`didww login`, `logout` and `profiles`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli.framework import Command
from didww.version import API_VERSION

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["login", "logout", "profiles"]

_WORDS: Final = {"environment": "environment", "base_url": "URL", "api_version": "API version"}


@click.command(
    cls=Command,
    output=False,
    examples=(
        "didww login",
        "didww login --profile shop --environment sandbox",
        "didww login --environment production < key.txt",
        "didww login --profile viewer --environment production --api-version 2026-11-19 --read-only",
    ),
)
@click.option("--check/--no-check", default=True, help="Whether to check the key with the service first.")
@click.option("--read-only", is_flag=True, help="Let commands with this profile read only: they refuse changes.")
@click.option("--in-file", is_flag=True, help="Store the key in the file even if there is a key store.")
@click.pass_obj
def login(session: Session, check: bool, read_only: bool, in_file: bool) -> None:
    """Store an API key in a profile.

    The key is asked for, or read from standard input in a pipe. It is checked with the service and stored in the
    system's key store if keyring is installed, otherwise in a file that only you can read. `didww --emulator` needs no
    login. The API version of --api-version, or else of DIDWW_API_VERSION, is stored with the key.

    A profile that exists keeps its environment and its API version, unless options say otherwise. Without --read-only,
    it can change things again.

    With --read-only, commands refuse to change anything before they send a request, which includes the creation of
    exports. In API version 2026-11-19, the tokens that they use cannot change anything either.

    Each command uses, in this order: its options (--profile, --environment, --base-url, --api-version); the profile
    that DIDWW_PROFILE names; DIDWW_API_KEY, DIDWW_ENVIRONMENT, DIDWW_BASE_URL and DIDWW_API_VERSION; the profile
    "default", which is the one that is stored without --profile. So DIDWW_API_VERSION does not change the API version
    of a profile that is named. didww doctor and didww profiles say which one is used, and where it is from.
    """
    from didww.cli import profiles
    from didww.configuration import ApiKey, api_version_from

    if session.emulated:
        raise click.UsageError("--emulator needs no login and no API key.")
    name = profiles.check_name(session.settings.profile or profiles.DEFAULT)
    kept = _kept(session, name)
    version = api_version_from(session.settings.api_version or kept.pop("api_version", None))
    place = kept or _place(session)
    key = _key()
    ApiKey(key)
    scope = {"scope": profiles.READ_ONLY} if read_only else {}
    result = _check(session, key, place, version, scope) if check else "It was not checked."
    where = profiles.store(name, key, {**place, "api_version": version, **scope}, in_file=in_file)
    what = f"Stored the API key of profile {name!r} in {where}"
    kind = f", {'read-only, ' if read_only else ''}for API version {version}"
    session.say(f"{what}{kind}. {result}")


def _kept(session: Session, name: str) -> dict[str, str]:
    """Return what a profile keeps because no option replaces it, and say so: its place and its API version."""
    from didww.cli.profiles import PLACE, read
    from didww.version import API_VERSIONS

    settings, parser = session.settings, read()
    stored = dict(parser[name]) if parser.has_section(name) else {}
    moved = settings.environment is not None or settings.base_url is not None
    kept = {} if moved else {field: stored[field] for field in PLACE if stored.get(field)}
    if settings.api_version is None and stored.get("api_version") in API_VERSIONS:
        kept["api_version"] = stored["api_version"]
    if kept:
        words = " and ".join(f"the {_WORDS[field]} {value}" for field, value in kept.items())
        options = " or ".join(f"--{field.replace('_', '-')}" for field in kept)
        session.say(f"The profile {name!r} keeps {words}. To change that, pass {options}.")
    return kept


def _place(session: Session) -> dict[str, str]:
    """Return the environment or the URL that the key is for."""
    from didww.configuration import checked_base_url

    settings = session.settings
    if settings.base_url is not None:
        return {"base_url": checked_base_url(settings.base_url)}
    if settings.environment is not None:
        return {"environment": settings.environment}
    if not sys.stdin.isatty():
        raise click.UsageError("Pass --environment production, sandbox or local (or --base-url).")
    kinds = click.Choice(["sandbox", "production", "local"])
    return {"environment": str(click.prompt("Environment", type=kinds, default="sandbox", err=True))}


def _key() -> str:
    """Return the key, typed without an echo, or from standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("API key (not shown)", hide_input=True, err=True)).strip()
    key = sys.stdin.readline().strip()
    if not key:
        raise click.UsageError("Standard input has no API key. Write it there, or log in on a terminal.")
    return key


def _check(session: Session, key: str, place: dict[str, str], version: str, scope: dict[str, str]) -> str:
    """Send a request with the key, and return what is known about the account."""
    from didww import DidwwClient
    from didww.cli.profiles import client_url
    from didww.exceptions import PermissionDeniedError

    timeout = session.settings.timeout or 30.0
    options: dict[str, Any] = {"base_url": client_url(place), "api_version": version, **scope}
    with DidwwClient(key, timeout=timeout, **options) as client:
        try:
            balance = client.balance().find().data
        except PermissionDeniedError:
            return "The service accepts it."
    return f"Balance: {balance.total_balance} USD."


@click.command(cls=Command, output=False, examples=("didww logout --profile shop",))
@click.pass_obj
def logout(session: Session) -> None:
    """Remove a profile and its API key. The key stays valid: to revoke it, use the user panel of DIDWW."""
    from didww.cli import profiles

    name = session.settings.profile or profiles.DEFAULT
    removed = profiles.delete(name)
    session.say(f"Removed profile {name}.")
    if not removed:
        session.say("The system's key store could not be opened and may still have its key.")


@click.command(cls=Command, examples=("didww profiles", "didww profiles -o json"))
@click.pass_obj
def profiles(session: Session) -> None:
    """List the profiles, without their keys. The one in use is marked."""
    from didww.cli.output import print_rows
    from didww.cli.profiles import FULL, used, version_in_words

    parser, current = used(session.settings)
    columns = ("profile", "environment", "base url", "api version", "access", "key", "in use")
    rows = [
        (
            name,
            parser[name].get("environment"),
            parser[name].get("base_url"),
            parser[name].get("api_version") or API_VERSION,
            "full" if parser[name].get("scope", FULL) == FULL else "read-only",
            "file" if parser[name].get("api_key") else "key store",
            name == current,
        )
        for name in parser.sections()
    ]
    if not rows and session.settings.output == "table":
        session.say("There are no profiles. Make one: didww login.")
        return
    print_rows(session.settings, [dict(zip(columns, row, strict=True)) for row in rows], columns)
    if session.settings.for_person:
        session.say(f"API version in use: {version_in_words(session.settings)}.")
