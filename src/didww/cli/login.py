"""`didww login`, `logout` and `profiles`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from didww.cli.framework import Command

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["login", "logout", "profiles"]


@click.command(
    cls=Command,
    output=False,
    examples=("didww login --profile shop --environment sandbox", "didww login --environment production < key.txt"),
)
@click.pass_obj
def login(session: Session) -> None:
    """Store an API key in a profile.

    The key is asked for, or read from standard input in a pipe. It is checked with the service and stored in the
    system's key store if keyring is installed, otherwise in a file that only you can read. Without --profile, the
    profile is called "default" and used whenever no other is named and DIDWW_API_KEY is not set.
    """
    from didww import DidwwClient
    from didww.cli.profiles import store

    settings = session.settings
    name = settings.profile or "default"
    environments = click.Choice(["sandbox", "production", "local"])
    if settings.base_url is not None:
        place: dict[str, Any] = {"base_url": settings.base_url}
    elif settings.environment is not None:
        place = {"environment": settings.environment}
    elif sys.stdin.isatty():
        place = {"environment": click.prompt("Environment", type=environments, default="sandbox", err=True)}
    else:
        raise click.UsageError("--environment is missing: production, sandbox or local.")
    key = click.prompt("API key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    with DidwwClient(key.strip(), **place) as client:
        balance = client.balance().find().data
    where = store(name, key.strip(), **place)
    session.say(f"Stored the key of profile {name} in {where}. Balance: {balance.total_balance} USD.")


@click.command(cls=Command, output=False, examples=("didww logout --profile shop",))
@click.pass_obj
def logout(session: Session) -> None:
    """Remove a profile and its API key."""
    from didww.cli.profiles import delete

    name = session.settings.profile or "default"
    delete(name)
    session.say(f"Removed profile {name}.")


@click.command(cls=Command, examples=("didww profiles",))
@click.pass_obj
def profiles(session: Session) -> None:
    """List the profiles, without their keys."""
    from didww.cli.output import print_rows
    from didww.cli.profiles import read

    parser = read()
    names = ("profile", "environment", "base url")
    rows = [(name, parser[name].get("environment"), parser[name].get("base_url")) for name in parser.sections()]
    print_rows(session.settings, [dict(zip(names, row, strict=True)) for row in rows], names)
