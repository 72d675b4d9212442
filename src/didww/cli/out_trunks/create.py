"""`didww out-trunks create`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups
from didww.cli.field_options import given, naming_options
from didww.cli.framework import Command
from didww.cli.out_trunks.list import INCLUDES, print_trunk
from didww.cli.out_trunks.options import NUMBER_OPTIONS, OPTIONS, linked, number_options, warnings
from didww.enums import OnCliMismatchAction
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod
from didww.resources.voice_out_trunk import VoiceOutTrunk

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["create", "new_method"]


@click.command(
    cls=Command,
    changes=True,
    params=[*OPTIONS],
    examples=(
        "didww out-trunks create Outbound --allow 192.0.2.10,198.51.100.0/24 --spending-limit 50",
        "didww out-trunks create Twilio --twilio AC00000000000000000000000000000000",
    ),
)
@click.argument("name")
@number_options
@click.pass_obj
def create(session: Session, /, name: str, **fields: Any) -> None:
    """Create an outbound trunk. DIDWW generates its credentials.

    Calls with a caller ID that is not allowed are rejected, unless --cli-mismatch says otherwise.
    """
    name = lookups.new_name(name)
    method = new_method(fields)
    if method is None:
        raise click.UsageError(
            "Missing option: who may call, one of --allow ADDRESS and --twilio SID.",
            click.get_current_context(silent=True),
        )
    client = session.client
    numbers = linked(client, fields)
    if isinstance(method, CredentialsAndIpAuthenticationMethod):
        for warning in warnings(method.allowed_sip_ips):
            session.say(warning)
    values = {"on_cli_mismatch_action": OnCliMismatchAction.REJECT_CALL, **given(OPTIONS, fields, VoiceOutTrunk)}
    with naming_options(OPTIONS, **NUMBER_OPTIONS):
        trunk = VoiceOutTrunk(name=name, authentication_method=method, **values, **numbers)
        trunk = client.voice_out_trunks().create(trunk).data
    session.known.append(f"Outbound trunk {trunk.name!r} was created.")
    print_trunk(session, client.voice_out_trunks().find(trunk.id, include=INCLUDES).data)
    if isinstance(method, CredentialsAndIpAuthenticationMethod):
        command = session.command_line("out-trunks", "credentials", trunk.name, "--show")
        session.say(f"Credentials were generated. To see them: {command}")


def new_method(fields: dict[str, Any]) -> CredentialsAndIpAuthenticationMethod | TwilioAuthenticationMethod | None:
    """Return the authentication method that options describe, or None if there are none.

    Raises:
        UsageError: They describe two.
    """
    credentials = given(OPTIONS, fields, CredentialsAndIpAuthenticationMethod)
    twilio = given(OPTIONS, fields, TwilioAuthenticationMethod)
    if credentials and twilio:
        raise click.UsageError("--allow and --twilio exclude each other; --tech-prefix goes with --allow.")
    with naming_options(OPTIONS):
        if twilio:
            return TwilioAuthenticationMethod(**twilio)
        if "allowed_sip_ips" in credentials:
            return CredentialsAndIpAuthenticationMethod(**credentials)
    if credentials:
        raise click.UsageError("--tech-prefix goes with --allow ADDRESS, which is missing.")
    return None
