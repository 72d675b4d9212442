"""`didww sms-trunks credentials` and `rotate`: the credentials that DIDWW generates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli.errors import RefusedError
from didww.cli.framework import Command
from didww.cli.output import print_row
from didww.cli.secret_files import check_new, write_secrets
from didww.cli.sms_trunks.show import load, trunk_argument

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.sms_trunk import SmsTrunk

__all__ = ["credentials", "rotate"]

_FIELDS: Final[dict[str, tuple[str, str]]] = {
    "http_out": ("auth_name", "auth_password"),
    "smpp_esme": ("system_id", "password"),
}
"""The fields with generated credentials, by type of trunk."""

show_option: Final = click.option(
    "--show", "--show-credentials", "shown", is_flag=True, help="Print them instead of asterisks."
)
save_option: Final = click.option(
    "--save", "path", metavar="FILE", help="Write them to this new file, as JSON, which only you can read."
)


@click.command(
    cls=Command,
    examples=(
        "didww sms-trunks credentials Gateway --show",
        "didww sms-trunks credentials Gateway --save smpp.json",
    ),
)
@trunk_argument
@show_option
@save_option
@click.pass_obj
def credentials(session: Session, trunk: str, shown: bool, path: str | None) -> None:
    """Show the generated credentials of an SMS trunk: masked, unless --show is given; or save them to a file."""
    if path is not None:
        check_new(path)
    record = load(session, trunk)
    _fields(record)
    _hand_over(session, record, shown=shown, path=path)
    if not shown and path is None:
        session.say("To see them: --show.")


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww sms-trunks rotate Gateway --show",
        "didww sms-trunks rotate Gateway --save smpp.json",
    ),
)
@trunk_argument
@show_option
@save_option
@click.pass_obj
def rotate(session: Session, trunk: str, shown: bool, path: str | None) -> None:
    """Replace the generated credentials of an SMS trunk. The old ones stop working at once."""
    from didww.resources.sms_trunk_regenerate_credential import SmsTrunkRegenerateCredential

    if path is not None:
        check_new(path)
    record = load(session, trunk)
    _fields(record)
    session.confirm(
        f"SMS trunk {record.name!r} gets new credentials. The old ones stop working at once: messages fail until your "
        "systems have the new ones.",
        question="Replace the credentials?",
    )
    session.client.sms_trunk_regenerate_credentials().create(SmsTrunkRegenerateCredential(sms_trunk=record))
    command = session.command_line("sms-trunks", "credentials", record.name, "--show")
    session.known.append(f"The credentials of {record.name!r} were replaced; see: {command}")
    _hand_over(session, load(session, record.id), shown=shown, path=path)
    if not shown and path is None:
        session.say(f"Replaced. To see them: {command}")


def _fields(trunk: SmsTrunk) -> tuple[str, str]:
    """Return the names of the fields with credentials.

    Raises:
        RefusedError: A trunk of this type has none.
    """
    kind = str(trunk.configuration.type)
    if kind not in _FIELDS:
        raise RefusedError(
            f"SMS trunk {trunk.name!r} has no generated credentials: its type is {kind}. Only trunks of the types "
            f"{' and '.join(_FIELDS)} have them."
        )
    return _FIELDS[kind]


def _hand_over(session: Session, trunk: SmsTrunk, *, shown: bool, path: str | None) -> None:
    """Print the credentials, masked unless `shown`, and write them to a file."""
    values: dict[str, Any] = {name: getattr(trunk.configuration, name) for name in _fields(trunk)}
    if path is not None:
        write_secrets(path, {"trunk": trunk.name, **values})
        session.say(f"Saved to {path}, which only you can read.")
    print_row(session.settings, {"trunk": trunk.name, **(values if shown else dict.fromkeys(values, "***"))})
