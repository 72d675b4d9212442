"""`didww sender-ids`: verified sender IDs of outbound text messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.filter_rules import UUID_TEXT
from didww.cli import lookups, parameters
from didww.cli.errors import RefusedError
from didww.cli.framework import SINCE_TOKENS, Group
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable
from didww.cli.plans import confirm_plan
from didww.enums import SenderIdVerificationStatus, SenderType
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.resources.sender_id_verification import SenderIdVerification
    from didww.resources.sms_trunk import SmsTrunk

__all__ = ["find", "sender_ids"]

_INCLUDES: Final = ("sms_trunk", "countries", "dids", "order", "identity", "address")
_PREFIX: Final = "didww sender-ids"
argument: Final = click.argument("text", metavar="SENDER_ID", shell_complete=parameters.complete_sender_ids)


@click.group(
    "sender-ids",
    cls=Group,
    versions=SINCE_TOKENS,
    examples=(f"{_PREFIX} list --status active", f"{_PREFIX} assign 'Example Shop' Gateway"),
)
def sender_ids() -> None:
    """Sender ID verifications: what your text messages may show as their sender.

    Sender IDs are requested in the user panel of DIDWW. Here they can be renamed, and assigned to an SMS trunk. A
    SENDER_ID is given by name, reference or id of its verification.
    """


def find(client: Any, text: str, include: Sequence[str] = ()) -> SenderIdVerification:
    """Return a verification by id, reference or name.

    Raises:
        NotExactlyOneError: There is none, or there are several.
    """
    endpoint, text = client.sender_id_verifications(), text.strip()
    record: SenderIdVerification
    if not UUID_TEXT.fullmatch(text):
        found = list(endpoint.iterate(filter={"reference": text}, include=list(include))) if text else []
        if len(found) == 1:
            record = found[0]
            return record
        text = _named(endpoint, text).id
    record = endpoint.find(text, include=list(include)).data
    return record


def _named(endpoint: Any, text: str) -> SenderIdVerification:
    """Return a verification by name, compared here: the filter may match parts of names."""
    from didww._util.suggest import did_you_mean

    known = list(endpoint.iterate())
    found = [each for each in known if each.name == text]
    if len(found) == 1:
        record: SenderIdVerification = found[0]
        return record
    if found:
        references = ", ".join(each.reference for each in found)
        raise NotExactlyOneError(f"Several sender IDs are called {text!r:.80}. Pass the reference: {references}.")
    names = [each.name for each in known]
    raise NotExactlyOneError(f"There is no sender ID {text!r:.80}.{did_you_mean(text, names)}")


def _print(session: Session, record: SenderIdVerification) -> None:
    from didww.resources.sender_id_verification import SenderIdVerification

    found: SenderIdVerification = session.client.sender_id_verifications().find(record.id, include=list(_INCLUDES)).data
    charges = {str(name).replace("_", " "): value for name, value in found.meta.items()}
    table = RecordTable(session.settings, SenderIdVerification)
    table.print_one(found, charges if session.settings.for_person else None)


@sender_ids.command("list", examples=(f"{_PREFIX} list --status active", f"{_PREFIX} list --trunk Gateway -o json"))
@click.option(
    "--status", type=click.Choice([each.value for each in SenderIdVerificationStatus]), help="With this status only."
)
@click.option("--type", "kind", type=click.Choice([each.value for each in SenderType]), help="Of this kind only.")
@click.option(
    "--trunk", metavar="NAME", shell_complete=parameters.complete_sms_trunks_out, help="Assigned to this SMS trunk."
)
@list_options
@click.pass_obj
def list_(session: Session, status: str | None, kind: str | None, trunk: str | None, listing: Listing) -> None:
    """List the sender IDs: status, kind and trunk."""
    from didww.resources.sender_id_verification import SenderIdVerification

    query: dict[str, Any] = {}
    if status is not None:
        query["status"] = status
    if kind is not None:
        query["sender_type"] = kind
    if trunk is not None:
        query["sms_trunk.id"] = lookups.by_name(session.client.sms_trunks(), trunk, "SMS trunk").id
    listing.print(session, SenderIdVerification, query, sort="name")


@sender_ids.command(examples=(f"{_PREFIX} show 'Example Shop'",))
@argument
@click.pass_obj
def show(session: Session, text: str) -> None:
    """Show a sender ID, its trunk and its charges.

    If it was rejected, the output says what to change.
    """
    _print(session, find(session.client, text))


@sender_ids.command(changes=True, examples=(f"{_PREFIX} rename 'Example Shop' 'Example Store'",))
@argument
@click.argument("name")
@click.pass_obj
def rename(session: Session, text: str, name: str) -> None:
    """Rename a verification. The sender IDs stay as they are."""
    from didww.resources.sender_id_verification import SenderIdVerification

    record = find(session.client, text)
    change = SenderIdVerification.build(record.id, name=lookups.new_name(name))
    session.client.sender_id_verifications().update(change)
    _print(session, record)


@sender_ids.command(changes=True, examples=(f"{_PREFIX} assign 'Example Shop' Gateway",))
@argument
@click.argument("trunk", metavar="TRUNK", shell_complete=parameters.complete_sms_trunks_out)
@click.pass_obj
def assign(session: Session, text: str, trunk: str) -> None:
    """Assign a sender ID to an SMS trunk.

    Messages through the trunk may then show it. It leaves its former trunk.
    """
    target = lookups.by_name(session.client.sms_trunks(), trunk, "SMS trunk")
    if not target.allow_out:
        raise RefusedError(
            f"SMS trunk {target.name!r} has the type {target.configuration.type}, which only receives messages. Sender "
            "IDs are assigned to trunks that send them."
        )
    _assign(session, find(session.client, text, ["sms_trunk"]), target)


@sender_ids.command(changes=True, examples=(f"{_PREFIX} unassign 'Example Shop'",))
@argument
@click.pass_obj
def unassign(session: Session, text: str) -> None:
    """Take a sender ID away from its SMS trunk."""
    _assign(session, find(session.client, text, ["sms_trunk"]), None)


def _assign(session: Session, record: SenderIdVerification, target: SmsTrunk | None) -> None:
    """Show the change and ask: messages with the sender ID go through the trunk only."""
    from didww.resources.sender_id_verification import SenderIdVerification

    if record.is_closed and target is not None:
        raise RefusedError(f"Sender ID {record.name!r} is closed, so it cannot be assigned.")
    current = record.sms_trunk
    before, after = ("none" if trunk is None else trunk.name for trunk in (current, target))
    if (current and current.id) == (target and target.id):
        state = "has no trunk" if target is None else f"has the trunk {target.name!r}"
        session.say(f"Nothing to change: sender ID {record.name!r} {state} already.")
        return
    lost = [] if current is None else [f"Messages through {before} can no longer show it."]
    confirm_plan(
        session,
        f"Sender ID {record.name!r} ({', '.join(record.sender_ids)}): trunk {before} -> {after}.",
        *lost,
        question="Make this change?",
        seen={"trunk": _trunk_of(record)},
        read=lambda: {"trunk": _trunk_of(find(session.client, record.id, ["sms_trunk"]))},
    )
    session.client.sender_id_verifications().update(SenderIdVerification.build(record.id, sms_trunk=target))
    _print(session, record)


def _trunk_of(record: SenderIdVerification) -> str:
    return "none" if record.sms_trunk is None else f"{record.sms_trunk.name} ({record.sms_trunk.id})"
