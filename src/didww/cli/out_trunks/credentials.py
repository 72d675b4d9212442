"""`didww out-trunks credentials` and `regenerate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from didww.cli.errors import RefusedError
from didww.cli.framework import Command
from didww.cli.out_trunks.list import load, trunk_argument
from didww.cli.output import print_row

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.voice_out_trunk import VoiceOutTrunk

__all__ = ["credentials", "regenerate"]

show_option = click.option(
    "--show", "--show-credentials", "shown", is_flag=True, help="Print them instead of asterisks."
)


@click.command(
    cls=Command,
    examples=(
        "didww out-trunks credentials Outbound --show",
        "didww out-trunks credentials Outbound --show --query password",
    ),
)
@trunk_argument
@show_option
@click.pass_obj
def credentials(session: Session, trunk: str, shown: bool) -> None:
    """Show user name and password of an outbound trunk: masked, unless --show is given."""
    record = load(session, trunk)
    _checked(record)
    _print(session, record, shown=shown)
    if not shown:
        session.say("To see them: --show.")


@click.command(
    cls=Command,
    changes=True,
    examples=("didww out-trunks regenerate Outbound --show",),
)
@trunk_argument
@show_option
@click.pass_obj
def regenerate(session: Session, trunk: str, shown: bool) -> None:
    """Replace user name and password of an outbound trunk. The old ones stop working at once."""
    from didww.resources.voice_out_trunk_regenerate_credential import VoiceOutTrunkRegenerateCredential

    record = load(session, trunk)
    _checked(record)
    session.confirm(
        f"Outbound trunk {record.name!r} gets a new user name and password. The old ones stop working at once: "
        "calls fail until your systems have the new ones.",
        question="Replace the credentials?",
    )
    request = VoiceOutTrunkRegenerateCredential()
    request.voice_out_trunk = record
    session.client.voice_out_trunk_regenerate_credentials().create(request)
    command = session.command_line("out-trunks", "credentials", record.name, "--show")
    session.known.append(f"The credentials of {record.name!r} were replaced; see: {command}")
    _print(session, load(session, record.id), shown=shown)
    if not shown:
        session.say(f"Replaced. To see them: {command}")


def _checked(trunk: VoiceOutTrunk) -> None:
    """Check that a trunk has credentials.

    Raises:
        RefusedError: Its method has none.
    """
    if getattr(trunk.authentication_method, "username", None) is None:
        raise RefusedError(
            f"Outbound trunk {trunk.name!r} has no credentials: its method is {trunk.authentication_method.type}."
        )


def _print(session: Session, trunk: VoiceOutTrunk, *, shown: bool) -> None:
    method = trunk.authentication_method
    names = ("username", "password")
    values = {name: getattr(method, name) if shown else "***" for name in names}
    print_row(session.settings, {"trunk": trunk.name, **values})
